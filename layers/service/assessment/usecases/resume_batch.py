"""Resume a batch: a new execution for one that failed by a fault around it or lost its own."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.errors import IllegalTransitionError
from assessment.ports.groups import ResumePorts


def resume_batch(batch_id: str, *, ports: ResumePorts, now: datetime) -> Batch:
    """The batch, which continues with the step that failed; one that runs is not changed.

    Every step returns what it stored before, so the new execution passes through what was done
    and pays for nothing twice.

    Raises
    ------
    UnknownBatchError
    IllegalTransitionError
        If the batch has completed, was cancelled, or failed for a reason that a repeat does not
        change: a decision about its verdicts, or a refusal of its request.
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.status is BatchStatus.FAILED:
        batch = ports.batches.resume(batch_id, now=now)
    if batch.is_final:
        raise IllegalTransitionError(f"status: a batch that is {batch.status} cannot be resumed")
    return restart_execution(batch, ports=ports)


def restart_execution(batch: Batch, *, ports: ResumePorts) -> Batch:
    """Start the batch's execution, under a further name if one of its name has ended.

    A further execution instead of a redrive: a failed execution ended in a Fail state, and a
    redrive enters just that state again.
    """
    if not ports.workflow.start(batch.batch_id, name=batch.execution_name):
        batch = ports.batches.renew_execution(batch)
        if not batch.is_final:
            ports.workflow.start(batch.batch_id, name=batch.execution_name)
    return batch
