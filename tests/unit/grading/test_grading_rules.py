"""Grade sets, entropies, minus grades, published figures and the CSV, by cases and properties."""

from __future__ import annotations

from math import fsum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assessment.domain.grade_scale import SCALES, GradeScale
from assessment.domain.grading import (
    Evidence,
    GradeRule,
    grade_set,
    likeliest_grade,
    list_unsettled,
    normalised_entropy,
    pass_probability,
    published_grade,
    refined_grade,
    round_shares,
)

SWEDISH = SCALES["swedish_8_anchor"]
BOUNDARIES = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
distributions = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=13).map(
    lambda weights: [w / fsum(weights) for w in weights]
)


@given(distributions)
def test_round_shares_sum_to_one_and_stay_close(probabilities):
    published = round_shares(probabilities)
    assert abs(fsum(published) - 1) <= 1e-12
    assert max(abs(a - b) for a, b in zip(published, probabilities, strict=True)) < 1e-8
    assert min(published) >= 0


@given(distributions)
def test_a_grade_set_is_the_smallest_that_holds_its_share(probabilities):
    shares = {str(g): p for g, p in enumerate(probabilities)}
    chosen = grade_set(shares, likeliest_grade(shares))
    held = fsum(shares[g] for g in chosen)
    assert held >= 0.9 - 1e-9
    assert held - min(shares[g] for g in chosen) < 0.9 + 1e-9
    assert chosen == sorted(chosen, key=int), "in the order of the scale"


def test_a_grade_set_holds_the_published_grade():
    """The median of a distribution with two peaks may be the least likely grade."""
    shares = {"low": 0.47, "middle": 0.06, "high": 0.47}
    assert published_grade(shares, GradeRule.MEDIAN) == "middle"
    assert grade_set(shares, "middle") == ["low", "middle", "high"]


@pytest.mark.parametrize(
    ("shares", "mode", "median", "mean"),
    [
        ([0.4, 0.3, 0.3], 0, 1, 1),
        ([0.5, 0.0, 0.5], 0, 0, 1),
        ([0.45, 0.3, 0.05, 0.2], 0, 1, 1),
        ([0.6, 0.0, 0.0, 0.4], 0, 0, 1),
        ([0.5, 0.5], 0, 0, 0),
        ([0.0, 0.0, 1.0], 2, 2, 2),
    ],
)
def test_the_published_grade_by_hand(shares, mode, median, mean):
    by_grade = {str(g): p for g, p in enumerate(shares)}
    grades = [published_grade(by_grade, rule) for rule in GradeRule]
    assert grades == [str(mode), str(median), str(mean)]


@given(distributions)
def test_each_rule_has_the_least_expected_loss_of_its_kind(probabilities):
    shares = {str(g): p for g, p in enumerate(probabilities)}
    losses = {
        GradeRule.MODE: lambda steps: float(steps != 0),
        GradeRule.MEDIAN: abs,
        GradeRule.MEAN: lambda steps: steps * steps,
    }
    for rule, loss in losses.items():
        expected = [
            fsum(p * loss(g - grade) for g, p in enumerate(probabilities))
            for grade in range(len(probabilities))
        ]
        chosen = int(published_grade(shares, rule))
        assert expected[chosen] <= min(expected) + 1e-6


@given(distributions)
def test_entropy_is_between_none_and_all(probabilities):
    assert 0 <= normalised_entropy(probabilities) <= 1


def test_entropy_at_its_ends():
    assert normalised_entropy([1.0, 0.0, 0.0]) == 0
    assert normalised_entropy([0.25] * 4) == 1


@pytest.mark.parametrize(
    ("grade", "ability", "refined"),
    [
        ("C", 0.2, "C-"), ("C", 0.3, "C"), ("C", -1.0, "C-"), ("E", -2.9, "E-"), ("B", 2.1, "B-"),
        ("D+", -0.9, "D+"), ("C+", 1.1, "C+"), ("A", 3.0, "A"), ("F", -9.0, "F"),
    ],
)  # fmt: skip
def test_minus_grades_are_the_lowest_quarter_of_a_band(grade, ability, refined):
    assert refined_grade(grade, ability, scale=SWEDISH, boundaries=BOUNDARIES) == refined


def test_only_the_scale_that_says_so_has_minus_grades():
    assert [name for name, scale in SCALES.items() if scale.minus_grades] == ["swedish_8_anchor"]


@pytest.mark.parametrize(
    "values",
    [
        {"grades": ("F", "A"), "minus_grades": ("A",)},
        {"grades": ("F", "C-", "C", "A"), "minus_grades": ("C",)},
        {"grades": ("F", "C", "A"), "passing_grade": "B"},
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(values):
    with pytest.raises(ValidationError):
        GradeScale(name="own", **values)


def test_the_probability_to_pass():
    shares = dict(zip(SWEDISH.grades, [0.2, 0.3, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], strict=True))
    assert pass_probability(shares, SWEDISH) == pytest.approx(0.8)
    assert pass_probability({"A1": 1.0}, SCALES["cefr_a1_c2"]) is None


def settle(ability, **values):
    settings: dict[str, Any] = {"boundaries": BOUNDARIES, "boundary_se": [0.1] * 7, "prior_sd": 2.0}
    return list_unsettled(Evidence(ability, 0.8, 8), **settings | values)


def test_more_is_needed_for_more_certainty_and_none_helps_beside_a_boundary():
    assert settle(0.5, least_probability=0.5) < settle(0.5, least_probability=0.7)
    assert settle(0.0, least_probability=0.7) is None
    assert settle(0.5, least_probability=0.7, boundary_se=[1.0] * 7) is None
