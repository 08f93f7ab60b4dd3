"""`cj rescore`: the recorded verdicts of a batch under another prior, method or jury."""

from pathlib import Path
from typing import Annotated

import typer

from assessment.contracts.result import ResultDocument, canonical_bytes
from assessment.contracts.result_csv import result_csv
from assessment.domain.comparison import Comparison
from runner.api.answers import parse_result
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import note
from runner.errors import BadInputError, Problem
from runner.files import require_writable
from runner.inputs import parse_config, parse_scale
from runner.result_files import read_comparisons, read_result
from runner.tables import ranking_table, summary_lines
from runner.writing import Format, choose_format, print_table, write_or_emit


def rescore(
    source: Annotated[
        str, typer.Argument(help="A result.json, or a batch's id.", metavar="RESULT")
    ],
    *,
    comparisons: Annotated[
        Path | None,
        typer.Option(
            "--comparisons",
            help="File of `cj comparisons -o comparisons.jsonl`; beside result.json it is found.",
        ),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            help="Setting to change, name=value: prior_sd=1.5, prior_sd_median=2, "
            "grade_method=isotonic, grade_rule=mode; may be repeated.",
        ),
    ] = None,
    scale: options.Scale = None,
    only_judge: Annotated[
        list[str] | None,
        typer.Option("--only-judge", help="Count this judge's verdicts only; may be repeated."),
    ] = None,
    without_judge: Annotated[
        list[str] | None,
        typer.Option("--without-judge", help="Leave out this judge; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .json, .csv or .txt.")
    ] = None,
    as_json: options.AsJson = False,
    place: PlaceOptions,
) -> None:
    """Score recorded verdicts again; nobody is asked, and nothing that is stored changes.

    `cj compare` of both results tells what the change does.

    For example:

      cj rescore result.json --comparisons comparisons.jsonl --config prior_sd=1.5 -o other.json
    """
    output_format = choose_format(output, None, as_json=as_json)
    if output is not None:
        require_writable(output)
    settings = parse_config(config or ())
    grade_scale = parse_scale(scale)
    path = Path(source)
    if path.suffix == ".json" or path.exists():
        document, judged = read_result(path), read_comparisons(_find_comparisons(path, comparisons))
    else:
        with place.open() as client:
            document = parse_result(client.result_document(source))
            judged = list(client.list_comparisons(source))
    from runner.offline.rescoring import Rescoring
    from runner.offline.rescoring import rescore as score_again

    changes = Rescoring(settings, grade_scale, only_judge or (), without_judge or ())
    _write(score_again(document, _drop_late(judged), changes), output_format, output)


def _find_comparisons(path: Path, comparisons: Path | None) -> Path:
    file = comparisons or path.with_name("comparisons.jsonl")
    if comparisons is None and not file.is_file():
        message = "give the recorded comparisons: cj comparisons BATCH_ID -o comparisons.jsonl"
        raise BadInputError(Problem(message, field="--comparisons"))
    return file


def _drop_late(comparisons: list[Comparison]) -> list[Comparison]:
    return [one for one in comparisons if one.verdict is not None]


def _write(document: ResultDocument, form: Format, output: Path | None) -> None:
    if form is Format.JSON:
        write_or_emit(canonical_bytes(document).decode(), output)
    elif form is Format.CSV:
        write_or_emit(result_csv(document), output)
    else:
        print_table(ranking_table(document), output)
        for line in summary_lines(document):
            note(line)
