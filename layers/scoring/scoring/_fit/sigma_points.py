"""Integration over a few hyperparameters: the maximum of their posterior, and points around it.

The points are those of a central composite design (Rue, Martino & Chopin 2009, JRSS B 71:319):
the maximum, and one on either side along each axis of the curvature there, with the weights that
integrate a Normal density's moments, corrected by what the posterior really is at each point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._types import Floats

    type Target = Callable[[Floats], tuple[float, Floats]]

_SEARCHES = 25
_LONGEST_STEP = 0.7
_CLOSE = 0.02
_DIFFERENCE = 0.1
_LEAST_PRECISION = 0.3
_LARGEST_CORRECTION = 2.0
_FIRST_VARIANCE = 0.05


@dataclass(frozen=True, slots=True)
class SigmaPoints:
    """Points with weights that stand for a posterior.

    Attributes
    ----------
    points : (K, d) array
        The maximum first.
    weights : (K,) array
        They sum to one.
    """

    points: Floats
    weights: Floats

    @property
    def mean(self) -> Floats:
        """Mean of every hyperparameter, (d,)."""
        mean: Floats = self.weights @ self.points
        return mean

    @property
    def sd(self) -> Floats:
        """Standard deviation of every hyperparameter, (d,)."""
        off = self.points - self.mean
        deviation: Floats = np.sqrt(self.weights @ off**2)
        return deviation


def find_maximum(target: Target, start: Floats) -> Floats:
    """Climb by BFGS steps of bounded length.

    Parameters
    ----------
    target : callable
        Log density and its gradient at a point.
    start : (d,) array
        Where to start.

    Returns
    -------
    (d,) array
        The maximum, within about a fiftieth of a step.
    """
    at, inverse = start.copy(), _FIRST_VARIANCE * np.eye(len(start))
    value, slope = target(at)
    for _ in range(_SEARCHES):
        step = inverse @ slope
        step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < _CLOSE:
            break
        following = at + step
        reached, other = target(following)
        if reached < value - 0.5:
            inverse *= 0.3
            continue
        inverse = _bfgs(inverse, step, slope - other)
        at, value, slope = following, reached, other
    return at


def _bfgs(inverse: Floats, step: Floats, fall: Floats) -> Floats:
    """Update the inverse curvature by what a step did to the slope; leave it if that is no use."""
    along = float(step @ fall)
    if along <= 1e-3 * float(np.linalg.norm(step) * np.linalg.norm(fall)):
        return inverse
    left = np.eye(len(step)) - np.outer(step, fall) / along
    updated: Floats = left @ inverse @ left.T + np.outer(step, step) / along
    return updated


def spread_points(target: Target, maximum: Floats) -> SigmaPoints:
    """Place points around a maximum and weigh them by the density there.

    Parameters
    ----------
    target : callable
        Log density and its gradient at a point.
    maximum : (d,) array
        Its maximum.
    """
    d = len(maximum)
    top, slope = target(maximum)
    curvature = np.empty((d, d))
    for k, unit in enumerate(_DIFFERENCE * np.eye(d)):
        curvature[k] = (slope - target(maximum + unit)[1]) / _DIFFERENCE
    precision, axes = np.linalg.eigh(0.5 * (curvature + curvature.T))
    deviation = np.maximum(precision, _LEAST_PRECISION) ** -0.5
    reach = np.sqrt(d + 1.0)
    offsets = reach * (axes * deviation).T
    points = np.vstack([maximum, maximum + offsets, maximum - offsets])
    logs = np.array([top, *(target(point)[0] for point in points[1:])])
    correction = logs - top + 0.5 * reach**2
    correction[0] = 0.0
    base = np.full(2 * d + 1, 0.5 / reach**2)
    base[0] = 1.0 - d / reach**2
    limited = np.clip(correction, -_LARGEST_CORRECTION, _LARGEST_CORRECTION)
    weights = base * np.exp(limited)
    return SigmaPoints(points, weights / weights.sum())
