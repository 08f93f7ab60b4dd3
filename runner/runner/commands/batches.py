"""`cj status`, `cj results`, `cj cancel`: coming back to a batch."""

import json
from pathlib import Path
from typing import Annotated

import typer

from assessment.contracts.result_csv import result_csv
from assessment.contracts.views import BatchProgress
from runner.api.answers import parse_result
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import ERR, OUT, emit, note
from runner.files import require_writable, to_json
from runner.progress import ProgressDisplay, headline, is_ended, snapshot, wave_line
from runner.tables import ranking_table, summary_lines
from runner.waiting import await_batch, require_completed
from runner.writing import Format, choose_format, print_table, write_or_emit


def status(
    batch_id: options.BatchId,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show progress until the batch has ended.")
    ] = False,
    as_json: options.AsJson = False,
    place: PlaceOptions,
) -> None:
    """Say how far a batch is; with --wait, exit with 1 unless it ends with a result."""
    with place.open() as client:
        if wait:
            with ProgressDisplay(ERR) as display:
                batch = await_batch(client, batch_id, show=display.show)
            require_completed(batch)
        else:
            batch = client.batch(batch_id)
    if as_json:
        emit(to_json(batch.model_dump(mode="json")))
        return
    for line in describe_status(batch):
        OUT.print(line, markup=False, soft_wrap=True)


def describe_status(batch: BatchProgress) -> list[str]:
    """A batch in words: its state, its waves, and why it goes on or ended."""
    now = snapshot(batch)
    lines = [
        f"batch {batch.batch_id}",
        f"{batch.status}: {headline(now)}",
        (
            f"{batch.essays} essays and {batch.anchors} anchors, "
            f"assignment {batch.assignment_id or 'none'}"
        ),
        *map(wave_line, batch.waves),
    ]
    if batch.decision:
        lines.append(f"{batch.decision['reason']}: {batch.decision['explanation']}")
    if batch.failure:
        lines.append(f"failed ({batch.failure['code']}): {batch.failure['message']}")
        lines.append(f"what to do: {batch.failure['remedy']}")
    if batch.outcome:
        lines.append(f"outcome {batch.outcome}")
    elif not is_ended(batch):
        lines.append(f"last change {batch.updated_at}")
    return lines


def results(
    batch_id: options.BatchId,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write instead of standard output."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="table unless --output ends in .json or .csv."),
    ] = None,
    as_json: options.AsJson = False,
    place: PlaceOptions,
) -> None:
    """Print or save the result of a completed batch."""
    output_format = choose_format(output, form, as_json=as_json)
    if output:
        require_writable(output)
    with place.open() as client:
        body = client.result_bytes(batch_id)
    if output_format is Format.JSON:
        # The very bytes that the announced SHA-256 is of.
        write_or_emit(body.decode(), output)
        return
    result = parse_result(json.loads(body))
    if output_format is Format.CSV:
        write_or_emit(result_csv(result), output)
        return
    print_table(ranking_table(result), output)
    for line in summary_lines(result):
        note(line)


def cancel(
    batch_id: options.BatchId,
    *,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Stop a batch: no new waves, and what is recorded is kept."""
    with place.open() as client:
        cancelled = client.cancel(batch_id)
    if as_json:
        emit(to_json(cancelled.model_dump(mode="json")))
        return
    OUT.print(f"batch {cancelled.batch_id} is {cancelled.status}", markup=False)


def redrive(
    batch_id: options.BatchId,
    *,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Resume a batch that failed because something around it failed.

    What is recorded stays and is not paid again. A batch that failed by a decision about its
    verdicts, that was cancelled or that has a result cannot be resumed; the exit code is 1 then.
    """
    with place.open() as client:
        resumed = client.resume(batch_id)
    if as_json:
        emit(to_json(resumed.model_dump(mode="json")))
        return
    OUT.print(f"batch {resumed.batch_id} is {resumed.status}", markup=False)
    command = f"watch {batch_id}" if place.offline else f"status {batch_id} --wait"
    note(f"Follow it with: cj {command}{place.describe()}")
