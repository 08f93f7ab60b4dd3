"""Which essays are set aside: the essay at fault, never its partners, never for a bad judge."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure
from assessment.domain.not_assessed import (
    NotAssessedReason,
    find_not_assessed,
    without_essays,
)
from assessment.domain.verdict import Verdict, Winner

WORDS = "the provider declined: self-harm"


def comparison(first, second, code=None, *, retryable=False, message=WORDS):
    """A comparison with a verdict, or one that failed with this code."""
    return Comparison(
        comparison_id=f"{first}-{second}",
        wave=1,
        submitted_wave=1,
        first=first,
        second=second,
        status=ComparisonStatus.FAILED if code else ComparisonStatus.RECORDED,
        verdict=None if code else Verdict(winner=Winner.FIRST, judge="simulated"),
        failure=JudgeFailure(code=code, message=message, retryable=retryable) if code else None,
    )


def class_with(refused, n, *, code="content-refused"):
    """All pairs of a class in which every comparison of a refused essay fails for good."""
    names = [f"essay-{k:02d}" for k in range(n)]
    return [comparison(a, b, code if {a, b} & refused else None) for a, b in combinations(names, 2)]


def names_of(comparisons, max_failures=3):
    return {entry.essay_id for entry in find_not_assessed(comparisons, max_failures=max_failures)}


@pytest.mark.parametrize("n", [3, 4, 5, 12, 30])
def test_one_declined_essay_is_set_aside_at_any_size(n):
    assert names_of(class_with({"essay-01"}, n)) == {"essay-01"}


def test_reason_and_words_are_those_of_the_failures():
    (entry,) = find_not_assessed(class_with({"essay-01"}, 6), max_failures=3)
    assert entry.reason is NotAssessedReason.DECLINED
    assert entry.detail == WORDS
    (entry,) = find_not_assessed(class_with({"essay-01"}, 6, code="oversize"), max_failures=3)
    assert entry.reason is NotAssessedReason.DOES_NOT_FIT


def test_two_essays_cannot_be_told_apart():
    assert names_of([comparison("a", "b", "content-refused")]) == set()


def test_without_any_verdict_no_essay_is_at_fault():
    assert names_of(class_with({f"essay-{k:02d}" for k in range(6)}, 6)) == set()


def test_fewer_failures_than_stated_are_not_enough():
    comparisons = [
        comparison("a", "x", "content-refused"),
        comparison("b", "x", "content-refused"),
        comparison("a", "b"),
        comparison("a", "c"),
        comparison("c", "d"),
    ]
    assert names_of(comparisons) == set()
    assert names_of(comparisons, max_failures=2) == {"x"}


def test_failures_of_the_judge_set_nobody_aside():
    for code, retryable in (("judge-refused", False), ("judge-unavailable", True)):
        comparisons = [
            comparison(a, b, code if "x" in (a, b) else None, retryable=retryable)
            for a, b in combinations("abcdx", 2)
        ]
        assert names_of(comparisons) == set()


def test_an_essay_that_some_judges_judge_stays():
    comparisons = [
        *(comparison("x", f"e{k}", "content-refused") for k in range(6)),
        *(comparison(f"e{k}", "x") for k in range(2)),
        *(comparison(f"e{k}", f"e{k + 1}") for k in range(5)),
    ]
    assert names_of(comparisons) == set()


@given(
    st.integers(4, 16),
    st.data(),
)
def test_exactly_the_declined_essays_are_found_once_each_met_enough_others(n, data):
    names = [f"essay-{k:02d}" for k in range(n)]
    refused = set(data.draw(st.lists(st.sampled_from(names), max_size=n - 2, unique=True)))
    assert names_of(class_with(refused, n)) == refused


@pytest.mark.parametrize("seed", range(5))
def test_a_provider_that_declines_at_random_is_not_the_essays_fault(seed):
    rng = random.Random(seed)
    names = [f"essay-{k:02d}" for k in range(30)]
    comparisons = [
        comparison(a, b, "content-refused" if rng.random() < 0.4 else None)
        for a, b in rng.sample(list(combinations(names, 2)), 180)
    ]
    assert names_of(comparisons) == set()


def test_comparisons_of_essays_set_aside_leave_the_pool():
    kept = without_essays(class_with({"essay-01"}, 4), {"essay-01"})
    assert {e for c in kept for e in (c.first, c.second)} == {"essay-00", "essay-02", "essay-03"}
