"""From abilities to grades: a probability of every grade for every student essay.

Anchors, essays whose grades are known, lie on the same ability scale as the students. A method
places the boundaries between grades from them:

- `gls` (default): joint Gaussian model of line, grades, anchors and students
  (`scoring._grades.grade_gls`).
- `isotonic`: monotone regression, shrunk toward a line (`scoring._grades.grade_smoothers`).
- `medians`: median anchor of each grade, midpoints between; kept as a check.

The first two carry the uncertainty of ability, anchors and boundaries, and what these share, into
the probabilities. All give non-decreasing boundaries, whatever the anchors say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scoring._grades.anchor_health import (
    leave_one_out,
    order_warnings,
    outlying_anchors,
    ranked_probability_score,
)
from scoring._grades.anchor_likelihood import ExcessVarianceError, remove_anchor_prior
from scoring._grades.grade_gls import gls_curve
from scoring._grades.grade_model import (
    AnchorSet,
    BoundaryPrior,
    CalibrationReport,
    CalibrationWarning,
    GradeCurve,
    Targets,
    invert,
)
from scoring._grades.grade_smoothers import isotonic_curve, median_curve
from scoring._indices import check_distinct_essays
from scoring.errors import CalibrationError, FewAnchorGradesError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Floats, Ints

__all__ = [
    "Calibration",
    "CalibrationReport",
    "CalibrationWarning",
    "calibrate",
    "ranked_probability_score",
]

Method = Literal["gls", "isotonic", "medians"]

# How well a population's shares predict the boundaries of one batch, in standard deviations of its
# students: the batch as a whole may be off by .3, each boundary by another .15.
_COMMON_SHIFT = 0.3
_OWN_SHIFT = 0.15
# How far a population's shares may be from summing to 1.
_ROUNDING = 1e-6
# Shares of the population below this do not push a boundary further out.
_LEAST_SHARE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """Grades along the ability scale, and the students' probabilities.

    Attributes
    ----------
    probabilities : (s, G) ndarray of float
        P(grade) of every student; rows sum to 1.
    boundaries : (G - 1,) ndarray of float
        Abilities, logits, non-decreasing; boundary g parts grades g and g + 1.
    boundary_se : (G - 1,) ndarray of float
        Their standard errors, logits.
    grade_centres : (G,) ndarray of float
        Ability in the middle of each grade, logits.
    anchor_weight : (a,) ndarray of float
        How much each anchor counts: 1 or more if it fits, below .5 if its grade is probably wrong.
    anchor_residual : (a,) ndarray of float
        Ability less the centre of its grade, logits.
    extrapolated_grades : tuple of int
        Grades without an anchor; their place follows from the others.
    warnings : tuple of CalibrationWarning
        What the caller should know.
    report : CalibrationReport
        How well the anchors predict each other.
    method : Method
        The method used.
    curve : GradeCurve
        The same grades along the scale, for further essays.
    anchors : AnchorSet
        The anchors without their prior, from which the grades were placed.
    """

    probabilities: Floats
    boundaries: Floats
    boundary_se: Floats
    grade_centres: Floats
    anchor_weight: Floats
    anchor_residual: Floats
    extrapolated_grades: tuple[int, ...]
    warnings: tuple[CalibrationWarning, ...]
    report: CalibrationReport
    method: Method
    curve: GradeCurve
    anchors: AnchorSet

    def replace_curve(self, curve: GradeCurve, probabilities: Floats) -> Calibration:
        """Return the calibration with grades that were placed in another way."""
        return replace(
            self,
            probabilities=probabilities,
            boundaries=curve.boundaries,
            boundary_se=np.sqrt(curve.boundary_variance),
            grade_centres=curve.centres,
            anchor_residual=curve.residual,
            curve=curve,
        )


def calibrate(
    ability: ArrayLike,
    covariance: ArrayLike,
    *,
    anchors: ArrayLike,
    anchor_grade: ArrayLike,
    n_grades: int,
    students: ArrayLike,
    method: Method = "gls",
    population: ArrayLike | None = None,
    population_weight: float = 1.0,
    prior_sd: float = 2.0,
) -> Calibration:
    """Turn abilities into grade probabilities by graded anchors.

    Parameters
    ----------
    ability : (n,) array_like of float
        Abilities, logits, from `scoring.fit`.
    covariance : (n, n) array_like of float
        Their joint covariance, logits squared.
    anchors, anchor_grade : (a,) array_like of int
        Anchor essays and the positions of their grades, 0 the lowest.
    n_grades : int
        Number of grades G.
    students : (s,) array_like of int
        Essays to grade, none of them an anchor.
    method : Method
        See the module.
    population : (G,) array_like of float, optional
        Shares of the grades among such students in the past. A soft prior on the boundaries, for
        `gls` only: never the anchors' own frequencies.
    population_weight : float
        Multiplies the prior's precision; 0 ignores it.
    prior_sd : float
        The prior standard deviation of the fit, logits; `numpy.inf` for estimators without one.
        Students keep that prior, anchors get their grades instead
        (`scoring._grades.anchor_likelihood`).

    Returns
    -------
    Calibration

    Raises
    ------
    FewAnchorGradesError
        Fewer than two distinct grades among the anchors.
    CalibrationError
        An argument is out of range, has the wrong shape, or does not fit the others.
    """
    theta, cov = _check_estimates(ability, covariance)
    ids = check_distinct_essays("anchors", anchors, len(theta), CalibrationError)
    graded = check_distinct_essays("students", students, len(theta), CalibrationError)
    if np.isin(graded, ids).any():
        essay = graded[np.isin(graded, ids)][0]
        raise CalibrationError(f"students and anchors share essay {essay}: it is one or the other")
    grade = _check_grades(anchor_grade, len(ids), n_grades)
    shares = _check_population(population, population_weight, n_grades, method)
    anchor_set, targets = _joint(theta, cov, ids, graded, grade, n_grades, prior_sd)
    prior = None
    if shares is not None and population_weight > 0 and len(graded):
        prior = _boundary_prior(targets, shares, population_weight)
    curve = _curve(method, anchor_set, prior)
    report = leave_one_out(anchor_set, curve, lambda kept: _curve(method, kept, prior))
    missing = tuple(int(g) for g in np.setdiff1d(np.arange(n_grades), grade))
    return Calibration(
        probabilities=curve.probabilities(targets),
        boundaries=curve.boundaries,
        boundary_se=np.sqrt(curve.boundary_variance),
        grade_centres=curve.centres,
        anchor_weight=curve.weight,
        anchor_residual=curve.residual,
        extrapolated_grades=missing,
        warnings=(
            *order_warnings(anchor_set, ids),
            *outlying_anchors(curve, ids, grade),
            *_gap_warnings(missing),
            *_lone_anchor_warnings(report, ids),
        ),
        report=report,
        method=method,
        curve=curve,
        anchors=anchor_set,
    )


def _joint(
    theta: Floats,
    cov: Floats,
    ids: Ints,
    graded: Ints,
    grade: Ints,
    n_grades: int,
    prior_sd: float,
) -> tuple[AnchorSet, Targets]:
    if not prior_sd > 0:
        raise CalibrationError(f"prior_sd is {prior_sd}: give the positive prior sd of the fit")
    try:
        ability, covariance, targets = remove_anchor_prior(theta, cov, ids, graded, prior_sd)
    except ExcessVarianceError:
        raise CalibrationError(
            f"prior_sd is {prior_sd}, but covariance is larger than such a prior allows: give the "
            "prior_sd of the fit, or numpy.inf if it had none"
        ) from None
    return AnchorSet(ability, covariance, grade, n_grades), targets


def _curve(method: Method, anchors: AnchorSet, prior: BoundaryPrior | None) -> GradeCurve:
    gls = gls_curve(anchors, prior)
    if method == "gls":
        return gls
    return (isotonic_curve if method == "isotonic" else median_curve)(anchors, gls.weight)


def _boundary_prior(targets: Targets, shares: Floats, weight: float) -> BoundaryPrior:
    """Place the boundaries at the population's quantiles of the students' abilities.

    The spread of true abilities is that of the estimates plus their mean variance, because
    estimates under a prior are shrunken.
    """
    from scipy.special import ndtri

    cumulative = np.clip(np.cumsum(shares)[:-1], _LEAST_SHARE, 1.0 - _LEAST_SHARE)
    sd = np.sqrt(targets.ability.var() + targets.variance.mean())
    k = len(cumulative)
    doubt = sd**2 * (_COMMON_SHIFT**2 * np.ones((k, k)) + _OWN_SHIFT**2 * np.eye(k))
    return BoundaryPrior(
        mean=targets.ability.mean() + sd * ndtri(cumulative),
        precision=weight * invert(doubt),
    )


def _gap_warnings(missing: tuple[int, ...]) -> tuple[CalibrationWarning, ...]:
    if not missing:
        return ()
    positions = ", ".join(map(str, missing))
    message = f"no anchor at grade position {positions}: placed by the line through the others"
    return (CalibrationWarning("grades_without_anchors", message),)


def _lone_anchor_warnings(report: CalibrationReport, ids: Ints) -> tuple[CalibrationWarning, ...]:
    lone = tuple(int(a) for a in ids[np.isnan(report.boundary_shift)])
    if not lone:
        return ()
    message = (
        "without one of these anchors a single grade is left: their influence cannot be measured "
        "and their boundary_shift is NaN; add anchors"
    )
    return (CalibrationWarning("irreplaceable_anchors", message, lone),)


def _check_estimates(ability: ArrayLike, covariance: ArrayLike) -> tuple[Floats, Floats]:
    theta = np.asarray(ability, dtype=np.float64)
    cov = np.asarray(covariance, dtype=np.float64)
    if theta.ndim != 1 or not len(theta):
        raise CalibrationError(f"ability has shape {theta.shape}: give one number per essay")
    if cov.shape != (len(theta), len(theta)):
        raise CalibrationError(f"covariance has shape {cov.shape}: it must be {(len(theta),) * 2}")
    for name, values in (("ability", theta), ("covariance", cov)):
        if not np.isfinite(values).all():
            raise CalibrationError(f"{name} has values that are not finite numbers")
    if (cov.diagonal() < 0).any():
        raise CalibrationError(f"covariance is negative at essay {int(cov.diagonal().argmin())}")
    return theta, cov


def _check_grades(values: ArrayLike, n_anchors: int, n_grades: int) -> Ints:
    if n_grades <= 1:
        raise CalibrationError(f"n_grades is {n_grades}: a scale has at least 2 grades")
    array = np.asarray(values)
    if array.shape != (n_anchors,):
        raise CalibrationError(f"anchor_grade has shape {array.shape}: give {n_anchors} positions")
    if not n_anchors:
        raise FewAnchorGradesError("anchors is empty: boundaries need anchors of 2 grades or more")
    if array.dtype.kind not in "iu":
        raise CalibrationError("anchor_grade must be whole numbers, the positions of the grades")
    if array.min() < 0 or array.max() >= n_grades:
        wrong = array[(array < 0) | (array >= n_grades)][0]
        raise CalibrationError(f"anchor_grade has position {wrong}: grades are 0 to {n_grades - 1}")
    distinct = len(np.unique(array))
    if distinct == 1:
        raise FewAnchorGradesError(
            f"anchor_grade is {array[0]} throughout: boundaries need anchors of 2 grades or more"
        )
    return array.astype(np.int64)


def _check_population(
    values: ArrayLike | None, weight: float, n_grades: int, method: Method
) -> Floats | None:
    if method not in get_args(Method):
        raise CalibrationError(f"method is {method!r}: choose one of {get_args(Method)}")
    if not 0 <= weight < np.inf:
        raise CalibrationError(f"population_weight is {weight}: give a number of 0 or more")
    if values is None:
        return None
    if method != "gls":
        raise CalibrationError(f"population is for method 'gls': method {method!r} has no prior")
    shares = np.asarray(values, dtype=np.float64)
    if shares.shape != (n_grades,):
        raise CalibrationError(f"population has shape {shares.shape}: give {n_grades} shares")
    if not (shares >= 0).all() or abs(shares.sum() - 1) > _ROUNDING:
        raise CalibrationError("population must be shares of 0 or more that sum to 1")
    return shares
