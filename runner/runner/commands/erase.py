"""`cj delete` and `cj export-essay`: what a pupil may ask for."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from assessment.contracts.erasure import ErasureView
from assessment.domain.erasure import ErasureState
from runner.batch_client import BatchClient
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import OUT, emit, note
from runner.files import require_writable, to_json
from runner.writing import write_or_emit

_SECONDS = 1.0


def delete(
    batch_id: options.BatchId,
    *,
    essay: Annotated[
        str | None,
        typer.Option("--essay", help="Erase this essay only, from a batch that has ended."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to erase it.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait until it is erased.")
    ] = False,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Erase a batch, or one essay of it, from every store; this cannot be undone.

    A stack's batch that runs is stopped first, and an administrator's token is needed. With
    --offline the batch must not be running in another command. Files that you saved yourself,
    such as result.json, are yours to remove.
    """
    subject = f"batch {batch_id}" if essay is None else f"essay {essay} of batch {batch_id}"
    if not yes:
        typer.confirm(f"Erase {subject} for good?", abort=True, err=True)
    with place.open(admin=True) as client:
        erasure = client.erase(batch_id, essay)
        if erasure is not None and not no_wait and not place.offline:
            erasure = _await_erased(client, erasure)
    if as_json:
        emit(to_json(_describe(batch_id, erasure)))
        return
    _tell(subject, erasure)


def _tell(subject: str, erasure: ErasureView | None) -> None:
    """What became of it, in words."""
    if erasure is not None and erasure.state is ErasureState.ERASING:
        OUT.print(f"{subject} is being erased", markup=False, soft_wrap=True)
        note("with --offline, run the command again until it is erased")
        return
    OUT.print(f"{subject} is erased", markup=False, soft_wrap=True)
    if erasure is not None and erasure.n_provider_files:
        note(
            f"{erasure.n_provider_files} batches at providers could not be deleted; "
            "the providers delete them by their own rules"
        )


def _describe(batch_id: str, erasure: ErasureView | None) -> dict[str, Any]:
    if erasure is None:
        return {"batch_id": batch_id, "state": str(ErasureState.ERASED)}
    return erasure.model_dump(mode="json")


def _await_erased(client: BatchClient, erasure: ErasureView) -> ErasureView:
    """The erasure when nothing is left; a provider may need some time to delete its files."""
    while erasure.state is ErasureState.ERASING:
        time.sleep(_SECONDS)
        erasures = client.erasures(erasure.batch_id).erasures
        erasure = next(each for each in erasures if each.erasure_id == erasure.erasure_id)
    return erasure


def export_essay(
    batch_id: options.BatchId,
    essay_id: Annotated[str, typer.Argument(help="The essay's id.", metavar="ESSAY_ID")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write instead of standard output."),
    ] = None,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Print or save everything that is kept about one essay, as JSON whether asked for or not."""
    del as_json
    if output:
        require_writable(output)
    with place.open() as client:
        write_or_emit(client.export_essay(batch_id, essay_id), output)
