"""What of a wave's plan is a rule and not statistics: the retry pool and small nets."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure, retry_pool
from assessment.domain.config import BatchConfig
from assessment.domain.planning import (
    choose_repeats,
    count_resampling_passes,
    count_room,
    select_retries,
    sort_essays,
)
from assessment.domain.readings import count_readings

S = ComparisonStatus
PERMANENT = JudgeFailure(code="refused", message="no", retryable=False)
TRANSIENT = JudgeFailure(code="overloaded", message="later")


def make_comparison(at: int, first: str = "a", second: str = "b", **fields: Any) -> Comparison:
    return Comparison(
        comparison_id=f"w001-{at:05d}",
        wave=1,
        submitted_wave=1,
        first=first,
        second=second,
        **fields,
    )


@pytest.mark.parametrize(
    ("fields", "pooled"),
    [
        ({"status": S.PENDING}, False),
        ({"status": S.RECORDED}, False),
        ({"status": S.FAILED, "failure": TRANSIENT}, True),
        ({"status": S.FAILED, "failure": TRANSIENT, "attempt": 2}, True),
        ({"status": S.FAILED, "failure": TRANSIENT, "attempt": 3}, False),
        ({"status": S.FAILED, "failure": PERMANENT}, False),
        ({"status": S.TIMED_OUT, "failure": TRANSIENT}, True),
        ({"status": S.TIMED_OUT, "failure": TRANSIENT, "attempt": 3}, False),
    ],
)
def test_who_is_in_the_retry_pool(fields: dict[str, Any], *, pooled: bool) -> None:
    assert bool(retry_pool([make_comparison(0, **fields)], max_attempts=3)) is pooled


def test_pool_keeps_pairing_and_order_oldest_first() -> None:
    failed = [
        make_comparison(at, f"x{at}", "a", status=S.FAILED, failure=TRANSIENT) for at in (3, 1, 2)
    ]
    pool = retry_pool(failed, max_attempts=3)
    assert [(c.comparison_id[-1], c.first, c.second) for c in pool] == [
        ("1", "x1", "a"),
        ("2", "x2", "a"),
        ("3", "x3", "a"),
    ]


@pytest.mark.parametrize(
    ("size", "threshold", "new", "due"),
    [(19, 20, 5, 0), (20, 20, 5, 20), (1, 20, 0, 1), (0, 20, 0, 0), (25, 20, 0, 25)],
)
def test_pool_is_due_when_full_or_when_nothing_else_is_left(
    size: int, threshold: int, new: int, due: int
) -> None:
    pool = [make_comparison(at) for at in range(size)]
    assert len(select_retries(pool, threshold=threshold, n_new_pairs=new)) == due


def test_room_counts_every_planned_comparison_once() -> None:
    config = BatchConfig(max_pairwise_comparisons=5, max_comparisons_per_essay=6)
    assert count_room([make_comparison(0), make_comparison(1)], config=config, n_essays=4) == 6
    assert count_room([make_comparison(at) for at in range(7)], config=config, n_essays=4) == 0


def test_comparisons_set_aside_count_for_the_cap_of_the_batch_only() -> None:
    config = BatchConfig(max_pairwise_comparisons=10, max_comparisons_per_essay=4)
    known = [make_comparison(0), make_comparison(1)]
    assert count_room(known, config=config, n_essays=4) == 12
    assert (
        count_room(known, config=config, n_essays=4, n_readings_aside=count_readings(known)) == 12
    )
    aside = [make_comparison(at) for at in range(2, 7)]
    assert count_room(known, config=config, n_essays=4, n_readings_aside=count_readings(aside)) == 6


def complete(n: int) -> list[Comparison]:
    ids = [f"e{i:02d}" for i in range(n)]
    return [make_comparison(at, a, b) for at, (a, b) in enumerate(combinations(ids, 2))]


@given(st.integers(3, 9), st.data())
def test_resampling_reverses_serves_all_alike_and_ends(n: int, data: st.DataObject) -> None:
    known = complete(n)
    planned = Counter(sort_essays(c) for c in known)
    for _ in range(100):
        size = data.draw(st.integers(1, len(planned)))
        extra = choose_repeats(known, passes=2, n_readings=2 * size)
        if not extra:
            break
        assert len(extra) <= size
        for pair in extra:
            latest = [c for c in known if set(c.essay_ids) == set(pair.essay_ids)][-1]
            assert latest.essay_ids == pair.essay_ids[::-1]
            assert pair.resampled
        known += [make_comparison(len(known) + at, *p.essay_ids) for at, p in enumerate(extra)]
        times = Counter(sort_essays(c) for c in known)
        assert max(times.values()) - min(times.values()) <= 1
        load = Counter(essay for c in known for essay in (c.first, c.second))
        assert max(load.values()) - min(load.values()) <= 2
    assert set(Counter(sort_essays(c) for c in known).values()) == {3}
    assert count_resampling_passes(known) == 2


def test_smallest_nets_never_pass_the_cap_of_an_essay() -> None:
    # Four essays, six pairs, room for four more: two of each essay, not three of the first.
    extra = choose_repeats(complete(4), passes=2, n_readings=8)
    load = Counter(essay for pair in extra for essay in pair.essay_ids)
    assert set(load.values()) == {2}


def test_passes_are_counted_by_the_least_repeated_pair() -> None:
    assert count_resampling_passes([]) == 0
    assert count_resampling_passes(complete(4)) == 0
    assert count_resampling_passes(complete(4) * 2) == 1
    assert count_resampling_passes(complete(4) * 2 + complete(4)[:3]) == 1
