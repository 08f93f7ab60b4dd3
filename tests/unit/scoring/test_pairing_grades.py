"""The strategy `grades`: comparisons go where a grade is in doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scoring._pairing.grade_scores import grade_precision_worth, grade_scores
from scoring.errors import PairingError
from scoring.pairing import plan_wave

GRADE = np.array([0, 1, 2, 0, 1, 2])
PLACES = 3.0 * (GRADE - 1.0)


def batch(
    students: list[float], variance: float = 0.3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Abilities, covariance and anchors: boundaries are at -1.5 and +1.5."""
    ability = np.concatenate([students, PLACES])
    n = len(ability)
    return ability, variance * (np.eye(n) - 1.0 / n), np.arange(len(students), n)


def plan_by_grades(ability, covariance, anchors, grade, *, rounds):
    """A wave after one in which each essay met the next."""
    return plan_wave(
        len(ability),
        rng=np.random.default_rng(1),
        rounds=rounds,
        first=np.arange(len(ability) - 1),
        second=np.arange(1, len(ability)),
        ability=ability,
        covariance=covariance,
        strategy="grades",
        anchors=anchors,
        anchor_grade=grade,
    )


def test_an_essay_at_a_boundary_has_more_worth_than_one_in_the_middle_of_a_grade():
    ability, covariance, anchors = batch([1.5, 0.0, 6.0])
    worth = grade_precision_worth(ability, covariance, anchors, GRADE)
    assert worth is not None
    at_boundary, in_grade, beyond = worth.diagonal()[:3]
    assert at_boundary > in_grade > beyond > 0


def test_the_worth_is_the_slope_of_the_expected_squared_error():
    """To first order: the drop of sum p (1 - p) on average over what is learned of one essay."""
    ability, covariance, anchors = batch([1.2])
    covariance = covariance.copy()
    worth = grade_precision_worth(ability, covariance, anchors, GRADE)
    assert worth is not None
    # The graders' variance, by the residuals of zero: (.6 widths)^2.
    grader, learned = (0.6 * 3.0) ** 2, 0.01
    rows = np.zeros((2, len(ability)))
    design = np.column_stack([np.ones(6), GRADE])
    rows[:, anchors] = np.array([[1, 0.5], [1, 1.5]]) @ np.linalg.pinv(design)
    rows[:, 0] = -1.0
    total = ((rows @ covariance) * rows).sum(axis=1) + grader
    mean = rows @ ability
    from scipy.special import ndtr

    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    weights = weights / weights.sum()
    after = 0.0
    for m, t in zip(mean, total, strict=True):
        p = ndtr((m + np.sqrt(learned) * nodes) / np.sqrt(t - learned))
        after += float(weights @ (p * (1 - p)))
    p = ndtr(mean / np.sqrt(total))
    drop = float((p * (1 - p)).sum()) - after
    assert worth[0, 0] * learned == pytest.approx(drop, rel=0.03)


def test_scores_are_symmetric_and_never_negative():
    rng = np.random.default_rng(2)
    ability, covariance, anchors = batch(list(rng.normal(0, 2, 12)))
    worth = grade_precision_worth(ability, covariance, anchors, GRADE)
    assert worth is not None
    scores = grade_scores(ability, covariance, worth)
    assert scores == pytest.approx(scores.T)
    assert scores.min() > -1e-12


def test_a_wave_gives_essays_near_boundaries_more_comparisons():
    students = [1.5, -1.5, 1.4, -1.4] * 3 + [7.0, -7.0, 7.2, -7.2] * 3
    ability, covariance, anchors = batch(students)
    plan = plan_by_grades(ability, covariance, anchors, GRADE, rounds=4)
    assert len(plan) == 4 * len(ability) // 2
    pairs = {
        frozenset(pair) for pair in zip(plan.first.tolist(), plan.second.tolist(), strict=True)
    }
    assert len(pairs) == len(plan)
    aimed = ~plan.audit
    counts = np.bincount(
        np.concatenate([plan.first[aimed], plan.second[aimed]]), minlength=len(ability)
    )
    assert counts[:12].mean() > 2 * counts[12:24].mean()
    assert 0.2 < plan.audit.mean() < 0.35


@pytest.mark.parametrize("grade", [[2, 1, 0, 2, 1, 0], [1, 1, 1, 1, 1, 1]])
def test_without_an_order_of_anchors_the_wave_is_an_adaptive_one(grade):
    ability, covariance, anchors = batch([0.5, -0.5, 2.0, 3.0])
    plan = plan_by_grades(ability, covariance, anchors, grade, rounds=2)
    assert len(plan) == len(ability)


def test_the_strategy_needs_anchors_and_a_covariance():
    ability, covariance, anchors = batch([0.5, -0.5])
    rng = np.random.default_rng(1)
    ring = np.arange(len(ability))
    known: dict[str, Any] = {
        "first": ring[:-1],
        "second": ring[1:],
        "ability": ability,
        "strategy": "grades",
    }
    with pytest.raises(PairingError, match="anchors and anchor_grade"):
        plan_wave(len(ability), rng=rng, covariance=covariance, **known)
    with pytest.raises(PairingError, match="covariance is missing"):
        plan_wave(len(ability), rng=rng, anchors=anchors, anchor_grade=GRADE, **known)
