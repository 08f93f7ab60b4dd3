"""Grades as cuts of a normal class: against integration, leaving out, and simulated classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from scoring.grade_cuts import Readings, draw_cuts, read_class
from scoring.grade_sets import AnchorScores, set_threshold


def test_a_class_is_standardised_without_its_errors():
    """Errors of variance 1 on abilities N(3, 2^2): the shrunken qualities are off by v on average.

    Simulated.
    """
    rng = np.random.default_rng(2)
    true = rng.normal(3, 2, 4000)
    variance = rng.uniform(0.5, 1.5, len(true))
    found = read_class(true + rng.normal(0, np.sqrt(variance)), variance, np.arange(3000))
    quality = (true - 3) / 2
    assert np.polyfit(found.mean, quality, 1) == pytest.approx([1, 0], abs=0.05)
    assert (quality - found.mean).var() == pytest.approx(found.variance.mean(), abs=0.01)


def test_the_class_alone_says_where_its_middle_is():
    """Anchors far above the class move neither its middle nor its unit."""
    ability = np.concatenate([np.linspace(-1, 1, 20), [8.0, 9.0]])
    variance = np.full(22, 0.1)
    one, other = (
        read_class(ability + d * (np.arange(22) > 19), variance, np.arange(20)) for d in (0, 5)
    )
    assert one.mean[:20] == pytest.approx(other.mean[:20])
    assert other.mean[20:] - one.mean[20:] == pytest.approx(
        np.full(2, other.mean[20] - one.mean[20])
    )


def test_two_grades_as_by_integration():
    """One cut and the error, on a grid: priors, what each anchor says of them, and a student."""
    anchors = Readings(np.array([-1.0, 0.2, 0.5, 1.4]), np.array([0.1, 0.3, 0.1, 0.2]))
    grade = np.array([0, 0, 1, 1])
    cut, log_error = np.meshgrid(np.linspace(-4, 4, 161), np.linspace(-1.4, 1.2, 81))
    error = np.exp(log_error)
    weight = norm.pdf(cut) * norm.pdf(log_error, np.log(0.78), 0.3)
    for mean, variance, own in zip(anchors.mean, anchors.variance, grade, strict=True):
        below = ndtr((cut - mean) / np.sqrt(error**2 + variance))
        common = ndtr(cut / np.sqrt(1 + error**2))
        ratio = (1 - below) / (1 - common) if own else below / common
        weight = weight * (0.97 * ratio + 0.03)
    students = Readings(np.array([-0.8, 0.3, 1.5]), np.array([0.1, 0.2, 0.1]))
    lower = [
        (weight * ndtr((cut - mean) / np.sqrt(error**2 + variance))).sum() / weight.sum()
        for mean, variance in zip(students.mean, students.variance, strict=True)
    ]
    found = draw_cuts(anchors, grade, 2).probabilities(students)
    assert found[:, 0] == pytest.approx(lower, abs=0.03)
    assert found.sum(axis=1) == pytest.approx(np.ones(3))


def test_an_anchor_by_the_others_is_as_without_it():
    rng = np.random.default_rng(4)
    grade = np.array([0, 1, 2, 3, 4, 1, 2, 3])
    anchors = Readings((grade - 2) * 0.9 + rng.normal(0, 0.7, len(grade)), np.full(len(grade), 0.1))
    by_the_others = draw_cuts(anchors, grade, 5).anchor_probabilities()
    for row in range(len(grade)):
        kept = np.delete(np.arange(len(grade)), row)
        without = draw_cuts(anchors.select(kept), grade[kept], 5)
        alone = without.probabilities(anchors.select(np.array([row])))
        assert by_the_others[row] == pytest.approx(alone[0], abs=0.07)


def test_the_same_anchors_give_the_same_draws():
    anchors = Readings(np.linspace(-1, 1, 4), np.full(4, 0.1))
    one, other = (draw_cuts(anchors, np.arange(4), 4) for _ in range(2))
    assert np.array_equal(one.cuts, other.cuts)
    assert (np.diff(one.cuts, axis=1) > 0).all()


def test_a_misgraded_anchor_moves_cuts_little():
    """The best essay of all with the lowest grade: others' grades hardly change."""
    quality = np.array([-1.5, -0.8, -0.2, 0.3, 0.9, 1.6, 2.5])
    grade = np.array([0, 1, 1, 2, 2, 3, 3])
    wrong = np.array([0, 1, 1, 2, 2, 3, 0])
    students = Readings(np.linspace(-2, 2, 9), np.full(9, 0.1))
    means = [
        draw_cuts(Readings(quality, np.full(7, 0.1)), own, 4).probabilities(students) @ np.arange(4)
        for own in (grade, wrong)
    ]
    assert np.abs(means[0] - means[1]).max() < 0.5


def test_probabilities_hold_what_they_say_in_classes_as_the_priors_expect():
    """Simulated: 150 classes of 6 grades, 8 anchors spread over them; 90% lines by the model."""
    rng = np.random.default_rng(6)
    held, size = [], []
    for _ in range(150):
        widths = np.exp(np.log(6 / 6) + rng.normal(0, 0.35) + rng.normal(0, 0.3, 4))
        cuts = np.concatenate([[0], np.cumsum(widths)])
        cuts += rng.normal() - (cuts[2] + cuts[2]) / 2
        error = np.exp(rng.normal(np.log(0.78), 0.3))
        quality = rng.normal(size=3000)
        grade = np.searchsorted(cuts, quality + error * rng.normal(size=len(quality)))
        variance = np.full(len(quality), 0.05)
        shrunk = 1 / 1.05
        seen = Readings(
            shrunk * (quality + rng.normal(0, 0.05**0.5, len(quality))), variance * shrunk
        )
        rest = [np.flatnonzero(grade[100:] == g) + 100 for g in range(6)]
        chosen = np.array([rows[k] for k in range(2) for rows in rest if len(rows) > k][:8])
        rows = draw_cuts(seen.select(chosen), grade[chosen], 6).probabilities(
            seen.select(np.arange(100))
        )
        nobody = AnchorScores(np.zeros(0), np.zeros(0, dtype=np.int64))
        sets = set_threshold(rows, nobody, level=0.9).sets(rows)
        held.append(sets[np.arange(100), grade[:100]].mean())
        size.append(sets.sum(axis=1).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)
    assert np.mean(size) < 3.5
