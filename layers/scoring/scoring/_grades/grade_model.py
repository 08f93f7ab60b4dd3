"""What every method of grade calibration starts from and ends with."""

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
# The least grade width, logits: keeps the model defined where anchors contradict their grades.
LEAST_WIDTH = 0.05


@dataclass(frozen=True)
class AnchorSet:
    """Graded anchors on the ability scale.

    Attributes
    ----------
    ability : (a,) logits.
    covariance : (a, a) logits squared.
    grade : (a,) positions 0 .. n_grades - 1.

    """

    ability: Floats
    covariance: Floats
    grade: Ints
    n_grades: int

    def kept(self, mask: Bools) -> AnchorSet:
        """Return the anchors where `mask` is True."""
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
    ability, variance : (t,) logits, logits squared.
    cross : (t, a) covariance with the anchors.

    """

    ability: Floats
    variance: Floats
    cross: Floats

    def against(self, mask: Bools) -> Targets:
        """Return the same essays with the anchors where `mask` is True."""
        return Targets(self.ability, self.variance, self.cross[:, mask])


@dataclass(frozen=True)
class BoundaryPrior:
    """What a population says about the boundaries: a normal with this mean and precision."""

    mean: Floats
    precision: Floats


@dataclass(frozen=True)
class GradeCurve:
    """Grades along the ability scale, as estimated by one method.

    Attributes
    ----------
    centres : (G,) ability at the centre of each grade.
    boundaries : (G - 1,) non-decreasing, between neighbouring grades.
    boundary_variance : (G - 1,)
    weight, residual : (a,) weight of each anchor and its distance from its grade's centre.
    distance : maps targets to mean and variance of (boundary - ability), `(t, G - 1)` each.

    """

    centres: Floats
    boundaries: Floats
    boundary_variance: Floats
    weight: Floats
    residual: Floats
    distance: Callable[[Targets], tuple[Floats, Floats]]

    def probabilities(self, targets: Targets) -> Floats:
        """Return P(grade) of every target, `(t, G)`; rows sum to 1.

        P(grade <= g) is the normal probability that boundary g is above the essay. Where boundaries
        of different uncertainty make it fall, the larger value is carried on.
        """
        from scipy.special import ndtr

        mean, variance = self.distance(targets)
        below = ndtr(mean / np.sqrt(np.maximum(variance, 1e-9)))
        rows = len(below)
        cumulative = np.concatenate([np.zeros((rows, 1)), below, np.ones((rows, 1))], axis=1)
        return np.diff(np.maximum.accumulate(cumulative, axis=1), axis=1)


def inverted(matrix: Floats) -> Floats:
    """Return the inverse of a small, well-conditioned matrix."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def least_squares_width(anchors: AnchorSet) -> float:
    """Return the slope of ability on grade position, at least `LEAST_WIDTH`, logits per grade."""
    grade = anchors.grade - anchors.grade.mean()
    return max(float(grade @ anchors.ability / (grade @ grade)), LEAST_WIDTH)


@dataclass(frozen=True)
class CalibrationWarning:
    """Something about the anchors that the caller should know.

    Attributes
    ----------
    code : `anchors_reversed`, `anchors_unordered`, `anchor_misgraded`, `grades_without_anchors` or
        `irreplaceable_anchors`.
    message : for people.
    anchors : the essays it is about.

    """

    code: str
    message: str
    anchors: tuple[int, ...] = ()


@dataclass(frozen=True)
class CalibrationReport:
    """How well each anchor is graded by the others (leave one out).

    Attributes
    ----------
    rps : mean ranked probability score, 0 best, 1 worst; None if no anchor can be left out.
    ece : expected calibration error of the likeliest grade; None likewise.
    n_anchors : anchors that could be left out.
    boundary_shift : (a,) the most that any boundary moves without the anchor, logits; NaN, with a
        warning, where without it fewer than two grades have anchors.

    """

    rps: float | None
    ece: float | None
    n_anchors: int
    boundary_shift: Floats
