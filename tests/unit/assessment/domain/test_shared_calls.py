"""Comparisons of a wave in calls that share essays."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.provider_batch import choose_call_size, deal_calls, split_submission
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


SIZES = st.lists(st.integers(1, 10), min_size=1, max_size=60).map(lambda ns: sorted(ns)[::-1])


@given(SIZES, st.integers(10, 60), st.integers(1, 20))
def test_every_call_is_in_one_submission_that_is_neither_too_large_nor_too_small(
    sizes, most, least
):
    calls = [[(n, k) for k in range(size)] for n, size in enumerate(sizes)]
    parts = deal_calls(calls, most, least=least)
    assert sorted(call[0] for part in parts for call in part) == [(n, 0) for n in range(len(calls))]
    if len(parts) > 1:
        assert all(len(part) >= least for part in parts)
    if any(sum(map(len, part)) > most for part in parts):
        assert len(parts) + 1 > len(calls) // least


@given(st.integers(1, 600), st.integers(1, 500), st.integers(1, 10), st.sampled_from([1, 100]))
def test_no_request_has_so_many_comparisons_that_too_few_requests_are_left(n, most, bundle, least):
    size = choose_call_size(n, most, bundle=bundle, least=least)
    assert 1 <= size <= bundle
    n_parts = len(split_submission(range(n), most, least=least))
    assert -(-n // size) >= min(n, n_parts * least)
    if least == 1 and n >= bundle * n_parts:
        assert size == bundle
