"""Grade calibration by generalised least squares: line, deviations of grades, spread of anchors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._grades.grade_model import (
    ANCHOR_SPREAD,
    ANCHOR_TAILS,
    DISAGREEMENT_TAILS,
    LEAST_WIDTH,
    AnchorSet,
    BoundaryPrior,
    GradeCurve,
    Targets,
    invert,
    least_squares_width,
)
from scoring._grades.isotonic import isotonic_regression

if TYPE_CHECKING:
    from scoring._types import Floats

# Standard deviation of a grade's centre around the line, in grade widths.
_GRADE_DEVIATION = 0.15
# Prior precision of the line's two coefficients: a standard deviation of 100 logits.
_FLAT = 1e-4
_MOST_ITERATIONS = 100
# Change of width (logits) and weights at which the iteration stops.
_CONVERGED = 1e-6


def gls_curve(
    anchors: AnchorSet, prior: BoundaryPrior | None, *, spread: float | None = None
) -> GradeCurve:
    """Fit the joint Gaussian model of anchors and students.

    ability of anchor k = alpha + width * g_k + delta_(g_k) + w_k + e_k, where g is the grade
    position from the middle of the scale, delta ~ N(0, (.15 width)^2) the deviation of a grade, w ~
    Student-t of scale .3 width and 2 degrees of freedom the place of an anchor in its grade, and e
    the measurement error, which is correlated with that of the students. Given width and the
    anchors' t weights everything is normal and in closed form; the two are iterated (ECM, Liu &
    Rubin, Biometrika 81, 1994). Boundaries are midpoints of neighbouring grades and are made
    monotone by pooling.

    Where graders disagree, anchors lie further out than that: almost all would lose weight, and the
    line would be less certain than it is. With their measured spread w has that scale and 4 degrees
    of freedom.

    Parameters
    ----------
    anchors : AnchorSet
        Of at least two grades.
    prior : BoundaryPrior or None
        Of the boundaries, logits.
    spread : float, optional
        The measured scale of the anchors' places around their grades' centres, logits.

    Returns
    -------
    GradeCurve
    """
    grades = _grade_rows(anchors.n_grades)
    edges = (grades[1:] + grades[:-1]) / 2.0
    rows = grades[anchors.grade]
    width, weight = least_squares_width(anchors), np.ones(len(rows))
    tails = ANCHOR_TAILS if spread is None else DISAGREEMENT_TAILS
    for _ in range(_MOST_ITERATIONS):
        place = (ANCHOR_SPREAD * width if spread is None else spread) ** 2
        inverse = invert(anchors.covariance + np.diag(place / weight))
        doubt, coefficients = _posterior(anchors, rows, edges, inverse, width, prior)
        residual = anchors.ability - rows @ coefficients
        places = _Places(weight, place, tails)
        before, weight = weight, places.reweigh(residual, inverse, rows, doubt)
        change = abs(coefficients[1] - width) + np.abs(weight - before).max()
        width = max(float(coefficients[1]), LEAST_WIDTH)
        if change < _CONVERGED:
            break
    boundaries = isotonic_regression(edges @ coefficients)
    edge_doubt = edges @ doubt
    edge_variance = (edge_doubt * edges).sum(axis=1)

    def distance(targets: Targets) -> tuple[Floats, Floats]:
        gain = targets.cross @ inverse
        rest = targets.variance - (gain * targets.cross).sum(axis=1)
        leverage = gain @ rows
        mean = boundaries - (targets.ability - gain @ residual)[:, None]
        shared = leverage @ edge_doubt.T
        own = rest + (leverage @ doubt * leverage).sum(axis=1)
        return mean, edge_variance - 2.0 * shared + own[:, None]

    return GradeCurve(
        centres=isotonic_regression(grades @ coefficients),
        boundaries=boundaries,
        boundary_variance=edge_variance,
        weight=weight,
        residual=residual,
        distance=distance,
    )


def _grade_rows(n_grades: int) -> Floats:
    """Return the design row of every grade: 1, position from the middle, own deviation."""
    position = np.arange(n_grades) - (n_grades - 1) / 2.0
    return np.column_stack([np.ones(n_grades), position, np.eye(n_grades)])


def _posterior(
    anchors: AnchorSet,
    rows: Floats,
    edges: Floats,
    inverse: Floats,
    width: float,
    prior: BoundaryPrior | None,
) -> tuple[Floats, Floats]:
    """Return covariance and mean of (alpha, width, deviations)."""
    deviation = np.full(anchors.n_grades, (_GRADE_DEVIATION * width) ** -2)
    precision = np.diag(np.concatenate([[_FLAT, _FLAT], deviation])) + rows.T @ inverse @ rows
    pull = rows.T @ inverse @ anchors.ability
    if prior is not None:
        precision += edges.T @ prior.precision @ edges
        pull += edges.T @ prior.precision @ prior.mean
    covariance = invert(precision)
    return covariance, covariance @ pull


@dataclass(frozen=True)
class _Places:
    """Anchors' places in their grades: Student t of scale sqrt(`square`), as weighted normals."""

    weight: Floats
    square: float
    tails: float

    def reweigh(self, residual: Floats, inverse: Floats, rows: Floats, doubt: Floats) -> Floats:
        """Return the expected precision factors of the places, conditional on all abilities.

        (nu + 1) / (nu + E[w^2] / scale^2), with the posterior mean and variance of w: an anchor
        loses weight because it lies far from its grade, not because it is measured poorly.
        """
        prior = self.square / self.weight
        projection = inverse - inverse @ rows @ doubt @ rows.T @ inverse
        mean = prior * (inverse @ residual)
        variance = prior - prior**2 * projection.diagonal()
        factors: Floats = (self.tails + 1.0) / (self.tails + (mean**2 + variance) / self.square)
        return factors
