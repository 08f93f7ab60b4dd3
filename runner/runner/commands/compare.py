"""`cj compare`: how far two results of the same essays agree."""

from pathlib import Path
from typing import Annotated

import typer

from assessment.contracts.result import ResultDocument
from runner.api.answers import parse_result
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import note
from runner.files import require_writable
from runner.result_files import read_result
from runner.writing import Format, choose_format, write_in_format


def compare(
    first: Annotated[str, typer.Argument(help="A result file (.json), or a batch's id.")],
    second: Annotated[str, typer.Argument(help="Another result file, or another batch's id.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .json, .csv or .txt.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="table unless --output ends in .json or .csv."),
    ] = None,
    as_json: options.AsJson = False,
    place: PlaceOptions,
) -> None:
    """Compare two results: rank correlation, changes of grades, drift of anchors, every essay.

    Abilities are compared as deviations from the mean of the essays that both results have.
    """
    from runner import comparing

    output_format = choose_format(output, form, as_json=as_json)
    if output:
        require_writable(output)

    def read(name: str) -> ResultDocument:
        if name.lower().endswith(".json"):
            return read_result(Path(name))
        with place.open() as client:
            return parse_result(client.result_document(name))

    agreement = comparing.compare_results(read(first), read(second))
    write_in_format(
        output_format,
        output,
        table=lambda: comparing.agreement_table(agreement),
        csv=lambda: comparing.agreement_csv(agreement),
        document=lambda: comparing.agreement_document(agreement),
    )
    for line in comparing.agreement_lines(agreement):
        note(line)
