"""Checks of the anchors: their order, outliers, and how well they predict each other's grades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._grades.grade_model import (
    ANCHOR_SPREAD,
    AnchorSet,
    CalibrationReport,
    CalibrationWarning,
    GradeCurve,
    Targets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._types import Bools, Floats, Ints

# An anchor with less weight gets a warning: it lies 2 scales of spread from its grade's centre.
_DOUBTFUL_WEIGHT = 0.5
# One-sided 5% point of the normal distribution.
_BEYOND_CHANCE = 1.645
_ECE_BINS = 10


def leave_one_out(
    anchors: AnchorSet, curve: GradeCurve, recalibrate: Callable[[AnchorSet], GradeCurve]
) -> CalibrationReport:
    """Grade each anchor by a calibration with the other anchors.

    Parameters
    ----------
    anchors : AnchorSet
        All anchors, a of them.
    curve : GradeCurve
        The calibration by all anchors.
    recalibrate : callable
        Calibrates by a subset of the anchors.

    Returns
    -------
    CalibrationReport
    """
    size = len(anchors.grade)
    probabilities = np.full((size, anchors.n_grades), np.nan)
    shift = np.full(size, np.nan)
    curves: list[GradeCurve | None] = [None] * size
    for k in range(size):
        kept = np.arange(size) != k
        others = anchors.select(kept)
        if others.n_distinct > 1:
            without = curves[k] = recalibrate(others)
            probabilities[k] = without.probabilities(_as_target(anchors, k, kept))[0]
            shift[k] = np.abs(without.boundaries - curve.boundaries).max()
    graded = np.isfinite(shift)
    if not graded.any():
        return CalibrationReport(None, None, 0, shift, probabilities, tuple(curves))
    scored, grade = probabilities[graded], anchors.grade[graded]
    return CalibrationReport(
        rps=ranked_probability_score(scored, grade),
        ece=expected_calibration_error(scored, grade),
        n_anchors=int(graded.sum()),
        boundary_shift=shift,
        probabilities=probabilities,
        curves=tuple(curves),
    )


def _as_target(anchors: AnchorSet, k: int, kept: Bools) -> Targets:
    return Targets(
        anchors.ability[[k]],
        anchors.covariance[[k], [k]],
        anchors.covariance[np.ix_(np.array([k]), kept)],
    )


def ranked_probability_score(probabilities: Floats, grade: Ints) -> float:
    """Return the mean squared error of the cumulative probabilities; 0 best, 1 worst.

    Epstein, Journal of Applied Meteorology 8 (1969), divided by G - 1.

    Parameters
    ----------
    probabilities : (s, G) ndarray of float
        Rows sum to 1.
    grade : (s,) ndarray of int
        True positions, 0 .. G - 1.

    Returns
    -------
    float
    """
    reached = np.arange(probabilities.shape[1] - 1) >= grade[:, None]
    return float(((np.cumsum(probabilities, axis=1)[:, :-1] - reached) ** 2).mean())


def expected_calibration_error(probabilities: Floats, grade: Ints) -> float:
    """Return the mean gap between confidence and accuracy of the likeliest grade, in ten bins.

    Naeini, Cooper & Hauskrecht, AAAI 2015. With a dozen anchors the figure is not precise.

    Parameters
    ----------
    probabilities : (s, G) ndarray of float
        Rows sum to 1.
    grade : (s,) ndarray of int
        True positions, 0 .. G - 1.

    Returns
    -------
    float
        0 .. 1.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == grade
    cell = np.minimum((confidence * _ECE_BINS).astype(int), _ECE_BINS - 1)
    gap = np.bincount(cell, weights=confidence - correct, minlength=_ECE_BINS)
    return float(np.abs(gap).sum() / len(grade))


def order_warnings(anchors: AnchorSet, ids: Ints) -> tuple[CalibrationWarning, ...]:
    """Warn if ability does not rise with the grade beyond chance, or falls.

    One-sided 5% test of the weighted slope of ability on grade, with the measured covariance, the
    spread of anchors in their grades, and a variance inflated where the anchors scatter more than
    that.

    Parameters
    ----------
    anchors : AnchorSet
        The graded anchors, a of them.
    ids : (a,) ndarray of int
        Their essay indices, for the warning.

    Returns
    -------
    tuple of CalibrationWarning
        Empty or one.
    """
    slope, error = _slope(anchors)
    if slope > _BEYOND_CHANCE * error:
        return ()
    indices = tuple(int(a) for a in ids)
    estimate = f"slope {slope:.2f} logits per grade, standard error {error:.2f}"
    if slope < -_BEYOND_CHANCE * error:
        message = f"anchors with higher grades have lower abilities: {estimate}"
        return (CalibrationWarning("anchors_reversed", message, indices),)
    message = f"the anchors' abilities do not rise with their grades beyond chance: {estimate}"
    return (CalibrationWarning("anchors_unordered", message, indices),)


def _slope(anchors: AnchorSet) -> tuple[float, float]:
    """Return the generalised least squares slope and its standard error."""
    design = np.column_stack([np.ones(len(anchors.grade)), anchors.grade])
    plain = np.linalg.lstsq(design, anchors.ability, rcond=None)[0][1]
    place = (ANCHOR_SPREAD * plain) ** 2 + 1e-9
    inverse = np.linalg.inv(anchors.covariance + place * np.eye(len(design)))
    covariance = np.linalg.inv(design.T @ inverse @ design)
    coefficients = covariance @ design.T @ inverse @ anchors.ability
    residual = anchors.ability - design @ coefficients
    free = len(design) - 2
    excess = residual @ inverse @ residual / free if free else 1.0
    return float(coefficients[1]), float(np.sqrt(covariance[1, 1] * max(1.0, excess)))


def outlying_anchors(curve: GradeCurve, ids: Ints, grade: Ints) -> tuple[CalibrationWarning, ...]:
    """Warn of the anchors whose grade is probably wrong.

    Parameters
    ----------
    curve : GradeCurve
        The calibration by all anchors.
    ids, grade : (a,) ndarray of int
        Essay indices and grade positions of the anchors.

    Returns
    -------
    tuple of CalibrationWarning
        One for each anchor of weight below one half.
    """
    doubtful = np.flatnonzero(curve.weight < _DOUBTFUL_WEIGHT)
    return tuple(
        CalibrationWarning(
            "anchor_misgraded",
            f"anchor {ids[k]} is {abs(curve.residual[k]):.2f} logits "
            f"{'above' if curve.residual[k] > 0 else 'below'} its grade position {grade[k]}; "
            f"its weight is {curve.weight[k]:.2f}: check its grade",
            (int(ids[k]),),
        )
        for k in doubtful
    )
