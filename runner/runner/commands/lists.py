"""`cj list` and `cj comparisons`: the batches of a stack, and what the judges of one said."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from assessment.domain.batch import BatchStatus
from assessment.domain.comparison import Comparison
from assessment.domain.identifiers import write_json_line
from runner.batch_tables import batches_table, comparisons_csv, comparisons_table
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import OUT, emit, note
from runner.files import require_writable, to_json
from runner.writing import Format, choose_format, print_table, write_or_emit


def list_batches(
    *,
    status: Annotated[
        BatchStatus | None, typer.Option("--status", help="Only batches with this status.")
    ] = None,
    assignment: Annotated[
        str | None, typer.Option("--assignment", help="Only batches of this assignment.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most batches to list.")] = 20,
    as_json: options.AsJson = False,
    place: PlaceOptions,
) -> None:
    """List batches, the newest first."""
    with place.open() as client:
        listed = client.list_batches(status=status, assignment_id=assignment)
        batches = list(islice(listed, limit))
    if as_json:
        emit(to_json({"batches": [batch.model_dump(mode="json") for batch in batches]}))
        return
    OUT.print(batches_table(batches))


def comparisons(
    batch_id: options.BatchId,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write: .jsonl, .csv, .json or .txt."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="table unless --output says another; jsonl for `cj fit`."),
    ] = None,
    as_json: options.AsJson = False,
    place: PlaceOptions,
) -> None:
    """Print or save every comparison of a batch: its verdict, by whom and why, or its failure.

    The batch may be running, failed or cancelled. `cj fit` reads the .jsonl and .csv files.
    """
    output_format = choose_format(output, form, as_json=as_json, formats=list(Format))
    if output:
        require_writable(output)
    with place.open() as client:
        listed = list(client.list_comparisons(batch_id))
    _write(batch_id, listed, output_format, output)
    n_verdicts = sum(one.verdict is not None for one in listed)
    note(f"{len(listed)} comparisons, {n_verdicts} with a verdict")


def _write(batch_id: str, listed: list[Comparison], form: Format, output: Path | None) -> None:
    documents = [one.model_dump(mode="json") for one in listed]
    if form is Format.TABLE:
        print_table(comparisons_table(listed), output)
    elif form is Format.CSV:
        write_or_emit(comparisons_csv(listed), output)
    elif form is Format.JSONL:
        write_or_emit("".join(write_json_line(one) for one in documents), output)
    else:
        write_or_emit(to_json({"batch_id": batch_id, "comparisons": documents}), output)
