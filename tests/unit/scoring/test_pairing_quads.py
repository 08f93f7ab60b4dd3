"""Waves whose pairs share essays keep what every wave promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessment.domain.shared_calls import group_comparisons
from scoring._graph import components
from scoring.pairing import WavePlan, plan_wave
from tests.fakes.calls import count_texts


def share_essays(plan: WavePlan) -> float:
    """Texts printed for a comparison, in calls of ten that share them."""
    pairs = [(str(a), str(b)) for a, b in zip(plan.first, plan.second, strict=True)]
    return count_texts(pairs, group_comparisons(pairs, most=10)) / len(pairs)


def plan_waves(n: int, n_waves: int, *, seed: int, shares_essays: bool = True) -> list[WavePlan]:
    """Waves of a set whose abilities are known from the second wave on."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 2, n)
    first = second = np.zeros(0, dtype=np.int64)
    plans = []
    for wave in range(n_waves):
        plan = plan_wave(
            n,
            rng=rng,
            first=first,
            second=second,
            ability=ability if wave else None,
            covariance=np.eye(n) + 0.5 if wave else None,
            shares_essays=shares_essays,
        )
        first = np.concatenate([first, plan.first])
        second = np.concatenate([second, plan.second])
        plans.append(plan)
    return plans


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 45), st.integers(0, 1000))
def test_waves_are_even_new_and_connected(n: int, seed: int) -> None:
    plans = plan_waves(n, 2, seed=seed)
    first = np.concatenate([plan.first for plan in plans])
    second = np.concatenate([plan.second for plan in plans])
    met = {tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert len(met) == len(first), "no pair twice"
    counts = np.bincount(np.concatenate([first, second]), minlength=n)
    lead = np.bincount(first, minlength=n) - np.bincount(second, minlength=n)
    assert not components(n, plans[0].first, plans[0].second).any()
    if n > 2 * 8 + 4:
        # Below, two waves exhaust partners, and a wave may be shorter.
        assert counts.max() - counts.min() <= 1
        assert len(plans[1]) == 2 * n
    assert np.abs(lead).max() <= 3


@pytest.mark.parametrize(("n", "most"), [(30, 0.85), (100, 0.86)])
def test_calls_of_ten_print_fewer_texts_where_pairs_share_essays(n: int, most: float) -> None:
    shared = [share_essays(plan) for plan in plan_waves(n, 3, seed=5)]
    plain = [share_essays(plan) for plan in plan_waves(n, 3, seed=5, shares_essays=False)]
    assert max(shared) < most
    assert np.mean(shared) < np.mean(plain)


def test_audit_pairs_are_chosen_as_ever() -> None:
    rng = [np.random.default_rng(3) for _ in range(2)]
    ability = np.random.default_rng(4).normal(0, 2, 30)
    plans = [
        plan_wave(30, rng=one, ability=ability, covariance=np.eye(30), shares_essays=shares)
        for one, shares in zip(rng, (False, True), strict=True)
    ]
    audited = [
        {tuple(sorted(pair)) for pair in zip(p.first[p.audit], p.second[p.audit], strict=True)}
        for p in plans
    ]
    assert audited[0] == audited[1]


def test_very_few_essays_are_not_divided() -> None:
    plans = [
        plan_wave(7, rng=np.random.default_rng(1), shares_essays=shares) for shares in (False, True)
    ]
    assert np.array_equal(plans[0].first, plans[1].first)
