"""Anchors across batches: pool measurements of several batches, condition a new batch on them.

**Pooling.** Ability of anchor k in batch b = a_k + shift_b + drift_bk + error_bk. Scales of batches
are only known up to a shift. Abilities and shifts are weighted least squares. The variance of the
drift follows from the excess of the weighted residuals over their degrees of freedom (method of
moments, DerSimonian & Laird, Controlled Clinical Trials 7, 1986), shrunk toward `USUAL_DRIFT`^2 as
if `USUAL_DRIFT_DEGREES` residuals had shown that.

**Conditioning.** Abilities of a batch and of its anchors in earlier batches are jointly normal up
to an unknown shift, so the batch's abilities follow by normal regression on the anchors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

USUAL_DRIFT = 0.3
USUAL_DRIFT_DEGREES = 4.0
# Prior variance of the shift between the history's scale and the batch's, logits^2: unknown.
_FREE_SHIFT = 1e4


class AnchorReadings(NamedTuple):
    """Measured abilities of anchors, one row for each anchor in each batch.

    Attributes
    ----------
    batch, anchor : (m,) ndarray of int
        Numbers of the batch, 0 .. B-1, and the anchor, 0 .. A-1; every number occurs.
    ability : (m,) ndarray of float
        Logits, on the batch's own scale.
    variance : (m,) ndarray of float
        Squared standard errors, logits squared.
    """

    batch: Ints
    anchor: Ints
    ability: Floats
    variance: Floats


class PooledLevels(NamedTuple):
    """Abilities of anchors relative to each other.

    Attributes
    ----------
    ability : (A,) ndarray of float
        Logits, mean 0.
    variance : (A,) ndarray of float
        Of each ability in a further batch, the drift included, logits squared.
    drift_sd : float
        Standard deviation of an anchor's drift between batches, logits.
    """

    ability: Floats
    variance: Floats
    drift_sd: float


class LinkedAbilities(NamedTuple):
    """A batch's abilities conditioned on earlier measurements of its anchors.

    Attributes
    ----------
    ability : (n,) ndarray of float
        Logits.
    covariance : (n, n) ndarray of float
        Logits squared.
    moved, moved_se : (a,) ndarray of float
        How far each anchor has moved against the others, and its standard error, logits.
    """

    ability: Floats
    covariance: Floats
    moved: Floats
    moved_se: Floats


def pool_anchors(readings: AnchorReadings) -> PooledLevels:
    """Bring the measurements of several batches to one scale.

    Parameters
    ----------
    readings : AnchorReadings
        At least one.

    Returns
    -------
    PooledLevels
    """
    drift = USUAL_DRIFT**2
    for _ in range(2):
        ability, residual = _least_squares(readings, drift)
        weight = np.bincount(readings.anchor, 1.0 / (readings.variance + drift))
        drift = _drift_variance(readings, residual)
    return PooledLevels(ability, 1.0 / weight + drift, float(np.sqrt(drift)))


def _least_squares(readings: AnchorReadings, drift: float) -> tuple[Floats, Floats]:
    """Return the anchors' abilities, mean 0, and the residuals of the readings, logits."""
    n_anchors, row = int(readings.anchor.max()) + 1, np.arange(len(readings.anchor))
    design = np.zeros((len(row), n_anchors + int(readings.batch.max()) + 1))
    design[row, readings.anchor] = 1.0
    design[row, n_anchors + readings.batch] = 1.0
    root = 1.0 / np.sqrt(readings.variance + drift)
    # The common shift is not determined; the solution of least norm leaves it to the centring.
    solved = np.linalg.lstsq(design * root[:, None], readings.ability * root, rcond=None)[0]
    ability = solved[:n_anchors]
    return ability - ability.mean(), readings.ability - design @ solved


def _drift_variance(readings: AnchorReadings, residual: Floats) -> float:
    """Estimate the variance of the drift by the method of moments, shrunk toward the usual one."""
    n_parameters = int(readings.anchor.max()) + int(readings.batch.max()) + 1
    degrees = max(len(residual) - n_parameters, 0)
    excess = float((residual**2 / readings.variance).sum()) - degrees
    scale = float((1.0 / readings.variance).mean())
    estimate = max(0.0, excess / (scale * degrees)) if degrees else 0.0
    prior = USUAL_DRIFT**2 * USUAL_DRIFT_DEGREES
    return (estimate * degrees + prior) / (degrees + USUAL_DRIFT_DEGREES)


def condition_on_anchors(
    ability: Floats, covariance: Floats, *, anchors: Ints, level: Floats, variance: Floats
) -> LinkedAbilities:
    """Condition abilities on earlier measurements of some essays, up to a common shift.

    Parameters
    ----------
    ability : (n,) ndarray of float
        The batch's abilities, logits.
    covariance : (n, n) ndarray of float
        Logits squared.
    anchors : (a,) ndarray of int
        The essays that earlier batches measured.
    level, variance : (a,) ndarray of float
        Their abilities, logits, and the variances, logits squared, by earlier batches.

    Returns
    -------
    LinkedAbilities
    """
    own = covariance[np.ix_(anchors, anchors)] + np.diag(variance)
    gain = np.linalg.solve(own + _FREE_SHIFT, covariance[anchors]).T
    weight = 1.0 / own.diagonal()
    # Deviations from the weighted mean: D = I - 1 w'.
    deviation = np.eye(len(anchors)) - weight / weight.sum()
    moved_variance = (deviation @ own * deviation).sum(axis=1)
    return LinkedAbilities(
        ability=ability + gain @ (level - ability[anchors]),
        covariance=covariance - gain @ covariance[anchors],
        moved=deviation @ (ability[anchors] - level),
        moved_se=np.sqrt(np.maximum(moved_variance, 0.0)),
    )
