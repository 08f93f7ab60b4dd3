"""`cj export`: a batch as flat tables for other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assessment.contracts.result import ResultDocument
from runner.api.answers import parse_result
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.errors import BadInputError, Problem
from runner.exporting import export_csv, export_parquet
from runner.files import require_writable
from runner.writing import emit_or_note


class ExportFormat(StrEnum):
    """What the tables are written as; `r` is CSV with a script that reads it."""

    CSV = "csv"
    PARQUET = "parquet"
    R = "r"


def export(
    batch_id: options.BatchId,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write; it is made.")
    ] = Path("export"),
    form: Annotated[
        ExportFormat, typer.Option("--format", help="csv, parquet (needs duckdb) or r.")
    ] = ExportFormat.CSV,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Write a batch's essays and comparisons as two flat tables.

    A batch without a result has only its comparisons.

    For example:

      cj export 5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10 --offline -o tables/ --format r
    """
    if output.is_file():
        message = "is a file; name a folder"
        raise BadInputError(Problem(message, file=str(output), field="--output"))
    require_writable(output / "comparisons.csv")
    document: ResultDocument | None = None
    with place.open() as client:
        if client.batch(batch_id).status == "COMPLETED":
            document = parse_result(client.result_document(batch_id))
        comparisons = list(client.list_comparisons(batch_id))
    if form is ExportFormat.PARQUET:
        written = export_parquet(output, document, comparisons)
    else:
        written = export_csv(output, document, comparisons, for_r=form is ExportFormat.R)
    emit_or_note(
        {"batch_id": batch_id, "written": [str(path) for path in written]},
        "\n".join(f"Written: {path}" for path in written),
        as_json=as_json,
    )
