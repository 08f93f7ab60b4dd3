"""Comparisons of a wave in calls that share essays."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.comparison import Comparison
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.provider_batch import choose_call_size, deal_calls, split_submission
from assessment.domain.shared_calls import (
    divide_into_calls,
    group_comparisons,
    separate_comparisons,
)
from tests.fakes.calls import count_texts

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


LISTS = st.lists(st.lists(ESSAYS, min_size=2, max_size=5, unique=True).map(tuple), max_size=40)


@given(LISTS, st.integers(1, 6))
def test_calls_of_separate_comparisons_show_an_essay_once(lists, most):
    calls = separate_comparisons(lists, most=most)
    assert sorted(position for call in calls for position in call) == list(range(len(lists)))
    for call in calls:
        essays = [essay for position in call for essay in lists[position]]
        assert len(call) <= most
        assert len(essays) == len(set(essays))


def test_a_comparison_joins_the_first_call_that_has_none_of_its_essays():
    pairs = [("a", "b"), ("a", "c"), ("d", "e"), ("b", "f"), ("g", "h")]
    assert separate_comparisons(pairs, most=2) == [[0, 2], [1, 3], [4]]


def compare(number, *essays, attempt=1):
    return Comparison(
        comparison_id=f"w001-{number:05d}",
        wave=1,
        submitted_wave=1,
        first=essays[0],
        second=essays[1],
        further_ids=essays[2:],
        attempt=attempt,
    )


def name_calls(comparisons, **most):
    calls = divide_into_calls(comparisons, **most)
    return [["".join(each.essay_ids) for each in call] for call in calls]


def test_pairs_beside_lists_have_calls_of_disjoint_pairs_and_each_list_its_own():
    ring = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")]
    pairs = [compare(number, *pair) for number, pair in enumerate(ring)]
    asked = [*pairs, compare(7, *"abcd"), compare(8, *"efgh")]
    calls = name_calls(asked, most=1, most_beside_lists=2)
    assert calls == [["ab", "cd"], ["bc", "da"], ["abcd"], ["efgh"]]
    (shared,) = name_calls(pairs, most=4, most_beside_lists=2)
    assert sorted(shared) == ["ab", "bc", "cd", "da"], "without lists they share essays"


def test_pairs_that_failed_are_asked_alone_beside_lists():
    asked = [compare(1, *"ab"), compare(2, *"cd", attempt=2), compare(3, *"efg")]
    assert name_calls(asked, most=1, most_beside_lists=5) == [["ab"], ["efg"], ["cd"]]


@pytest.mark.parametrize(
    ("judge", "most"),
    [
        ({"batching_mode": "per_request", "list_size": 10}, 5),
        ({"batching_mode": "per_request", "list_size": 5}, 2),
        ({"batching_mode": "per_request", "list_size": 3}, 1),
        ({"batching_mode": "per_request", "list_size": 10, "bundle_size": 1}, 1),
        ({"batching_mode": "serial_bundle", "list_size": 5, "bundle_size": 7}, 7),
        ({"provider": "callback_endpoint", "model": None, "list_size": 10}, 1),
    ],
)
def test_a_call_of_pairs_beside_lists_prints_no_more_texts_than_a_list(judge, most):
    spec = JudgeSpec.model_validate({"provider": "openai", "model": "m", **judge})
    assert spec.pairs_per_call_beside_lists(BatchingMode.SERIAL_BUNDLE) == most


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
