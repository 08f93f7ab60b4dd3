"""Abilities of anchors and students without the anchors' prior.

The fit gives every essay the prior N(0, prior_sd^2). Students keep it. An anchor has a better one,
the place of its grade on the line. With both priors it would be shrunk twice: boundaries would move
inward, and every grade would be too narrow. The prior is independent
between essays and normal like the posterior, so the anchors' part divides out in closed form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._grades.grade_model import Targets, invert

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

# Anchors about which the verdicts say nothing get this share of the prior's precision, not none.
_LEAST_INFORMATION = 1e-6
# Rounding may leave a precision this far below zero, as a share of the prior's.
_ROUNDING = 1e-3


class ExcessVarianceError(Exception):
    """The abilities are less certain than their prior alone would make them."""


def remove_anchor_prior(
    ability: Floats, covariance: Floats, anchors: Ints, students: Ints, prior_sd: float
) -> tuple[Floats, Floats, Targets]:
    """Divide the anchors' prior out of the joint posterior of anchors and students.

    With posterior mean y and covariance C of the anchors, their likelihood alone is normal with
    precision Q = C^-1 - I / prior_sd^2 and mean m = Q^-1 C^-1 y. Students follow by regression on
    the anchors, K = C_sa C^-1, which does not involve the anchors' prior. C is the covariance
    before it was centred: the prior leaves the mean of all n essays uncertain by prior_sd^2 / n.

    The result is centred again, in the gauge of the abilities.

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits; centred here in case they are not.
    covariance : (n, n) ndarray of float
        Logits squared; centred likewise.
    anchors, students : (a,) and (s,) ndarray of int
        Essay indices.
    prior_sd : float
        Prior standard deviation of the fit, logits. Infinite if the fit had no prior: then nothing
        changes.

    Returns
    -------
    ability : (a,) ndarray of float
        Of the anchors, logits.
    covariance : (a, a) ndarray of float
        Of the anchors, logits squared.
    students : Targets

    Raises
    ------
    ExcessVarianceError
        The anchors' covariance exceeds the prior's, so that this was not the prior.
    """
    ability = ability - ability.mean()
    covariance = _centre(covariance)
    mean, block = ability[anchors], covariance[np.ix_(anchors, anchors)]
    own, cross = covariance.diagonal()[students], covariance[np.ix_(students, anchors)]
    if not np.isfinite(prior_sd):
        return mean, block, Targets(ability[students], own, cross)
    common = prior_sd**2 / len(ability)
    inverse = invert(block + common)
    likelihood_covariance = _likelihood_covariance(inverse, prior_sd)
    moved = likelihood_covariance @ inverse @ mean - mean
    gain = (cross + common) @ inverse
    # How the mean of all essays follows the anchors, and its covariance with each and itself.
    mean_gain = common * inverse.sum(axis=0)
    anchor_mean = likelihood_covariance @ mean_gain
    student_mean = common * (1.0 - gain.sum(axis=1)) + gain @ anchor_mean
    grand_mean = common * (1.0 - mean_gain.sum()) + mean_gain @ anchor_mean
    shift = mean_gain @ moved
    kept = own + common - (gain * (cross + common)).sum(axis=1)
    targets = Targets(
        ability=ability[students] + gain @ moved - shift,
        variance=kept
        + ((gain @ likelihood_covariance) * gain).sum(axis=1)
        - 2.0 * student_mean
        + grand_mean,
        cross=gain @ likelihood_covariance - student_mean[:, None] - anchor_mean + grand_mean,
    )
    centred = likelihood_covariance - anchor_mean - anchor_mean[:, None] + grand_mean
    return mean + moved - shift, centred, targets


def _likelihood_covariance(inverse: Floats, prior_sd: float) -> Floats:
    """Return the covariance of the anchors by their likelihood alone, (a, a)."""
    information = inverse - np.eye(len(inverse)) / prior_sd**2
    values, vectors = np.linalg.eigh(information)
    if values.min() < -_ROUNDING / prior_sd**2:
        raise ExcessVarianceError
    likelihood_covariance: Floats = (
        vectors / np.maximum(values, _LEAST_INFORMATION / prior_sd**2)
    ) @ vectors.T
    return likelihood_covariance


def _centre(covariance: Floats) -> Floats:
    """Return the covariance of deviations from the mean of all essays."""
    rows = covariance.mean(axis=0)
    centred: Floats = covariance - rows - rows[:, None] + rows.mean()
    return centred
