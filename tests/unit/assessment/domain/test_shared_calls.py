"""Comparisons of a wave in calls that share essays."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.shared_calls import count_texts, group_comparisons

ESSAYS = st.integers(0, 12).map(lambda n: f"e{n:02d}")
PAIRS = st.lists(st.tuples(ESSAYS, ESSAYS).filter(lambda pair: pair[0] != pair[1]), max_size=40)


@given(PAIRS, st.integers(1, 10))
def test_every_comparison_is_in_one_call_and_no_call_is_too_large(pairs, most):
    calls = group_comparisons(pairs, most=most)
    assert sorted(position for call in calls for position in call) == list(range(len(pairs)))
    assert all(1 <= len(call) <= most for call in calls)
    assert calls == group_comparisons(pairs, most=most)


@given(PAIRS)
def test_no_call_prints_more_texts_than_pairs_by_themselves(pairs):
    calls = group_comparisons(pairs, most=10)
    assert count_texts(pairs, calls) <= 2 * len(pairs)


@pytest.mark.parametrize(("size", "most"), [(5, 10), (4, 6)])
def test_essays_that_all_meet_are_one_call(size, most):
    groups = [[f"{group}{n}" for n in range(size)] for group in "abc"]
    pairs = [
        pair for group in zip(*(combinations(g, 2) for g in groups), strict=True) for pair in group
    ]
    calls = group_comparisons(pairs, most=most)
    assert len(calls) == 3
    assert count_texts(pairs, calls) == 3 * size


def test_pairs_without_a_common_essay_fill_calls_all_the_same():
    pairs = [(f"a{n}", f"b{n}") for n in range(25)]
    assert sorted(map(len, group_comparisons(pairs, most=10))) == [5, 10, 10]
