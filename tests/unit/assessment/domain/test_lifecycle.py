"""The lifecycle of a batch: every pair of statuses is either in the table or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from assessment.domain.batch import (
    FINAL_STATUSES,
    Batch,
    BatchStatus,
    Failure,
    Outcome,
    budget,
    check_transition,
    completion_denominator,
    compute_wave_size,
    find_resumed_status,
    list_sources,
    possible_pairs,
)
from assessment.domain.config import BatchConfig
from assessment.domain.errors import STEP_REFUSALS, IllegalTransitionError

S = BatchStatus
# Written out by hand: the table of the code must not be its own proof.
LEGAL = {
    (S.INITIALIZING, S.GENERATING_PAIRS),
    (S.INITIALIZING, S.FAILED),
    (S.INITIALIZING, S.CANCELLED),
    (S.GENERATING_PAIRS, S.WAITING_CALLBACKS),
    (S.GENERATING_PAIRS, S.SCORING),
    (S.GENERATING_PAIRS, S.FAILED),
    (S.GENERATING_PAIRS, S.CANCELLED),
    (S.WAITING_CALLBACKS, S.SCORING),
    (S.WAITING_CALLBACKS, S.FAILED),
    (S.WAITING_CALLBACKS, S.CANCELLED),
    (S.SCORING, S.GENERATING_PAIRS),
    (S.SCORING, S.COMPLETED),
    (S.SCORING, S.FAILED),
    (S.SCORING, S.CANCELLED),
}


@pytest.mark.parametrize(("current", "target"), sorted(LEGAL))
def test_legal_step_is_allowed(current: BatchStatus, target: BatchStatus) -> None:
    check_transition(current, target)
    assert current in list_sources(target)


@pytest.mark.parametrize(
    ("current", "target"), [pair for pair in product(S, S) if pair not in LEGAL]
)
def test_illegal_step_is_refused_by_name(current: BatchStatus, target: BatchStatus) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{current} cannot become {target}"):
        check_transition(current, target)
    assert current not in list_sources(target)


def make_failed_batch(**fields: Any) -> Batch:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    failure = Failure(code="Lambda.Unknown", message="m", remedy="r")
    known: dict[str, Any] = {
        "batch_id": "b", "status": S.FAILED, "correlation_id": "c", "config": BatchConfig(),
        "config_sources": {}, "seed": 1, "request_sha256": "r", "failed_from": S.SCORING,
        "outcome": Outcome.FAILED_CRITICALLY, "failure": failure, "created_at": now,
        "updated_at": now,
    }  # fmt: skip
    return Batch(**known | fields)


@pytest.mark.parametrize("status", sorted(set(S) - FINAL_STATUSES))
def test_a_batch_that_its_surroundings_brought_down_goes_back_to_where_it_stood(
    status: BatchStatus,
) -> None:
    assert find_resumed_status(make_failed_batch(failed_from=status)) is status


@pytest.mark.parametrize("status", sorted(set(S) - {S.FAILED}))
def test_only_a_failed_batch_is_resumed(status: BatchStatus) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{status} cannot be resumed"):
        find_resumed_status(make_failed_batch(status=status))


@pytest.mark.parametrize("code", sorted(STEP_REFUSALS | {"stalled"}))
def test_a_refusal_is_not_resumed_but_what_can_be_mended_is(code: str) -> None:
    batch = make_failed_batch(failure=Failure(code=code, message="m", remedy="r"))
    if code in ("stalled", "MissingDocumentError"):
        assert find_resumed_status(batch) is S.SCORING
    else:
        with pytest.raises(IllegalTransitionError, match=code):
            find_resumed_status(batch)


def test_a_decision_about_the_verdicts_is_not_resumed() -> None:
    with pytest.raises(IllegalTransitionError, match="a repeat does not change"):
        find_resumed_status(make_failed_batch(outcome=Outcome.FAILED_BY_DECISION))


def test_executions_are_named_by_their_number() -> None:
    assert make_failed_batch().execution_name == "b"
    assert make_failed_batch(n_executions=3).execution_name == "b-3"


def test_nothing_else_leads_out_of_a_final_status() -> None:
    assert {S.COMPLETED, S.FAILED, S.CANCELLED} == FINAL_STATUSES
    assert not any(current in FINAL_STATUSES for current, _ in LEGAL)


@pytest.mark.parametrize(
    ("n", "most", "per_essay", "expected_budget", "expected_denominator"),
    [
        (40, 1000, 20, 400, 400),
        (40, 300, 20, 300, 300),
        (10, 1000, 20, 100, 45),
        (5, 1000, 20, 50, 10),
        (2, 1000, 20, 20, 1),
        (3, 1000, 5, 7, 3),
    ],
)
def test_budget_is_the_smaller_cap(
    n: int, most: int, per_essay: int, expected_budget: int, expected_denominator: int
) -> None:
    config = BatchConfig(
        max_pairwise_comparisons=most,
        max_comparisons_per_essay=per_essay,
        min_comparisons_per_essay=1,
    )
    assert budget(config, n) == expected_budget
    assert completion_denominator(config, n) == expected_denominator


@pytest.mark.parametrize(("n", "pairs"), [(2, 1), (3, 3), (5, 10), (32, 496)])
def test_possible_pairs(n: int, pairs: int) -> None:
    assert possible_pairs(n) == pairs


@pytest.mark.parametrize(("n", "per_wave", "size"), [(10, 4, 20), (5, 1, 2), (2, 1, 1), (3, 1, 1)])
def test_wave_size(n: int, per_wave: int, size: int) -> None:
    assert compute_wave_size(BatchConfig(comparisons_per_essay_per_wave=per_wave), n) == size
