"""Abilities of anchors and students with the anchors' prior taken out.

The fit gives every essay the prior N(0, prior_sd^2). Students keep it. An anchor has a better one,
the place of its grade on the line, and under both it would be shrunken twice: boundaries would move
inward, narrowing every grade. The prior is independent between essays and normal like the
posterior, so the anchors' part divides out in closed form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._grades.grade_model import Targets, inverted

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

# Anchors about which the verdicts say nothing get this share of the prior's precision, not none.
_LEAST_INFORMATION = 1e-6
# Rounding may leave this share of the prior's precision below nothing.
_ROUNDING = 1e-3


class ExcessVarianceError(Exception):
    """The abilities are less certain than their prior alone would make them."""


def without_anchor_prior(
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
    ability, covariance : (n,) and (n, n), logits; centred here in case they are not.
    anchors, students : indices (a,) and (s,).
    prior_sd : of the fit, logits; infinite if it had no prior, which changes nothing.

    Returns
    -------
    Ability (a,) and covariance (a, a) of the anchors, and the students as targets.

    Raises
    ------
    ExcessVarianceError
        The anchors' covariance exceeds the prior's, so that this was not the prior.
    """
    ability = ability - ability.mean()
    covariance = _centred(covariance)
    mean, block = ability[anchors], covariance[np.ix_(anchors, anchors)]
    own, cross = covariance.diagonal()[students], covariance[np.ix_(students, anchors)]
    if not np.isfinite(prior_sd):
        return mean, block, Targets(ability[students], own, cross)
    common = prior_sd**2 / len(ability)
    inverse = inverted(block + common)
    freed = _freed(inverse, prior_sd)
    moved = freed @ inverse @ mean - mean
    gain = (cross + common) @ inverse
    # How the mean of all essays follows the anchors, and its covariance with each and itself.
    mean_gain = common * inverse.sum(axis=0)
    anchor_mean = freed @ mean_gain
    student_mean = common * (1.0 - gain.sum(axis=1)) + gain @ anchor_mean
    grand_mean = common * (1.0 - mean_gain.sum()) + mean_gain @ anchor_mean
    shift = mean_gain @ moved
    kept = own + common - (gain * (cross + common)).sum(axis=1)
    targets = Targets(
        ability=ability[students] + gain @ moved - shift,
        variance=kept + ((gain @ freed) * gain).sum(axis=1) - 2.0 * student_mean + grand_mean,
        cross=gain @ freed - student_mean[:, None] - anchor_mean + grand_mean,
    )
    centred = freed - anchor_mean - anchor_mean[:, None] + grand_mean
    return mean + moved - shift, centred, targets


def _freed(inverse: Floats, prior_sd: float) -> Floats:
    """Return the covariance of the anchors by their likelihood alone, (a, a)."""
    information = inverse - np.eye(len(inverse)) / prior_sd**2
    values, vectors = np.linalg.eigh(information)
    if values.min() < -_ROUNDING / prior_sd**2:
        raise ExcessVarianceError
    freed: Floats = (vectors / np.maximum(values, _LEAST_INFORMATION / prior_sd**2)) @ vectors.T
    return freed


def _centred(covariance: Floats) -> Floats:
    """Return the covariance of deviations from the mean of all essays."""
    rows = covariance.mean(axis=0)
    centred: Floats = covariance - rows - rows[:, None] + rows.mean()
    return centred
