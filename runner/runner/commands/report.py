"""`cj report`: the result of a batch as one page."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from assessment.contracts.report import ReportData, report_result, write_report
from assessment.domain.comparison import Comparison
from runner.api.answers import parse_result
from runner.batch_client import BatchClient
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.errors import BadInputError, Problem
from runner.files import require_writable, write_whole
from runner.result_files import read_comparisons, read_result
from runner.writing import emit_or_note


def report(
    source: Annotated[
        str, typer.Argument(help="A result.json, or a batch's id.", metavar="RESULT")
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page to write: a file that ends in .html.")
    ] = Path("report.html"),
    comparisons: Annotated[
        Path | None,
        typer.Option(
            "--comparisons",
            help="comparisons.jsonl of the batch: with it the page shows which pairs were judged; "
            "beside result.json it is found by itself.",
        ),
    ] = None,
    hide_names: Annotated[
        bool,
        typer.Option("--hide-names", help="Number essays, people and groups; leave out reasons."),
    ] = False,
    title: Annotated[str | None, typer.Option("--title", help="What the page is called.")] = None,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Write the result of a batch as one page: no network, prints well, names can be hidden."""
    if output.suffix.lower() not in {".html", ".htm"}:
        raise BadInputError(
            Problem("name a file that ends in .html", file=str(output), field="--output")
        )
    require_writable(output)
    path = Path(source)
    if path.suffix == ".json" or path.exists():
        data = _read_files(path, comparisons)
    else:
        with place.open() as client:
            data = _ask(client, source)
    dated_data = data.model_copy(update={"title": title, "made_at": datetime.now(UTC)})
    write_whole(output, write_report(dated_data, without_names=hide_names))
    emit_or_note({"written": str(output)}, f"Written: {output}", as_json=as_json)


def _read_files(path: Path, comparisons: Path | None) -> ReportData:
    comparisons_path = path.with_name("comparisons.jsonl")
    file = comparisons or (comparisons_path if comparisons_path.is_file() else None)
    read = read_comparisons(file) if file else None
    return report_result(read_result(path), comparisons=read)


def _ask(client: BatchClient, batch_id: str) -> ReportData:
    """What the stack knows of a batch; one without a result is reported as far as it is."""
    progress = client.batch(batch_id)
    if progress.status != "COMPLETED":
        return ReportData(progress=progress)
    judged: list[Comparison] = list(client.list_comparisons(batch_id))
    result = parse_result(json.loads(client.result_bytes(batch_id)))
    return report_result(result, comparisons=judged)
