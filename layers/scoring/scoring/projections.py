"""Grades of a batch: calibration, the graders' disagreement, and the anchors graded by each other.

`scoring.grades` places the grades; where the anchors show that their graders disagree,
`scoring.grader_spread` gives the probabilities, and `scoring.grade_cuts` those that sets are made
of. Each anchor is graded by the others in the same way, which is what `scoring.grade_sets` learns
from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoring.batch_fit import covering_prior_sd
from scoring.grade_cuts import LEAST_STUDENTS, draw_cuts, read_class
from scoring.grader_spread import (
    AnchorSpread,
    anchor_spread,
    noisy_probabilities,
    place_grades,
    remove_prior,
)
from scoring.grades import Calibration, Method, calibrate

if TYPE_CHECKING:
    from scoring import Fit
    from scoring._grades.grade_model import GradeCurve
    from scoring._types import Floats, Ints


@dataclass(frozen=True)
class AnchorGrades:
    """The anchors of a batch and what is known of the grades beforehand.

    Attributes
    ----------
    essays, grade : (a,) ndarray of int
        Essay indices and grade positions, 0 the lowest.
    n_grades : int
        Grades of the scale, G.
    population : (G,) ndarray of float or None
        Shares of the grades among such students; for `gls` only.
    population_weight : float
        What the shares are worth, see `scoring.grades.calibrate`.
    """

    essays: Ints
    grade: Ints
    n_grades: int
    population: Floats | None = None
    population_weight: float = 1.0


class ClassGrades(NamedTuple):
    """Grade distributions that take grades for as common as they are in the class.

    Attributes
    ----------
    students : (s, G) ndarray of float
        P(grade); rows sum to 1.
    anchors : (a, G) ndarray of float
        P(grade) by the other anchors; NaN where without the anchor one grade is left.
    """

    students: Floats
    anchors: Floats


@dataclass(frozen=True)
class Projection:
    """Grade distributions of students, and of anchors by the other anchors.

    Attributes
    ----------
    calibration : Calibration
        Where the grades lie.
    spread : AnchorSpread
        How far the anchors lie from the centres of their grades.
    probabilities : (s, G) ndarray of float
        P(grade) of the students; rows sum to 1.
    anchor_probabilities : (a, G) ndarray of float
        P(grade) of each anchor by the others; NaN where without it one grade is left.
    by_class : ClassGrades or None
        By `scoring.grade_cuts`; None where the other two do not take all grades for equally common.
    """

    calibration: Calibration
    spread: AnchorSpread
    probabilities: Floats
    anchor_probabilities: Floats
    by_class: ClassGrades | None = None

    @property
    def set_probabilities(self) -> Floats:
        """The students' distributions that sets are made of, (s, G)."""
        return self.probabilities if self.by_class is None else self.by_class.students

    @property
    def anchor_set_probabilities(self) -> Floats:
        """The anchors' distributions that sets are made of, (a, G)."""
        return self.anchor_probabilities if self.by_class is None else self.by_class.anchors


def project(
    fit: Fit,
    anchors: AnchorGrades,
    *,
    students: Ints,
    method: Method = "gls",
    linked: tuple[Floats, Floats] | None = None,
) -> Projection:
    """Grade students by anchors.

    Parameters
    ----------
    fit : Fit
        Of the batch, best at one spread of abilities: what is uncertain about the spread stretches
        students and anchors alike, and no grade depends on it.
    anchors : AnchorGrades
    students : (s,) ndarray of int
        Essays to grade.
    method : Method
        See `scoring.grades`.
    linked : ((n,) ndarray, (n, n) ndarray) or None
        Abilities and covariance conditioned on earlier batches, logits; None for the fit's own.

    Returns
    -------
    Projection

    Raises
    ------
    FewAnchorGradesError, CalibrationError
        See `scoring.grades.calibrate`.
    """
    prior_sd = covering_prior_sd(fit, anchors.essays)
    ability, covariance = linked or (fit.ability, fit.covariance)

    def calibrate_anchors(*, with_population: bool) -> Calibration:
        return calibrate(
            ability,
            covariance,
            anchors=anchors.essays,
            anchor_grade=anchors.grade,
            n_grades=anchors.n_grades,
            students=students,
            method=method,
            population=anchors.population if with_population else None,
            population_weight=anchors.population_weight,
            prior_sd=prior_sd,
        )

    calibration = calibrate_anchors(with_population=False)
    reading = _Reading(anchors, *remove_prior(fit, prior_sd))
    everyone = np.ones(len(anchors.essays), dtype=bool)
    spread = reading.spread(calibration.curve, everyone)
    is_noisy = method == "gls" and spread.is_noisy
    if is_noisy:
        curve, spread = reading.place_grades(calibration, spread, everyone)
        probabilities = reading.probabilities(curve, spread, students)
        calibration = calibration.replace_curve(curve, probabilities)
    elif anchors.population is not None and method == "gls":
        calibration = calibrate_anchors(with_population=True)
    left_out = _project_left_out(calibration, reading, method)
    by_class = None
    if is_noisy and reading.is_class_known(students):
        by_class = reading.grade_by_class(students, left_out)
    return Projection(calibration, spread, calibration.probabilities, left_out, by_class)


@dataclass(frozen=True)
class _Reading:
    """Grades read off by the verdicts alone: `ability` and `variance`, (n,), have no prior."""

    anchors: AnchorGrades
    ability: Floats
    variance: Floats

    def spread(self, curve: GradeCurve, kept: np.ndarray) -> AnchorSpread:
        return anchor_spread(curve, self.variance[self.anchors.essays[kept]])

    def place_grades(
        self, calibration: Calibration, spread: AnchorSpread, kept: np.ndarray
    ) -> tuple[GradeCurve, AnchorSpread]:
        error_variance = self.variance[self.anchors.essays[kept]]
        return place_grades(calibration.anchors.select(kept), error_variance, spread)

    def probabilities(self, curve: GradeCurve, spread: AnchorSpread, essays: Ints) -> Floats:
        return noisy_probabilities(
            curve,
            spread,
            ability=self.ability[essays],
            variance=self.variance[essays],
            population=self.anchors.population,
            population_weight=self.anchors.population_weight,
        )

    def is_class_known(self, students: Ints) -> bool:
        """Whether the students alone say how common grades are."""
        population = self.anchors.population
        is_told = population is not None and self.anchors.population_weight > 0.0
        return not is_told and len(students) >= LEAST_STUDENTS

    def grade_by_class(self, students: Ints, left_out: Floats) -> ClassGrades:
        """Grade by the shares of the class; no anchor that `left_out` could not leave out."""
        readings = read_class(self.ability, self.variance, students)
        own = self.anchors
        cuts = draw_cuts(readings.select(own.essays), own.grade, own.n_grades)
        by_others = np.where(np.isnan(left_out), np.nan, cuts.anchor_probabilities())
        return ClassGrades(cuts.probabilities(readings.select(students)), by_others)


def _project_left_out(calibration: Calibration, reading: _Reading, method: Method) -> Floats:
    """P(grade) of each anchor as a student would get it from the other anchors, (a, G)."""
    essays = reading.anchors.essays
    probabilities = calibration.report.probabilities.copy()
    if method != "gls":
        return probabilities
    for row, curve in enumerate(calibration.report.curves):
        if curve is None:
            continue
        kept = np.arange(len(essays)) != row
        spread = reading.spread(curve, kept)
        if spread.is_noisy:
            placed = reading.place_grades(calibration, spread, kept)
            probabilities[row] = reading.probabilities(*placed, essays[[row]])[0]
    return probabilities
