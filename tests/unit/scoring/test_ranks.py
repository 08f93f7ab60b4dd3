"""Ranks and orders against scipy, an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from scoring.ranks import (
    competition_ranks,
    count_misordered,
    kendall_tau_b,
    spearman,
    spearman_interval,
)

VALUES = st.lists(st.integers(-3, 3), min_size=2, max_size=20)


@given(VALUES)
def test_ranks_are_standard_competition_ranks(values: list[int]) -> None:
    ability = np.array(values) / 7.0
    assert (
        competition_ranks(ability).tolist() == scipy.stats.rankdata(-ability, method="min").tolist()
    )


def test_abilities_that_differ_by_rounding_share_a_rank() -> None:
    assert competition_ranks(np.array([0.3, 0.1 + 0.2, -1.0])).tolist() == [1, 1, 3]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), min_size=2, max_size=20))
def test_tau_b_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    ability, grade = (np.array(column) for column in zip(*pairs, strict=True))
    ours = kendall_tau_b(ability.astype(float), grade)
    if np.ptp(ability) == 0 or np.ptp(grade) == 0:
        assert ours is None
    else:
        assert ours == pytest.approx(scipy.stats.kendalltau(ability, grade).statistic)


def test_misordered_anchors_are_counted_on_both_sides() -> None:
    # The best of the lowest grade lies above both others; equal grades are in no order.
    ability, grade = np.array([2.0, 0.0, 1.0, -1.0]), np.array([0, 1, 1, 0])
    assert count_misordered(ability, grade).tolist() == [2, 1, 1, 0]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), min_size=2, max_size=20))
def test_spearman_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, two = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    ours = spearman(one / 7.0, two)
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        assert ours is None
    else:
        assert ours == pytest.approx(scipy.stats.spearmanr(one, two).statistic)


def test_the_interval_of_spearman_covers_what_it_says() -> None:
    """Normal pairs with a rank correlation of 6/pi asin(r/2), 30 a sample, 1,000 samples."""
    rng = np.random.default_rng(3)
    true = 6 / np.pi * np.arcsin(0.6 / 2)
    held = 0
    for _ in range(1000):
        one, other = rng.normal(size=(2, 30))
        two = 0.6 * one + 0.8 * other
        low, high = spearman_interval(spearman(one, two), 30) or (1.0, -1.0)
        held += low <= true <= high
    assert held / 1000 == pytest.approx(0.95, abs=0.02)
    assert spearman_interval(0.5, 4) is None
    assert spearman_interval(None, 30) is None
