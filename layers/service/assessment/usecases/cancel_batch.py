"""Cancel a batch: no new waves, what is recorded is kept."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import Batch, BatchStatus, Outcome
from assessment.domain.decision import DecisionKind
from assessment.domain.errors import IllegalTransitionError
from assessment.ports.groups import CancelPorts
from assessment.usecases.keep_comparisons import keep_all_comparisons


def cancel_batch(batch_id: str, *, ports: CancelPorts, now: datetime) -> Batch:
    """The cancelled batch; cancelling it again changes nothing.

    What is recorded so far is written where it can be read.

    Raises
    ------
    UnknownBatchError
    IllegalTransitionError
        If the batch has completed or failed already, or its result is being published.
    """
    current = ports.batches.get_batch(batch_id)
    if _is_being_finalised(current):
        raise IllegalTransitionError("the batch is being finalised; read its result")
    batch = ports.batches.transition(
        batch_id, BatchStatus.CANCELLED, now=now, outcome=Outcome.CANCELLED
    )
    ports.workflow.stop(batch.execution_name, cause="cancelled by request")
    keep_all_comparisons(batch, comparisons=ports.comparisons, content=ports.content)
    return batch


def _is_being_finalised(batch: Batch) -> bool:
    return (
        batch.status is BatchStatus.SCORING
        and batch.decision is not None
        and batch.decision.decision is DecisionKind.FINALIZE_SCORING
    )
