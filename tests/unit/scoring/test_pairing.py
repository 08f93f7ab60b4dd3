"""The planner keeps its promises for every number of essays, wave after wave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import PairingError, ScoringError
from scoring.pairing import WavePlan, plan_wave
from tests.examples import scale_examples


def standing_fit(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return abilities and a covariance as a fit might give them."""
    root = rng.normal(size=(n, n))
    return {"ability": rng.normal(0, 2, n), "covariance": root @ root.T / n + 0.2 * np.eye(n)}


def play(n: int, waves: int, *, seed: int = 0, first_waves: int = 1, **options: Any) -> WavePlan:
    """Plan several waves, the first ones without abilities, and return all pairs as one plan."""
    rng = np.random.default_rng(seed)
    plans: list[WavePlan] = []
    for wave in range(waves):
        past = join(plans)
        fit: dict[str, Any] = dict(standing_fit(n, rng)) if wave >= first_waves else {}
        plans.append(plan_wave(n, rng=rng, first=past.first, second=past.second, **fit, **options))
    return join(plans)


def join(plans: list[WavePlan]) -> WavePlan:
    """Concatenate plans."""
    if not plans:
        return WavePlan(np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool))
    return WavePlan(
        np.concatenate([p.first for p in plans]),
        np.concatenate([p.second for p in plans]),
        np.concatenate([p.audit for p in plans]),
    )


def counts(n: int, plan: WavePlan) -> np.ndarray:
    """Return the comparisons of every essay."""
    return np.bincount(np.concatenate([plan.first, plan.second]), minlength=n)


def list_unordered(plan: WavePlan) -> set[tuple[int, int]]:
    """Return the pairs without their order."""
    return {(min(p), max(p)) for p in zip(plan.first.tolist(), plan.second.tolist(), strict=True)}


def count_reached(n: int, plan: WavePlan) -> int:
    """Count the essays that a chain of comparisons links to essay 0."""
    linked = np.eye(n, dtype=bool)
    linked[plan.first, plan.second] = linked[plan.second, plan.first] = True
    seen = linked[0]
    while (wider := linked[seen].any(axis=0)).sum() > seen.sum():
        seen = wider
    return int(seen.sum())


STRATEGIES = ["adaptive", "nearest", "d_optimal", "random"]


@settings(max_examples=scale_examples(60))
@given(
    n=st.integers(2, 45),
    rounds=st.integers(1, 5),
    waves=st.integers(1, 5),
    strategy=st.sampled_from(STRATEGIES),
    seed=st.integers(0, 10**6),
)
def test_no_pair_twice_and_counts_within_one(
    n: int, rounds: int, waves: int, strategy: str, seed: int
) -> None:
    plan = play(n, waves, seed=seed, rounds=rounds, strategy=strategy)
    assert len(list_unordered(plan)) == len(plan)
    assert np.ptp(counts(n, plan)) <= 1


@settings(max_examples=scale_examples(40))
@given(n=st.integers(2, 60), seed=st.integers(0, 10**6), first_waves=st.integers(1, 2))
def test_two_waves_of_one_round_connect_all_essays(n: int, seed: int, first_waves: int) -> None:
    plan = play(n, 2, seed=seed, rounds=1, first_waves=first_waves)
    assert count_reached(n, plan) == n


@settings(max_examples=scale_examples(40))
@given(n=st.integers(2, 60), seed=st.integers(0, 10**6), rounds=st.integers(2, 4))
def test_one_wave_of_two_rounds_connects_all_essays(n: int, seed: int, rounds: int) -> None:
    plan = play(n, 1, seed=seed, rounds=rounds)
    assert count_reached(n, plan) == n


@settings(max_examples=scale_examples(30))
@given(n=st.integers(6, 45), seed=st.integers(0, 10**6))
def test_every_essay_is_shown_first_about_as_often_as_second(n: int, seed: int) -> None:
    plan = play(n, 4, seed=seed, rounds=2)
    lead = np.bincount(plan.first, minlength=n) - np.bincount(plan.second, minlength=n)
    assert np.abs(lead).max() <= 2


def test_shown_order_follows_neither_number_nor_ability() -> None:
    ability = np.linspace(-3, 3, 200)
    covariance = 0.3 * np.eye(200)
    rng = np.random.default_rng(3)
    plan = plan_wave(200, rng=rng, ability=ability, covariance=covariance, rounds=10)
    # 1000 fair coins: four standard deviations are 63.
    assert abs((plan.first > plan.second).sum() - 500) < 63


def test_a_whole_wave_has_rounds_times_half_the_essays() -> None:
    for n in (7, 8, 41, 112):
        assert len(play(n, 1, rounds=4)) == 4 * n // 2


def test_size_caps_the_wave_and_serves_the_least_compared_first() -> None:
    rng = np.random.default_rng(0)
    start = plan_wave(20, rng=rng, rounds=1, size=4)
    assert len(start) == 4
    after = plan_wave(20, rng=rng, first=start.first, second=start.second, size=6)
    assert (counts(20, join([start, after])) == 1).all()


def test_the_essay_that_sat_out_is_compared_next() -> None:
    start = play(9, 1, rounds=1)
    out = int(np.flatnonzero(counts(9, start) == 0)[0])
    after = plan_wave(
        9, rng=np.random.default_rng(1), rounds=1, first=start.first, second=start.second
    )
    assert out in {*after.first.tolist(), *after.second.tolist()}


def test_same_seed_same_plan_and_other_seed_other_plan() -> None:
    one, two, other = (play(30, 4, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.first, two.first)
    assert np.array_equal(one.second, two.second)
    assert not np.array_equal(one.first, other.first)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "optimal_matching"])
def test_every_strategy_is_deterministic(strategy: str) -> None:
    one, two = (play(15, 3, seed=9, strategy=strategy) for _ in range(2))
    assert np.array_equal(np.stack([one.first, one.second]), np.stack([two.first, two.second]))


def test_a_larger_set_is_judged_to_its_last_pair() -> None:
    plan = play(67, 6, rounds=12)
    assert len(plan) == len(list_unordered(plan)) == 67 * 66 // 2


def test_a_quarter_of_every_wave_is_audit_once_abilities_are_known() -> None:
    assert not play(40, 1).audit.any()
    assert play(40, 2).audit[80:].sum() == 20
    assert play(40, 2, audit_share=0.0).audit.sum() == 0
    assert play(40, 2, strategy="random").audit[80:].all()


def test_audit_pairs_do_not_depend_on_the_abilities() -> None:
    plans = [
        plan_wave(
            40,
            rng=np.random.default_rng(8),
            ability=np.random.default_rng(seed).normal(size=40),
            covariance=np.eye(40),
        )
        for seed in (1, 2)
    ]
    one, two = (
        {frozenset(p) for p in np.stack([w.first, w.second], 1)[w.audit].tolist()} for w in plans
    )
    assert one == two


def test_adaptive_pairs_are_closer_than_audit_pairs() -> None:
    rng = np.random.default_rng(2)
    fit: dict[str, Any] = dict(standing_fit(80, rng))
    fit["covariance"] = 0.4 * np.eye(80)
    plan = plan_wave(80, rng=rng, **fit)
    gap = np.abs(fit["ability"][plan.first] - fit["ability"][plan.second])
    assert gap[~plan.audit].mean() < 0.5 * gap[plan.audit].mean()


def test_nothing_left_gives_an_empty_plan() -> None:
    plan = play(5, 6)
    assert len(plan) == 10
    rng = np.random.default_rng(0)
    assert len(plan_wave(5, rng=rng, first=plan.first, second=plan.second)) == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n_essays": 1}, "n_essays"),
        ({"rounds": 0}, "rounds"),
        ({"size": -1}, "size"),
        ({"audit_share": 1.5}, "audit_share"),
        ({"strategy": "best"}, "strategy"),
        ({"first": [0, 1], "second": [1]}, "first"),
        ({"first": [0, 9], "second": [1, 2]}, "first row 1"),
        ({"first": [0, 2], "second": [1, 2]}, "row 1"),
        ({"first": [0.5], "second": [1]}, "first"),
        ({"ability": [1.0, 2.0]}, "ability"),
        ({"ability": [1.0, np.nan, 0, 0, 0, 0]}, "ability"),
        ({"covariance": np.eye(6)}, "covariance"),
        ({"ability": np.zeros(6), "strategy": "d_optimal"}, "covariance"),
        ({"strategy": "anchor_first"}, "anchors"),
        ({"strategy": "anchor_first", "anchors": [0, 0], "anchor_grade": [1, 2]}, "anchors"),
        ({"strategy": "anchor_first", "anchors": [0, 1], "anchor_grade": [1]}, "anchor_grade"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], named: str) -> None:
    arguments = {"n_essays": 6, **options}
    n = arguments.pop("n_essays")
    with pytest.raises(PairingError, match=named) as raised:
        plan_wave(n, rng=np.random.default_rng(0), **arguments)
    assert isinstance(raised.value, ScoringError)
