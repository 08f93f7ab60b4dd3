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
    drop_essays,
    find_not_assessed,
)
from assessment.domain.verdict import Verdict, Winner

WORDS = "the provider declined: self-harm"


def comparison(first, second, code=None, *, retryable=False, message=WORDS, wave=1, attempt=1):
    """A comparison with a verdict, or one that failed with this code."""
    return Comparison(
        comparison_id=f"{first}-{second}",
        wave=wave,
        submitted_wave=wave,
        attempt=attempt,
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


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("credentials-refused", False), ("unknown-model", False), ("account-spent", False),
        ("feature-unsupported", False), ("model-changed", False), ("judge-unavailable", True),
        ("timed_out", True), ("provider-batch", True),
    ],
)  # fmt: skip
def test_failures_of_the_judge_set_nobody_aside(code, retryable):
    comparisons = [
        comparison(a, b, code if "x" in (a, b) else None, retryable=retryable)
        for a, b in combinations("abcdx", 2)
    ]
    assert names_of(comparisons) == set()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("judge-refused", "request_refused"), ("a code of one's own", "request_refused"),
        ("malformed_verdict", "no_verdict"), ("cut_off", "no_verdict"),
        ("broken-generation", "no_verdict"), ("prompt_cut", "no_verdict"),
        ("content-refused", "declined_by_provider"), ("request-too-large", "does_not_fit"),
    ],
)  # fmt: skip
def test_whatever_ends_one_essay_for_good_sets_it_aside(code, reason):
    (entry,) = find_not_assessed(class_with({"essay-01"}, 6, code=code), max_failures=3)
    assert (entry.essay_id, entry.reason) == ("essay-01", reason)


@pytest.mark.parametrize("code", ["judge-unavailable", "timed_out", "mismatched_callback"])
def test_one_whose_every_second_attempt_fails_is_set_aside(code):
    comparisons = [
        comparison(a, b, code if "x" in (a, b) else None, retryable=True, attempt=2)
        for a, b in combinations("abcdx", 2)
    ]
    (entry,) = find_not_assessed(comparisons, max_failures=3)
    assert (entry.essay_id, entry.reason) == ("x", "no_verdict")


def test_a_refusal_of_every_request_is_the_judges():
    names = [f"essay-{k:02d}" for k in range(12)]
    refused = [comparison(a, b, "judge-refused") for a, b in combinations(names, 2)]
    assert names_of(refused) == set()
    # A judge that worked until its model was withdrawn, in the middle of the first wave.
    for n_before in (1, 8, 20, 40):
        mixed = [comparison(c.first, c.second) for c in refused[:n_before]] + refused[n_before:]
        random.Random(n_before).shuffle(mixed)
        assert names_of(mixed) == set()


def test_what_the_judge_does_later_brings_no_essay_back():
    first = class_with({"essay-01"}, 12, code="judge-refused")
    later = [
        comparison(f"essay-{k:02d}", f"late-{k}", "judge-refused", wave=2) for k in range(2, 12)
    ]
    assert names_of(first) == names_of([*first, *later]) == {"essay-01"}


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


@pytest.mark.parametrize("n", [12, 30, 120])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3, 0.5, 0.7])
def test_a_judge_that_refuses_at_random_hardly_ever_costs_an_essay(share, n):
    """One wave of four comparisons an essay: the counts alone would often accuse somebody."""
    names = [f"essay-{k:03d}" for k in range(n)]
    pairs = [(names[k], names[(k + step) % n]) for step in (1, 2) for k in range(n)]
    n_accusing = 0
    for seed in range(60):
        rng = random.Random(f"{share} {n} {seed}")
        comparisons = [
            comparison(a, b, "judge-refused" if rng.random() < share else None) for a, b in pairs
        ]
        n_accusing += bool(names_of(comparisons))
    # A bound of .05 for each look, and what chance does to 60 draws of it.
    assert n_accusing <= 7


def test_comparisons_of_essays_set_aside_leave_the_pool():
    kept = drop_essays(class_with({"essay-01"}, 4), {"essay-01"})
    assert {e for c in kept for e in (c.first, c.second)} == {"essay-00", "essay-02", "essay-03"}
