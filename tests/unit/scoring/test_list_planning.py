"""Lists are of new partners, read all essays evenly, and show each at all places."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring._graph import components
from scoring.errors import PairingError
from scoring.list_planning import ListPlan, plan_lists
from tests.examples import scale_examples


def sizes_of_wave(n: int, size: int, *, share: float = 0.0) -> list[int]:
    """Return comparisons that read n essays once, a share of the readings in pairs."""
    n_pairs = int(share * n / 2)
    return [size] * -(-(n - 2 * n_pairs) // min(size, n)) + [2] * n_pairs


def standing_fit(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return abilities as a fit might give them."""
    return {"ability": rng.normal(0, 2, n)}


def play(
    n: int, size: int, waves: int, *, seed: int = 0, share: float = 0.0, **options: Any
) -> list[ListPlan]:
    """Plan several waves, the first without abilities."""
    rng = np.random.default_rng(seed)
    plans: list[ListPlan] = []
    for wave in range(waves):
        fit: dict[str, Any] = dict(standing_fit(n, rng)) if wave else {}
        earlier = [essays for plan in plans for essays in plan.lists]
        plans.append(
            plan_lists(
                n,
                sizes=sizes_of_wave(n, size, share=share),
                rng=rng,
                earlier=earlier,
                **fit,
                **options,
            )
        )
    return plans


def all_lists(plans: list[ListPlan]) -> list[list[int]]:
    """Return the essays of every comparison, in shown order."""
    return [essays.tolist() for plan in plans for essays in plan.lists]


def meetings(lists: list[list[int]]) -> Counter[tuple[int, int]]:
    """Count how often each two essays stood in a comparison together."""
    return Counter(pair for essays in lists for pair in combinations(sorted(essays), 2))


def readings(n: int, lists: list[list[int]]) -> np.ndarray:
    """Return how often each essay is read."""
    return np.bincount(np.concatenate(lists), minlength=n)


def count_components(n: int, lists: list[list[int]]) -> int:
    """Count the parts into which the essays fall."""
    pairs = np.array(list(meetings(lists)))
    return int(components(n, pairs[:, 0], pairs[:, 1]).max()) + 1


@settings(max_examples=scale_examples(25))
@given(st.integers(2, 40), st.integers(3, 10), st.integers(1, 3), st.integers(0, 2**20))
def test_essays_are_read_equally_often_and_twice_in_no_list(
    n: int, size: int, waves: int, seed: int
) -> None:
    plans = play(n, size, waves, seed=seed, share=0.2)
    lists = all_lists(plans)
    assert all(len(set(essays)) == len(essays) for essays in lists)
    wanted = [min(k, n) for _ in plans for k in sizes_of_wave(n, size, share=0.2)]
    if [len(essays) for essays in lists] == wanted:
        assert np.ptp(readings(n, lists)) <= 1


@settings(max_examples=scale_examples(8))
@given(st.integers(3, 6), st.integers(0, 2**20), st.integers(0, 30))
def test_no_two_essays_meet_twice_while_partners_abound(size: int, seed: int, more: int) -> None:
    n = 4 * size**2 + more
    lists = all_lists(play(n, size, 4, seed=seed, share=0.1))
    assert max(meetings(lists).values()) == 1


@settings(max_examples=scale_examples(25))
@given(st.integers(3, 60), st.integers(3, 10), st.integers(0, 2**20))
def test_two_waves_connect_all_essays(n: int, size: int, seed: int) -> None:
    assert count_components(n, all_lists(play(n, size, 2, seed=seed))) == 1


@settings(max_examples=scale_examples(8))
@given(st.integers(10, 60), st.integers(3, 10), st.integers(0, 2**20))
def test_essays_go_through_all_places_evenly(n: int, size: int, seed: int) -> None:
    size = min(size, n)
    lists = [essays for essays in all_lists(play(n, size, 4, seed=seed)) if len(essays) == size]
    shown = np.zeros((n, size), dtype=int)
    np.add.at(shown, (np.array(lists), np.arange(size)), 1)
    fewest = -(-shown.sum(axis=1) // size)
    assert (shown.max(axis=1) <= fewest + 1).all()
    assert (shown.max(axis=1) > fewest).mean() <= 0.35


@settings(max_examples=scale_examples(5))
@given(st.integers(2, 7), st.integers(3, 5), st.integers(0, 2**20))
def test_a_small_class_meets_wholly_and_then_nothing_is_left(n: int, size: int, seed: int) -> None:
    plans = play(n, size, 3 * n + 3, seed=seed)
    assert len(plans[-1]) == 0
    assert set(meetings(all_lists(plans))) == set(combinations(range(n), 2))


@settings(max_examples=scale_examples(8))
@given(st.integers(6, 30), st.integers(3, 5), st.integers(0, 2**20))
def test_at_least_half_of_what_a_list_tells_is_new(n: int, size: int, seed: int) -> None:
    met: set[tuple[int, int]] = set()
    for essays in all_lists(play(n, size, 8, seed=seed)):
        pairs = set(combinations(sorted(essays), 2))
        assert len(pairs & met) <= len(pairs) / 2
        met |= pairs


def test_the_comparisons_come_in_the_order_of_the_sizes() -> None:
    plan = plan_lists(60, sizes=[5, 2, 10, 2, 5], rng=np.random.default_rng(1))
    assert [len(essays) for essays in plan.lists] == [5, 2, 10, 2, 5]
    assert plan.n_readings == 24


def test_lists_are_of_neighbours_but_for_the_audit_share() -> None:
    rng = np.random.default_rng(3)
    first = plan_lists(100, sizes=[5] * 40, rng=rng)
    ability = rng.normal(0, 2, 100)
    plan = plan_lists(
        100,
        sizes=[5] * 36 + [2] * 10,
        rng=rng,
        earlier=first.lists,
        ability=ability,
    )
    assert not any(first.audit)
    read_at_random = sum(len(e) for e, audit in zip(plan.lists, plan.audit, strict=True) if audit)
    assert read_at_random == pytest.approx(0.25 * plan.n_readings, abs=5)
    assert all(audit for e, audit in zip(plan.lists, plan.audit, strict=True) if len(e) == 2)
    width = {
        kind: np.mean(
            [
                np.ptp(ability[e])
                for e, audit in zip(plan.lists, plan.audit, strict=True)
                if audit is kind and len(e) == 5
            ]
        )
        for kind in (True, False)
    }
    assert width[False] < 0.6 * width[True]


def test_without_an_audit_all_lists_are_of_the_nearest_essays() -> None:
    rng = np.random.default_rng(4)
    first = plan_lists(50, sizes=[5] * 20, rng=rng)
    ability = np.arange(50.0)
    plan = plan_lists(
        50, sizes=[5] * 10, rng=rng, earlier=first.lists, ability=ability, audit_share=0.0
    )
    assert not any(plan.audit)
    assert np.mean([np.ptp(ability[essays]) for essays in plan.lists]) < 20


def test_long_lists_stay_of_neighbours_who_may_meet_again() -> None:
    ability, rng = np.linspace(-4.0, 4.0, 100), np.random.default_rng(4)
    lists: list[np.ndarray] = []
    for _ in range(5):
        plan = plan_lists(
            100, sizes=[10] * 10, rng=rng, earlier=lists, ability=ability, audit_share=0.0
        )
        lists += plan.lists
    # The first two waves connect all essays; random lists of these have a range of 6.6 logits.
    near = [float(np.ptp(ability[essays])) for essays in lists[20:]]
    assert np.mean(near) < 4.5
    repeats = sum(times - 1 for times in meetings([row.tolist() for row in lists]).values())
    assert repeats < 0.15 * 50 * 45


def test_abilities_of_parts_that_never_met_are_not_compared() -> None:
    rng = np.random.default_rng(5)
    plan = plan_lists(
        20,
        sizes=[5] * 4,
        rng=rng,
        earlier=list(np.arange(20).reshape(4, 5)),
        ability=np.arange(20.0),
        audit_share=0.0,
    )
    assert all(plan.audit)
    lists = [*np.arange(20).reshape(4, 5).tolist(), *(e.tolist() for e in plan.lists)]
    assert count_components(20, lists) == 1


@pytest.mark.parametrize("seed", range(3))
def test_anchors_stand_in_every_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchors = np.arange(90, 100)
    first = plan_lists(100, sizes=[5] * 40, rng=rng, anchors=anchors)
    per_list = [int(np.isin(essays, anchors).sum()) for essays in first.lists]
    assert max(per_list[:20]) == 1
    assert max(per_list) <= 2
    ability = np.arange(100.0)  # All anchors stand at the top.
    plan = plan_lists(
        100,
        sizes=[5] * 20,
        rng=rng,
        earlier=first.lists,
        ability=ability,
        anchors=anchors,
        audit_share=0.0,
    )
    by_ability = sorted(plan.lists, key=lambda essays: float(np.median(ability[essays])))
    regions = [np.concatenate(by_ability[start : start + 4]) for start in range(0, 20, 4)]
    assert all(np.isin(region, anchors).any() for region in regions)


def test_the_same_state_gives_the_same_plan() -> None:
    assert all_lists(play(30, 5, 3, seed=7)) == all_lists(play(30, 5, 3, seed=7))
    assert all_lists(play(30, 5, 3, seed=7)) != all_lists(play(30, 5, 3, seed=8))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n_essays": 1}, "n_essays is 1"),
        ({"sizes": [1]}, "sizes has 1"),
        ({"sizes": [2.5]}, "sizes must be"),
        ({"audit_share": 1.5}, "audit_share is 1.5"),
        ({"earlier": [[0, 0, 1]]}, "earlier[0]"),
        ({"earlier": [[0, 1], [0, 9]]}, "earlier[1]"),
        ({"ability": [0.0]}, "ability has shape"),
        ({"ability": [0.0, np.nan, 0.0, 0.0]}, "ability has values"),
        ({"anchors": [4]}, "anchors"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {"n_essays": 4, "sizes": [3], "rng": np.random.default_rng(0)}
    arguments |= options
    with pytest.raises(PairingError, match=named.replace("[", r"\[")):
        plan_lists(arguments.pop("n_essays"), **arguments)
