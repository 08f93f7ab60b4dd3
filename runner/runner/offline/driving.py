"""Drive a batch of a workspace and show how far it is."""

from __future__ import annotations

import typer

from runner.console import ERR, note
from runner.errors import ExitCode
from runner.offline.engine import Engine
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import BatchIsDrivenError, Workspace
from runner.progress import ProgressDisplay
from runner.waiting import await_batch


def drive(workspace: Workspace, batch_id: str, connection: str) -> None:
    """Take the batch to its end; interrupted, await the calls under way and exit with 130.

    `connection` are the options that lead another command to this workspace.

    Raises
    ------
    BatchIsDrivenError
        If another process drives it.
    """
    client = WorkspaceClient(workspace)
    engine = Engine(workspace, batch_id)
    try:
        with ProgressDisplay(ERR) as display, engine.running():
            try:
                await_batch(client, batch_id, show=display.show, sleep=engine.wait)
            except KeyboardInterrupt:
                engine.stop()
                note(
                    f"Awaiting {engine.n_calls} calls that are under way and paid for. "
                    "Ctrl-C again leaves at once."
                )
                raise
    except KeyboardInterrupt:
        note(f"The batch has stopped and keeps what it has. Go on: cj watch {batch_id}{connection}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def follow(workspace: Workspace, batch_id: str, connection: str) -> None:
    """Drive the batch, or show it to its end while another process drives it."""
    try:
        drive(workspace, batch_id, connection)
    except BatchIsDrivenError:
        note("Another process runs this batch; this one shows it.")
        with ProgressDisplay(ERR) as display:
            await_batch(WorkspaceClient(workspace), batch_id, show=display.show)
