"""Cancel a batch: no new waves, what is recorded is kept."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import Batch, BatchStatus, Outcome
from assessment.ports import BatchStore, Workflow


def cancel_batch(batch_id: str, *, batches: BatchStore, workflow: Workflow, now: datetime) -> Batch:
    """The cancelled batch; cancelling it again changes nothing.

    Raises
    ------
    UnknownBatchError
    IllegalTransitionError
        If the batch has completed or failed already.
    """
    batch = batches.transition(batch_id, BatchStatus.CANCELLED, now=now, outcome=Outcome.CANCELLED)
    workflow.stop(batch_id, cause="cancelled by request")
    return batch
