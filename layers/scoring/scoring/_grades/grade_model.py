"""The inputs and outputs that all methods of grade calibration share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._types import Bools, Floats, Ints

# Scale of the spread of anchors around their grade's centre, in grade widths, and its degrees of
# freedom (Student t). The middle of that distribution matches anchors anywhere inside their grade
# (sd .29) under graders who differ by .25; its tails leave room for wrong grades.
ANCHOR_SPREAD = 0.3
ANCHOR_TAILS = 2.0
# Degrees of freedom where graders disagree: of their spread, and of the anchors' places then.
DISAGREEMENT_TAILS = 4.0
# The least grade width, logits: keeps the model defined where anchors contradict their grades.
LEAST_WIDTH = 0.05


@dataclass(frozen=True)
class AnchorSet:
    """Graded anchors on the ability scale.

    Attributes
    ----------
    ability : (a,) ndarray of float
        Logits.
    covariance : (a, a) ndarray of float
        Logits squared.
    grade : (a,) ndarray of int
        Positions 0 .. n_grades - 1.
    n_grades : int
        Grades of the scale.
    """

    ability: Floats
    covariance: Floats
    grade: Ints
    n_grades: int

    def select(self, mask: Bools) -> AnchorSet:
        """Return the anchors where `mask`, (a,), is True."""
        return AnchorSet(
            self.ability[mask], self.covariance[np.ix_(mask, mask)], self.grade[mask], self.n_grades
        )

    @property
    def n_distinct(self) -> int:
        """The number of grades that have an anchor."""
        return len(np.unique(self.grade))


@dataclass(frozen=True)
class Targets:
    """Essays to grade.

    Attributes
    ----------
    ability : (t,) ndarray of float
        Logits.
    variance : (t,) ndarray of float
        Logits squared.
    cross : (t, a) ndarray of float
        Covariance with the anchors, logits squared.
    """

    ability: Floats
    variance: Floats
    cross: Floats


@dataclass(frozen=True)
class BoundaryPrior:
    """Normal prior of the boundaries, from the grade shares of a population.

    Attributes
    ----------
    mean : (G - 1,) ndarray of float
        Logits.
    precision : (G - 1, G - 1) ndarray of float
        1 / logits squared.
    """

    mean: Floats
    precision: Floats


@dataclass(frozen=True)
class GradeCurve:
    """Grades along the ability scale, as estimated by one method.

    Attributes
    ----------
    centres : (G,) ndarray of float
        Ability at the centre of each grade, logits.
    boundaries : (G - 1,) ndarray of float
        Non-decreasing, between neighbouring grades, logits.
    boundary_variance : (G - 1,) ndarray of float
        Logits squared.
    weight : (a,) ndarray of float
        Of each anchor, 1 where nothing is evidence against its grade.
    residual : (a,) ndarray of float
        Ability of each anchor less the centre of its grade, logits.
    distance : callable
        Maps targets to mean and variance of (boundary - ability), (t, G - 1) each.
    """

    centres: Floats
    boundaries: Floats
    boundary_variance: Floats
    weight: Floats
    residual: Floats
    distance: Callable[[Targets], tuple[Floats, Floats]]

    def probabilities(self, targets: Targets) -> Floats:
        """Return P(grade) of every target.

        P(grade <= g) is the normal probability that boundary g is above the essay. Where boundaries
        of different uncertainty would make it fall, the larger value is kept.

        Parameters
        ----------
        targets : Targets
            The essays, t of them.

        Returns
        -------
        (t, G) ndarray of float
            Rows sum to 1.
        """
        from scipy.special import ndtr

        mean, variance = self.distance(targets)
        below = ndtr(mean / np.sqrt(np.maximum(variance, 1e-9)))
        rows = len(below)
        cumulative = np.concatenate([np.zeros((rows, 1)), below, np.ones((rows, 1))], axis=1)
        return np.diff(np.maximum.accumulate(cumulative, axis=1), axis=1)


def invert(matrix: Floats) -> Floats:
    """Return the inverse of a small, well-conditioned matrix.

    Parameters
    ----------
    matrix : (k, k) array

    Returns
    -------
    (k, k) array
    """
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def least_squares_width(anchors: AnchorSet) -> float:
    """Return the slope of ability on grade position, at least `LEAST_WIDTH`, logits per grade."""
    grade = anchors.grade - anchors.grade.mean()
    return max(float(grade @ anchors.ability / (grade @ grade)), LEAST_WIDTH)


@dataclass(frozen=True)
class CalibrationWarning:
    """A warning about the anchors.

    Attributes
    ----------
    code : str
        `anchors_reversed`, `anchors_unordered`, `anchor_misgraded`, `grades_without_anchors` or
        `irreplaceable_anchors`.
    message : str
        A sentence for people.
    anchors : tuple of int
        Indices of the essays concerned.
    """

    code: str
    message: str
    anchors: tuple[int, ...] = ()


@dataclass(frozen=True)
class CalibrationReport:
    """How well each anchor is graded by the others (leave one out).

    Attributes
    ----------
    rps : float or None
        Mean ranked probability score, 0 best, 1 worst; None if no anchor can be left out.
    ece : float or None
        Expected calibration error of the likeliest grade; None likewise.
    n_anchors : int
        Anchors that could be left out.
    boundary_shift : (a,) ndarray of float
        The most that any boundary moves without the anchor, logits; NaN, with a warning, where
        without it fewer than two grades have anchors.
    probabilities : (a, G) ndarray of float
        P(grade) of each anchor by the others; NaN where it cannot be left out.
    curves : tuple of (GradeCurve or None), a of them
        The calibration without each anchor.
    """

    rps: float | None
    ece: float | None
    n_anchors: int
    boundary_shift: Floats
    probabilities: Floats
    curves: tuple[GradeCurve | None, ...]
