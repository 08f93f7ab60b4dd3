"""Which essays are set aside: the essay at fault, never its partners, never for a bad judge."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain, combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure
from assessment.domain.not_assessed import (
    NotAssessedReason,
    drop_essays,
    find_not_assessed,
    find_without_verdict,
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


def make_class(refused, n, *, code="content-refused", passes=1):
    """All pairs of a class in which every comparison of a refused essay fails for good."""
    names = [f"essay-{k:02d}" for k in range(n)]
    return [
        comparison(a, b, code if {a, b} & refused else None)
        for a, b in list(combinations(names, 2)) * passes
    ]


def list_names(comparisons, max_failures=3):
    return {entry.essay_id for entry in find_not_assessed(comparisons, max_failures=max_failures)}


@pytest.mark.parametrize(("n", "passes"), [(3, 4), (4, 2), (5, 1), (12, 1), (30, 1)])
def test_one_declined_essay_is_set_aside_as_soon_as_chance_cannot_explain_it(n, passes):
    declined = {"essay-01"}
    assert list_names(make_class(declined, n, passes=passes)) == declined
    if passes > 1:
        assert list_names(make_class(declined, n, passes=1)) == set()


@pytest.mark.parametrize("n", [3, 4, 5, 12, 30])
def test_an_essay_without_a_verdict_costs_nobody_else_where_no_more_can_be_asked(n):
    (entry,) = find_without_verdict(make_class({"essay-01"}, n))
    assert (entry.essay_id, entry.detail) == ("essay-01", WORDS)


def test_one_verdict_keeps_an_essay_at_the_end():
    comparisons = [*make_class({"essay-01"}, 5), comparison("essay-00", "essay-01")]
    assert find_without_verdict(comparisons) == ()


def test_a_judge_that_stops_leaves_no_essay_at_fault_at_the_end():
    """Most of the class has no verdict, and the failures say nothing of its content."""
    names = [f"essay-{k:02d}" for k in range(12)]
    comparisons = [
        comparison(a, b, None if {a, b} <= set(names[:4]) else "judge-refused")
        for a, b in combinations(names, 2)
    ]
    assert find_without_verdict(comparisons) == ()


def test_reason_and_words_are_those_of_the_failures():
    (entry,) = find_not_assessed(make_class({"essay-01"}, 6), max_failures=3)
    assert entry.reason is NotAssessedReason.DECLINED
    assert entry.detail == WORDS
    (entry,) = find_not_assessed(make_class({"essay-01"}, 6, code="oversize"), max_failures=3)
    assert entry.reason is NotAssessedReason.DOES_NOT_FIT


def test_two_essays_cannot_be_told_apart():
    assert list_names([comparison("a", "b", "content-refused")]) == set()


def test_without_any_verdict_no_essay_is_at_fault():
    assert list_names(make_class({f"essay-{k:02d}" for k in range(6)}, 6)) == set()


def test_fewer_failures_than_stated_are_not_enough():
    comparisons = [
        comparison("a", "x", "content-refused"),
        comparison("b", "x", "content-refused"),
        *(comparison(a, b) for a, b in combinations("abcdefgh", 2)),
    ]
    assert list_names(comparisons) == set()
    assert list_names(comparisons, max_failures=2) == {"x"}


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
    assert list_names(comparisons) == set()


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
    (entry,) = find_not_assessed(make_class({"essay-01"}, 6, code=code), max_failures=3)
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
    assert list_names(refused) == set()
    # A judge that worked until its model was withdrawn, in the middle of the first wave.
    for n_before in (1, 8, 20, 40):
        mixed = [comparison(c.first, c.second) for c in refused[:n_before]] + refused[n_before:]
        random.Random(n_before).shuffle(mixed)
        assert list_names(mixed) == set()


def test_what_the_judge_does_later_brings_no_essay_back():
    first = make_class({"essay-01"}, 12, code="judge-refused")
    later = [
        comparison(f"essay-{k:02d}", f"late-{k}", "judge-refused", wave=2) for k in range(2, 12)
    ]
    assert list_names(first) == list_names([*first, *later]) == {"essay-01"}


def test_an_essay_that_some_judges_judge_stays():
    comparisons = [
        *(comparison("x", f"e{k}", "content-refused") for k in range(6)),
        *(comparison(f"e{k}", "x") for k in range(2)),
        *(comparison(f"e{k}", f"e{k + 1}") for k in range(5)),
    ]
    assert list_names(comparisons) == set()


@given(st.integers(4, 16), st.integers(1, 4), st.data())
def test_declined_essays_are_found_exactly_where_the_test_of_chance_allows_it(n, passes, data):
    """Each is tested beside those that are not declined: m failures of its m comparisons, no other.

    Fisher's test then gives 1 / C(N, m) for N comparisons in all.
    """
    names = [f"essay-{k:02d}" for k in range(n)]
    refused = set(data.draw(st.lists(st.sampled_from(names), max_size=n - 2, unique=True)))
    comparisons = make_class(refused, n, passes=passes)
    n_judged = n - len(refused)
    n_tested = passes * comb(n_judged + 1, 2)
    is_told = n <= 0.025 * comb(n_tested, passes * n_judged)
    assert list_names(comparisons) == (refused if is_told else set())
    assert {entry.essay_id for entry in find_without_verdict(comparisons)} == refused


@pytest.mark.parametrize("seed", range(5))
def test_a_provider_that_declines_at_random_is_not_the_essays_fault(seed):
    rng = random.Random(seed)
    names = [f"essay-{k:02d}" for k in range(30)]
    comparisons = [
        comparison(a, b, "content-refused" if rng.random() < 0.4 else None)
        for a, b in rng.sample(list(combinations(names, 2)), 180)
    ]
    assert list_names(comparisons) == set()


def refusing_at_random(n, share, rng, code, n_waves):
    """Waves of all pairs, or of four comparisons an essay; the judge fails them at random."""
    names = [f"essay-{k:03d}" for k in range(n)]
    every = list(combinations(names, 2))
    ring = [(names[k], names[(k + step) % n]) for step in (1, 2) for k in range(n)]
    return [
        comparison(a, b, code if rng.random() < share else None, wave=wave)
        for wave in range(1, n_waves + 1)
        for a, b in (every if n < 9 else ring)
    ]


@pytest.mark.parametrize("code", ["judge-refused", "content-refused"])
@pytest.mark.parametrize(("n", "n_batches"), [(3, 200), (4, 200), (5, 200), (8, 100), (30, 40)])
def test_a_judge_that_refuses_at_random_hardly_ever_costs_an_essay(code, n, n_batches):
    """Whole batches of three looks, each with a rate of its own."""
    n_accusing = 0
    for seed in range(n_batches):
        rng = random.Random(f"{code} {n} {seed}")
        share = rng.uniform(0.02, 0.9)
        n_accusing += bool(list_names(refusing_at_random(n, share, rng, code, 3)))
    assert n_accusing <= 0.05 * n_batches


@pytest.mark.parametrize("n", [3, 4, 5])
def test_the_stated_probability_is_exact(n):
    """Every way in which so many of all comparisons may fail, counted one by one."""
    pairs = list(combinations([f"essay-{k}" for k in range(n)], 2))
    accused: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    for failed in chain.from_iterable(combinations(pairs, k) for k in range(len(pairs) + 1)):
        comparisons = [comparison(a, b, "judge-refused" if (a, b) in failed else None)
                       for a, b in pairs]  # fmt: skip
        drawn[len(failed)] += 1
        accused[len(failed)] += bool(list_names(comparisons))
    assert all(accused[k] <= 0.025 * drawn[k] for k in drawn)


def test_comparisons_of_essays_set_aside_leave_the_pool():
    kept = drop_essays(make_class({"essay-01"}, 4), {"essay-01"})
    assert {e for c in kept for e in (c.first, c.second)} == {"essay-00", "essay-02", "essay-03"}
