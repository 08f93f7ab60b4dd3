"""What the variational bound leaves out of the log evidence.

The bound of the nearest Gaussian q takes every verdict's log likelihood for the parabola that it
has on average. What is left of it, r, has no mean, slope or curvature under q, and the evidence is
larger than the bound by log E_q[exp(sum of r)]. In second order that is half the variance of that
sum (the cumulant expansion of Opper, Paquet & Winther 2013, Journal of Machine Learning Research
14:2857). Counted is every verdict's own variance; it is what is left of the square of its log
likelihood when the first two Hermite terms are taken out, a sum over the nodes that the average has
anyway. v is taken as log(1 + v): the same in second order, and not too much where v is large, as
log likelihoods have no upper tail. Verdicts on one pair that share the weight of one share its
part.

Where abilities lie far apart and comparisons are few, a verdict's log likelihood bends sharply
within the uncertainty of the difference. The part left out then grows with the spread of abilities,
and the bound alone favours spreads that are too small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.variational import Smoothed

if TYPE_CHECKING:
    from scoring._fit.gaussian import Gaussian
    from scoring._fit.variational import Remainder
    from scoring._types import Floats

_NO_VARIANCE = 1e-12


def compute_remainder(gaussian: Gaussian) -> Remainder:
    """Return what the parabolas of a Gaussian leave out of every log likelihood.

    Parameters
    ----------
    gaussian : Gaussian
        Of a model whose link is smoothed, with the terms at the nodes.
    """
    link = gaussian.model.link
    if not isinstance(link, Smoothed):
        raise TypeError("a Gaussian of a smoothed link")
    return link.compute_remainder(gaussian.point.terms)


def missing_evidence(gaussian: Gaussian, remainder: Remainder) -> float:
    """Return what the bound of a Gaussian leaves out of the log evidence, at least 0."""
    weight = gaussian.model.data.weight
    kept = np.log1p(remainder.variance)
    return 0.5 * float(kept.sum() if weight is None else weight @ kept)


def correct_covariance(gaussian: Gaussian, remainder: Remainder, covariance: Floats) -> Floats:
    """Return the covariance of the abilities in second order.

    The Gaussian takes far abilities for more certain than they are: on their outer side verdicts
    hardly bend. In the order in which `missing_evidence` counts it, with S the covariance, a the
    row of a verdict and s its standard deviation, its own r adds S a a' S E[(z^2 - 1) r^2] / 2s^2,
    over 1 + E[r^2]. Of the means the same order says nothing that helps: with one verdict between
    two essays it moves them away from the exact ones.

    Parameters
    ----------
    gaussian : Gaussian
        Of n essays.
    remainder : Remainder
        Of the same.
    covariance : (n, n) array
        Of its abilities, in the sum-to-zero gauge, logits^2.

    Returns
    -------
    (n, n) array
        In the sum-to-zero gauge, logits^2.
    """
    model = gaussian.model
    data, n = model.data, model.n
    added = 0.5 * remainder.excess / (1.0 + remainder.variance)
    added /= np.maximum(gaussian.variance, _NO_VARIANCE)
    if model.basis is not None:
        added *= np.exp(2.0 * model.log_discrimination(gaussian.x))[data.judge]
    if data.weight is not None:
        added *= data.weight
    between = np.bincount(data.first * n + data.second, added, n * n).reshape(n, n)
    laplacian = between + between.T
    total = laplacian.sum(axis=0)
    np.negative(laplacian, out=laplacian)
    laplacian.reshape(-1)[:: n + 1] += total
    corrected: Floats = covariance @ laplacian @ covariance
    corrected += covariance
    return corrected


def log_evidence_curve(
    knots: Floats, values: Floats, slopes: Floats, grid: Floats, bend: float
) -> Floats:
    """Return the log evidence on a grid: cubics between nodes, parabolas beyond the outer ones.

    Parameters
    ----------
    knots, values, slopes : (K,) arrays
        Log sds in ascending order, log evidence there and its slope.
    grid : (G,) array
        Log sds.
    bend : float
        Minus the second derivative, for a single node.

    Returns
    -------
    (G,) array
    """
    if len(knots) == 1:
        offset = grid - knots[0]
        parabola: Floats = values[0] + slopes[0] * offset - 0.5 * bend * offset**2
        return parabola
    values, slopes = _bend_down(knots, values, slopes)
    bends = _outer_bends(knots, values, slopes)
    at = np.clip(np.searchsorted(knots, grid) - 1, 0, len(knots) - 2)
    width = knots[at + 1] - knots[at]
    t = (grid - knots[at]) / width
    inside = (
        (1 + 2 * t) * (1 - t) ** 2 * values[at]
        + t * (1 - t) ** 2 * width * slopes[at]
        + t**2 * (3 - 2 * t) * values[at + 1]
        + t**2 * (t - 1) * width * slopes[at + 1]
    )
    below, above = grid - knots[0], grid - knots[-1]
    left = values[0] + slopes[0] * below - 0.5 * bends[0] * below**2
    right = values[-1] + slopes[-1] * above - 0.5 * bends[-1] * above**2
    curve: Floats = np.where(below < 0, left, np.where(above > 0, right, inside))
    return curve


def _bend_down(knots: Floats, values: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    """Keep the upper nodes below the tangents of those before them.

    The evidence bends down in log sd. At spreads far above the likely ones, where differences are
    uncertain by tens of logits, what the bound leaves out is no longer small, nor well measured.
    """
    values, slopes = values.copy(), slopes.copy()
    for k in range(len(knots) // 2, len(knots) - 1):
        gap = knots[k + 1] - knots[k]
        values[k + 1] = min(values[k + 1], values[k] + slopes[k] * gap)
        slopes[k + 1] = min(slopes[k + 1], (values[k + 1] - values[k]) / gap)
    return values, slopes


def _outer_bends(knots: Floats, values: Floats, slopes: Floats) -> Floats:
    """Minus the second derivative below the first and above the last node, (2,)."""
    gaps = np.diff(knots)
    mean = -np.diff(slopes) / gaps
    if len(gaps) > 1:
        return np.maximum(mean[[0, -1]], 0.0)
    # of the cubic through both nodes, which knows that the curve is skewed
    secant = 6.0 * (values[1] - values[0]) / gaps[0]
    first = (4.0 * slopes[0] + 2.0 * slopes[1] - secant) / gaps[0]
    last = (secant - 2.0 * slopes[0] - 4.0 * slopes[1]) / gaps[0]
    mean = np.maximum(mean, 0.0)
    bends: Floats = np.clip([first, last], 0.25 * mean[0], 4.0 * mean[0])
    return bends
