"""`cj watch`: a batch to its end, wherever it runs."""

from pathlib import Path
from typing import Annotated

import typer

from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import ERR
from runner.errors import BadInputError, Problem
from runner.files import require_writable
from runner.progress import ProgressDisplay
from runner.results import show_result
from runner.waiting import await_batch
from runner.writing import Format, choose_format


def watch(
    batch_id: Annotated[
        str | None,
        typer.Argument(help="The batch's id; the newest one if left out.", metavar="[BATCH_ID]"),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the result document goes.")
    ] = None,
    as_json: options.AsJson = False,
    place: PlaceOptions,
    concurrency: options.Concurrency = options.DEFAULT_CONCURRENCY,
) -> None:
    """Follow a batch to its end and print its result.

    A batch of --offline that was stopped goes on: nothing that is recorded is paid again.

    Exit codes: 0 finalised, 1 the batch failed, 2 bad input, 3 no stack or no access to it.

    For example:

      cj watch --offline

      cj watch --offline -o result.json
    """
    if output is not None:
        choose_format(output, formats=[Format.JSON])
        require_writable(output)
    if place.offline:
        _watch_workspace(batch_id, place, output, n_calls=concurrency, as_json=as_json)
        return
    with place.connect() as client:
        followed = batch_id or next((one.batch_id for one in client.list_batches()), None)
        if followed is None:
            raise BadInputError(Problem("there is no batch", field="BATCH_ID"))
        with ProgressDisplay(ERR) as display:
            batch = await_batch(client, followed, show=display.show)
        show_result(client, batch, output, as_json=as_json)


def _watch_workspace(
    batch_id: str | None, place: PlaceOptions, output: Path | None, *, n_calls: int, as_json: bool
) -> None:
    from runner.offline.driving import follow
    from runner.offline.local_client import WorkspaceClient
    from runner.offline.workspace import Workspace

    with Workspace.open_folder(place.workspace, n_calls=n_calls) as workspace:
        client = WorkspaceClient(workspace)
        followed = batch_id or next((one.batch_id for one in client.list_batches()), None)
        if followed is None:
            raise BadInputError(
                Problem("there is no batch", file=str(place.workspace), field="BATCH_ID")
            )
        follow(workspace, followed, place.describe())
        show_result(client, client.batch(followed), output, as_json=as_json)
