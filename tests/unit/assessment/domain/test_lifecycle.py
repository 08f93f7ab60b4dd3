"""The lifecycle of a batch: every pair of statuses is either in the table or refused."""

from __future__ import annotations

from itertools import product

import pytest

from assessment.domain.batch import (
    FINAL_STATUSES,
    BatchStatus,
    budget,
    check_transition,
    completion_denominator,
    compute_wave_size,
    possible_pairs,
    sources_of,
)
from assessment.domain.config import BatchConfig
from assessment.domain.errors import IllegalTransitionError

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
    assert current in sources_of(target)


@pytest.mark.parametrize(
    ("current", "target"), [pair for pair in product(S, S) if pair not in LEGAL]
)
def test_illegal_step_is_refused_by_name(current: BatchStatus, target: BatchStatus) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{current} cannot become {target}"):
        check_transition(current, target)
    assert current not in sources_of(target)


def test_nothing_leads_out_of_a_final_status() -> None:
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
