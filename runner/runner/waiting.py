"""Waiting for a batch to end, gently on the API when nothing moves."""

import time
from collections.abc import Callable
from datetime import timedelta

from assessment.contracts.views import BatchProgress
from assessment.domain.batch import BatchStatus
from runner.batch_client import BatchClient
from runner.errors import BatchNotFinalisedError
from runner.progress import is_ended

SOONEST_SECONDS = 0.5
LATEST_SECONDS = 5.0
_SLOWER = 1.5

type Show = Callable[[BatchProgress, timedelta], None]


def await_batch(
    client: BatchClient,
    batch_id: str,
    *,
    show: Show,
    timeout: timedelta | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> BatchProgress:
    """Ask until the batch has ended, showing every answer; return the last one.

    The pause between two questions is half a second while the batch moves and grows to five
    seconds while it does not.

    Raises
    ------
    BatchNotFinalisedError
        If it has not ended within the timeout.
    """
    started = clock()
    pause, previous = SOONEST_SECONDS, None
    while True:
        batch = client.batch(batch_id)
        elapsed = timedelta(seconds=clock() - started)
        show(batch, elapsed)
        if is_ended(batch):
            return batch
        if timeout is not None and elapsed >= timeout:
            reason = f"still {batch.status} after {timeout.total_seconds():.0f} seconds"
            raise BatchNotFinalisedError(batch_id, reason, "It goes on; ask again later.")
        pause = SOONEST_SECONDS if batch != previous else min(LATEST_SECONDS, pause * _SLOWER)
        previous = batch
        sleep(pause)


def require_completed(batch: BatchProgress) -> None:
    """Refuse a batch that has no result.

    Raises
    ------
    BatchNotFinalisedError
        With what happened and what to do about it.
    """
    if batch.status == BatchStatus.COMPLETED:
        return
    failure = batch.failure
    if failure:
        reason = f"failed ({failure['code']}): {failure['message']}"
        raise BatchNotFinalisedError(batch.batch_id, reason, f"What to do: {failure['remedy']}")
    if is_ended(batch):
        reason = f"was {batch.status.lower()}; its recorded verdicts are kept"
        raise BatchNotFinalisedError(batch.batch_id, reason)
    raise BatchNotFinalisedError(
        batch.batch_id, f"is {batch.status}", "Ask again when it is COMPLETED."
    )
