"""Batches and comparisons to store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure
from assessment.domain.config import BatchConfig
from assessment.domain.verdict import Degree, Verdict, Winner
from assessment.ports.stores import AssignmentStore, BatchStore, ComparisonStore

Stores = tuple[AssignmentStore, BatchStore, ComparisonStore]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
S = ComparisonStatus
VERDICT = Verdict(winner=Winner.FIRST, degree=Degree.CLEAR, judge="j", cost_usd=0.1 + 0.2)
FAILURE = JudgeFailure(code="x", message="y")


def batch(batch_id: str = "b", status: BatchStatus = BatchStatus.INITIALIZING) -> Batch:
    return Batch(
        batch_id=batch_id,
        status=status,
        correlation_id="c",
        config=BatchConfig(target_mean_se=0.1 + 0.2, max_cost_usd=1e-7),
        config_sources={},
        seed=2**32 - 1,
        request_sha256="r",
        created_at=NOW,
        updated_at=NOW,
    )


def comparison(at: int = 0, wave: int = 1, **fields: Any) -> Comparison:
    return Comparison(
        comparison_id=f"w{wave:03d}-{at:05d}",
        wave=wave,
        submitted_wave=wave,
        first="a",
        second="b",
        predicted=0.1 + 0.7,
        **fields,
    )


def make_request(found: Comparison, **changes: Any) -> JudgeRequestV1:
    return JudgeRequestV1(
        **{"batch_id": "b", "wave": found.wave, "comparison_id": found.comparison_id,
           "attempt": found.attempt, **changes}
    )  # fmt: skip
