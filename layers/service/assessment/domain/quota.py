"""What counts towards the money that an organisation may spend in a day."""

from __future__ import annotations

from assessment.domain.batch import Batch, BatchStatus, Outcome
from assessment.domain.judge import Provider


def may_cost(batch: Batch) -> bool:
    """Whether one of its judges is paid: a model, or an endpoint, which says what it costs."""
    return any(
        judge.is_model or judge.provider is Provider.CALLBACK_ENDPOINT for judge in batch.judges
    )


def compute_commitment(batch: Batch) -> float:
    """US dollars that the batch may cost; what it cost where all its answers are counted.

    A batch that was broken off may have had calls under way, so it counts as if it went on; one
    that asked nothing yet counts nothing.
    """
    if not may_cost(batch) or (batch.is_final and batch.wave == 0):
        return 0.0
    if batch.status is BatchStatus.COMPLETED or batch.outcome is Outcome.FAILED_BY_DECISION:
        return batch.cost_usd
    return max(batch.cost_usd, batch.config.max_cost_usd or 0.0)
