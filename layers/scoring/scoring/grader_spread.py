"""Grades from anchors whose graders disagree.

`scoring.grades` assumes that an essay's grade is the band its ability lies in, and that anchors lie
inside their bands up to a small error of grading. Human grades are noisier: two raters of one essay
often differ by a grade. Where the anchors show such a spread, the band alone does not determine the
grade that the grader would give. Its probability then follows from Bayes' theorem, with the spread
of the anchors (linear discriminant analysis with known shares, Fisher 1936):

    P(grade g | essay) ~ share of g * t(ability; centre of g, spread^2 + error^2)

A few anchors tell little about their spread: eight that happen to lie well would promise grades
that do not hold. The estimate is therefore shrunk toward the spread of ordinary graders, and a
Student t stands for the Normal, with as many degrees of freedom as the estimate has.

Centres are placed again under that spread (`place_grades`). Under the one that `scoring.grades`
assumes they would hang on the few anchors that happen to lie close to the line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoring import Fit
from scoring._grades.grade_gls import gls_curve
from scoring._grades.grade_model import (
    ANCHOR_SPREAD,
    DISAGREEMENT_TAILS,
    AnchorSet,
    GradeCurve,
)
from scoring._root import find_zero
from scoring._types import Floats

EXPECTED_SPREAD = ANCHOR_SPREAD
"""Spread of anchors in grade widths that `scoring.grades` assumes."""

# Above this spread, in grade widths, the anchors are noisier than places within a band explain.
_NOISY_ABOVE = 0.4
# Two raters who give the same grade to somewhat more than half of the essays lie about this many
# widths from the centres: .29 for the place within the grade, .5 for the rater.
_USUAL_SPREAD = 0.6
# So many residuals the usual spread is worth.
_USUAL_DEGREES = 4.0
_LEAST_SPREAD = 0.15
_MOST_SPREAD = 3.0
# Student-t weights of the residuals, so that a few wrong grades do not dominate. The spread
# is used as a Normal's: _CONSISTENT is what a weighted square is worth on average under a Normal,
# E[(t + 1) z^2 / (t + z^2)] (Huber 1981, Robust Statistics, section 5.2).
_CONSISTENT = 0.7863
# Degrees of freedom that the line and the deviations of grades use, about.
_FITTED = 3.0
# An anchor this many standard deviations off the spread of all others is wrong, not noisy.
_LONE_OUTLIER = 3.0
_LEAST_SHARE = 1e-3
_LEAST_INFORMATION = 1e-3
# Of a spread, in grade widths.
_TOLERANCE = 1e-12
# How often spread and centres are estimated in turn; a third time changes nothing that counts.
_ROUNDS = 2


@dataclass(frozen=True)
class AnchorSpread:
    """Scale of the anchors' places around the centres of their grades.

    Attributes
    ----------
    logits : float
        The scale, logits.
    width : float
        Mean width of a grade, logits.
    degrees : float
        Degrees of freedom of the estimate, those of its prior included.
    measured : float or None
        The same scale by the anchors alone, logits; None for three anchors or fewer.
    is_noisy : bool
        Whether the anchors' grades are noisier than `scoring.grades` assumes.
    """

    logits: float
    width: float
    degrees: float
    measured: float | None
    is_noisy: bool

    @property
    def width_ratio(self) -> float:
        """The spread in grade widths."""
        return self.logits / self.width

    @property
    def is_measured_noisy(self) -> bool:
        """Whether the anchors alone show it, without what is assumed of ordinary graders."""
        return self.measured is not None and self.measured / self.width > _NOISY_ABOVE


def remove_prior(fitted: Fit, prior_sd: float) -> tuple[Floats, Floats]:
    """Return the abilities by the verdicts alone: each essay's prior is divided out.

    Parameters
    ----------
    fitted : Fit
        A fit of n essays.
    prior_sd : float
        Its prior standard deviation, logits; infinite if it had no prior.

    Returns
    -------
    ability : (n,) ndarray of float
        Logits.
    variance : (n,) ndarray of float
        Logits squared.
    """
    information = fitted.standard_error**-2 - prior_sd**-2
    variance: Floats = 1.0 / np.maximum(information, _LEAST_INFORMATION)
    return fitted.ability * variance / fitted.standard_error**2, variance


def anchor_spread(curve: GradeCurve, error_variance: Floats) -> AnchorSpread:
    """Return the anchors' spread beyond their measurement errors, by a robust scale estimate.

    Shrunk toward `_USUAL_SPREAD` as if `_USUAL_DEGREES` residuals had shown that.

    Parameters
    ----------
    curve : GradeCurve
        Of `scoring.grades`, without a population's prior. `noisy_probabilities` applies that prior;
        here it would count twice.
    error_variance : (a,) ndarray of float
        Squared standard errors of the anchors' abilities, logits squared.

    Returns
    -------
    AnchorSpread
    """
    width, residual = _mean_width(curve), curve.residual
    degrees = _degrees_of_freedom(residual)
    worst = int(np.argmin(curve.weight))
    others = np.arange(len(residual)) != worst
    alone = _scale(residual[others], error_variance[others], width)
    if abs(residual[worst]) > _LONE_OUTLIER * np.sqrt(alone**2 + error_variance[worst]):
        residual, error_variance = residual[others], error_variance[others]
    logits = _scale(residual, error_variance, width)
    return AnchorSpread(
        logits=logits,
        width=width,
        degrees=degrees,
        measured=_scale(residual, error_variance, width, usual_degrees=0.0)
        if len(residual) > _FITTED
        else None,
        is_noisy=logits / width > _NOISY_ABOVE,
    )


def place_grades(
    anchors: AnchorSet, error_variance: Floats, spread: AnchorSpread
) -> tuple[GradeCurve, AnchorSpread]:
    """Return the grades along the scale under the anchors' spread, and the spread around them.

    Parameters
    ----------
    anchors : AnchorSet
        All a of them, outliers too: Student t takes weight from those.
    error_variance : (a,) ndarray of float
        Squared standard errors of the anchors' abilities, logits squared.
    spread : AnchorSpread
        By `anchor_spread`, a noisy one.

    Returns
    -------
    curve : GradeCurve
    spread : AnchorSpread
    """
    curve = gls_curve(anchors, None, spread=spread.logits)
    for _ in range(_ROUNDS):
        width = _mean_width(curve)
        logits = _scale(curve.residual, error_variance, width)
        spread = replace(
            spread, logits=logits, width=width, degrees=_degrees_of_freedom(curve.residual)
        )
        curve = gls_curve(anchors, None, spread=logits)
    return curve, spread


def _mean_width(curve: GradeCurve) -> float:
    """Return the mean width of a grade, logits."""
    return max(float(curve.centres[-1] - curve.centres[0]) / (len(curve.centres) - 1), 1e-6)


def _degrees_of_freedom(residual: Floats) -> float:
    return max(len(residual) - _FITTED, 0.0) + _USUAL_DEGREES


def _scale(
    residual: Floats,
    error_variance: Floats,
    width: float,
    *,
    usual_degrees: float = _USUAL_DEGREES,
) -> float:
    """Solve sum(w r^2 / (s^2 + e^2)) + c d u^2 / s^2 = c (a - 3 + d); w are Student-t weights.

    u is the usual spread and d what it is worth.

    Parameters
    ----------
    residual : (a,) array
        Anchors' abilities less the centres of their grades, logits.
    error_variance : (a,) array
        Squared standard errors e^2 of the abilities, logits^2.
    width : float
        Of a grade, logits.
    usual_degrees : float
        d, in anchors.

    Returns
    -------
    float
        s, logits.
    """
    if len(residual) <= _FITTED:
        return _USUAL_SPREAD * width
    wanted = _CONSISTENT * (len(residual) - _FITTED + usual_degrees)
    prior = _CONSISTENT * usual_degrees * (_USUAL_SPREAD * width) ** 2
    low, high = _LEAST_SPREAD * width, _MOST_SPREAD * width

    def excess(spread: float) -> float:
        squared = residual**2 / (spread**2 + error_variance)
        shown = ((DISAGREEMENT_TAILS + 1.0) / (DISAGREEMENT_TAILS + squared) * squared).sum()
        return float(shown + prior / spread**2 - wanted)

    return find_zero(excess, low, high, tolerance=_TOLERANCE * width)


def noisy_probabilities(
    curve: GradeCurve,
    spread: AnchorSpread,
    *,
    ability: Floats,
    variance: Floats,
    population: Floats | None,
    population_weight: float,
) -> Floats:
    """Return P(grade that the grader would give) of every essay.

    Parameters
    ----------
    curve : GradeCurve
        Of `place_grades`, for G grades.
    spread : AnchorSpread
        Around its centres.
    ability, variance : (t,) ndarray of float
        Of the essays by the verdicts alone, logits and logits squared; see `remove_prior`.
    population : (G,) ndarray of float or None
        Shares of the grades; None if all grades are equally likely beforehand.
    population_weight : float
        Exponent of the shares; 0 ignores them, above 1 counts as 1.

    Returns
    -------
    (t, G) ndarray of float
        Rows sum to 1.
    """
    shares = np.ones(len(curve.centres))
    if population is not None:
        shares = np.maximum(population, _LEAST_SHARE) ** min(population_weight, 1.0)
    # One mean for all grades: grades far out would else attract essays by being uncertain.
    placing = float(curve.boundary_variance.mean())
    total = spread.logits**2 + variance[:, None] + placing
    offset = ability[:, None] - curve.centres
    tails = np.log1p(offset**2 / total / spread.degrees)
    log_likelihood = -0.5 * ((spread.degrees + 1.0) * tails + np.log(total)) + np.log(shares)
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    probabilities: Floats = likelihood / likelihood.sum(axis=1, keepdims=True)
    return probabilities
