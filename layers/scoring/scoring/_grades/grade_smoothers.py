"""Grade calibration by linear smoothers of the anchors: monotone regression, and medians."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._grades.grade_model import (
    ANCHOR_SPREAD,
    AnchorSet,
    GradeCurve,
    Targets,
    least_squares_width,
)
from scoring._grades.isotonic import isotonic_regression, pooling_matrix

if TYPE_CHECKING:
    from scoring._types import Floats

# Standard deviation of a grade's centre around the line, in grade widths, before pooling.
_SHRINKAGE = 0.15


def isotonic_curve(anchors: AnchorSet, weight: Floats) -> GradeCurve:
    """Shrink the mean anchor of each grade toward a line, then pool until the centres rise.

    A grade with few or uncertain anchors stays near the line; one without anchors is on it. The
    centres are linear in the anchors' abilities, so that the boundaries' uncertainty follows from
    that of the anchors, including its covariance with the students.

    Parameters
    ----------
    anchors : AnchorSet
        Of at least two grades.
    weight : (a,) ndarray of float
        Of the anchors, from the `gls` model.

    Returns
    -------
    GradeCurve
    """
    width = least_squares_width(anchors)
    place = (ANCHOR_SPREAD * width) ** 2 / weight
    centres = _shrunk_rows(anchors, 1.0 / (anchors.covariance.diagonal() + place), width)
    return _curve(
        anchors, centres, anchors.covariance + np.diag(place), weight, propagates_error=True
    )


def median_curve(anchors: AnchorSet, weight: Floats) -> GradeCurve:
    """Take the median anchor of each grade as its centre: the simplest method, for comparison.

    Grades without anchors lie on straight lines between, or beyond, the others. Boundaries are
    midpoints and are taken as exact: only the essay's own standard error enters the probabilities.

    Parameters
    ----------
    anchors : AnchorSet
        Of at least two grades.
    weight : (a,) ndarray of float
        Of the anchors, from the `gls` model; reported, not used.

    Returns
    -------
    GradeCurve
    """
    present, counts = np.unique(anchors.grade, return_counts=True)
    medians = np.stack([_median_row(anchors, grade) for grade in present])
    pooled = pooling_matrix(medians @ anchors.ability, counts.astype(float)) @ medians
    centres = _interpolation_matrix(anchors.n_grades, present) @ pooled
    return _curve(anchors, centres, anchors.covariance, weight, propagates_error=False)


def _curve(
    anchors: AnchorSet, centres: Floats, spread: Floats, weight: Floats, *, propagates_error: bool
) -> GradeCurve:
    """Build the curve of a smoother whose centres are `centres @ ability`.

    Parameters
    ----------
    anchors : AnchorSet
        a anchors on a scale of G grades.
    centres : (G, a) array
        Turns the anchors' abilities into grade centres.
    spread : (a, a) array
        Covariance of the anchors' places, logits^2.
    weight : (a,) array
        Of the anchors, reported only.
    propagates_error : bool
        Whether the distance of an essay to a boundary has the boundary's error in it.

    Returns
    -------
    GradeCurve
    """
    centres = pooling_matrix(centres @ anchors.ability) @ centres
    edges = (centres[1:] + centres[:-1]) / 2.0
    boundaries = isotonic_regression(edges @ anchors.ability)
    edge_variance = ((edges @ spread) * edges).sum(axis=1)

    def distance(targets: Targets) -> tuple[Floats, Floats]:
        mean = boundaries - targets.ability[:, None]
        own = targets.variance[:, None]
        if not propagates_error:
            return mean, np.broadcast_to(own, mean.shape)
        return mean, own + edge_variance - 2.0 * targets.cross @ edges.T

    return GradeCurve(
        centres=isotonic_regression(centres @ anchors.ability),
        boundaries=boundaries,
        boundary_variance=edge_variance,
        weight=weight,
        residual=anchors.ability - (centres @ anchors.ability)[anchors.grade],
        distance=distance,
    )


def _shrunk_rows(anchors: AnchorSet, precision: Floats, width: float) -> Floats:
    """Return rows that turn anchor abilities into grade centres shrunk to their line, (G, a)."""
    design = np.column_stack([np.ones(len(precision)), anchors.grade])
    weighted = design.T * precision
    line = np.linalg.solve(weighted @ design, weighted)
    every = np.column_stack([np.ones(anchors.n_grades), np.arange(anchors.n_grades)])
    pull = (_SHRINKAGE * width) ** -2
    own = (np.arange(anchors.n_grades)[:, None] == anchors.grade) * precision
    rows: Floats = (pull * (every @ line) + own) / (pull + own.sum(axis=1, keepdims=True))
    return rows


def _median_row(anchors: AnchorSet, grade: int) -> Floats:
    """Return the row that picks the median anchor of a grade, or averages the middle two, (a,)."""
    members = np.flatnonzero(anchors.grade == grade)
    ranked = members[np.argsort(anchors.ability[members], kind="stable")]
    row = np.zeros(len(anchors.grade))
    for middle in ((len(ranked) - 1) // 2, len(ranked) // 2):
        row[ranked[middle]] += 0.5
    return row


def _interpolation_matrix(n_grades: int, present: np.ndarray) -> Floats:
    """Return the matrix that extends centres of the present grades linearly to all, (G, p)."""
    matrix = np.zeros((n_grades, len(present)))
    for grade in range(n_grades):
        right = int(np.searchsorted(present, grade))
        # Beyond the outermost anchors the whole scale's slope is steadier than that of the last
        # gap.
        left, right = (right - 1, right) if 0 < right < len(present) else (0, len(present) - 1)
        share = (grade - present[left]) / (present[right] - present[left])
        matrix[grade, left] += 1.0 - share
        matrix[grade, right] += share
    return matrix
