"""Erase a batch of a workspace, or one essay of it, from the folder and the database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

from assessment.adapters.sqlite.eraser import SQLiteTraces
from assessment.contracts.erasure import EraseRequestV1
from assessment.domain.erasure import Erasure, ErasureState
from assessment.usecases.erase_data import go_on_erasing
from assessment.usecases.request_erasure import request_batch_erasure, request_essay_erasure
from runner.offline.workspace import Workspace

_AT_ONCE = timedelta(0)
"""Nobody else writes: the erasure holds the lock of who drives the batch."""


class _NoDeadLetters:
    """A workspace keeps no message that could not be worked on."""

    def drop(self, is_about: Callable[[str], bool], *, has_time: Callable[[], bool]) -> int:
        """Nothing is there."""
        del is_about, has_time
        return 0


def erase(workspace: Workspace, batch_id: str, essay_id: str | None) -> Erasure:
    """Erase it; still `erasing` where a provider has not yet deleted a batch of its own.

    Raises
    ------
    BatchIsDrivenError
        If another process runs the batch.
    UnknownBatchError, UnknownEssayError, ErasureRefusedError
    """
    ports, now = workspace.erasure_request_ports, workspace.now()
    with workspace.driving(batch_id):
        erasure_id = str(uuid.uuid4())
        if essay_id is None:
            wanted = request_batch_erasure(batch_id, erasure_id=erasure_id, ports=ports, now=now)
        else:
            wanted = request_essay_erasure(
                batch_id, essay_id, erasure_id=erasure_id, ports=ports, now=now
            )
        erased = asyncio.run(_erase(workspace, wanted))
        SQLiteTraces(workspace.database).erase(batch_id)
    return erased


async def _erase(workspace: Workspace, erasure: Erasure) -> Erasure:
    """The round that removes, and the one that looks again."""
    message = EraseRequestV1(batch_id=erasure.batch_id, erasure_id=erasure.erasure_id)
    async with workspace.renew_http():
        ports = workspace.erasure_ports(_NoDeadLetters())
        while not erasure.is_closed:
            done = await go_on_erasing(
                message, ports=ports, now=workspace.now(), check_after=_AT_ONCE
            )
            erasure = done or erasure
            if erasure.state is ErasureState.ERASING:
                break
    return erasure
