"""What a batch counts towards the money of a day, wherever it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from assessment.domain.batch import Batch, BatchStatus, Outcome
from assessment.domain.config import BatchConfig
from assessment.domain.judge import JudgeSpec
from assessment.domain.quota import compute_commitment

PERSON = JudgeSpec.model_validate({"provider": "person"})
SURFACE = JudgeSpec.model_validate({"provider": "surface"})
MODEL = JudgeSpec.model_validate({"provider": "openai", "model": "gpt-4.1-mini"})


def make_batch(*, cap: float | None = 5.0, **changes: Any) -> Batch:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    standing = {"status": BatchStatus.WAITING_CALLBACKS, "wave": 1, "cost_usd": 2.0, **changes}
    return Batch(
        batch_id="b", correlation_id="c", config=BatchConfig(max_cost_usd=cap), config_sources={},
        seed=1, request_sha256="", created_at=now, updated_at=now, **standing,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "dollars"),
    [
        (make_batch(status=BatchStatus.INITIALIZING, wave=0, cost_usd=0.0), 5.0),
        (make_batch(), 5.0),
        (make_batch(cost_usd=5.5), 5.5),
        (make_batch(cap=None), 2.0),
        (make_batch(judges=(PERSON, MODEL)), 5.0),
        (make_batch(judges=(PERSON, SURFACE)), 0.0),
        (make_batch(status=BatchStatus.COMPLETED), 2.0),
        (make_batch(status=BatchStatus.FAILED, outcome=Outcome.FAILED_BY_DECISION), 2.0),
        (make_batch(status=BatchStatus.FAILED, outcome=Outcome.FAILED_CRITICALLY), 5.0),
        (make_batch(status=BatchStatus.CANCELLED), 5.0),
        (make_batch(status=BatchStatus.CANCELLED, wave=0, cost_usd=0.0), 0.0),
    ],
    ids=[
        "requested", "running", "past its cap", "without a cap", "a model beside people",
        "nobody is paid", "completed", "failed by a decision", "failed by a fault", "cancelled",
        "cancelled before it asked",
    ],
)  # fmt: skip
def test_a_batch_counts_what_it_may_still_cost_until_all_its_answers_are_counted(
    batch: Batch, dollars: float
) -> None:
    assert compute_commitment(batch) == dollars
