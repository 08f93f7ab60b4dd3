"""Intervals of abilities: quantiles of the mixture over the spread of abilities.

How far abilities lie apart is known as a factor: the posterior of log sd is nearly Normal, and all
abilities stretch with it. An ability's posterior is then skewed away from zero, the more the fewer
the verdicts. The interval that reaches 1.96 standard deviations to both sides of the mean is too
long on the inner side and too short on the outer one; quantiles of the mixture are not.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring._fit.spread_estimate import Node
    from scoring._types import Floats

_REACH = 9.0
_HALVINGS = 50


def normal_interval(ability: Floats, standard_error: Floats, level: float) -> Floats:
    """Return central intervals of Normal posteriors, (n, 2)."""
    half = NormalDist().inv_cdf(0.5 + 0.5 * checked_level(level)) * standard_error
    return np.stack([ability - half, ability + half], axis=1)


def mixture_interval(nodes: tuple[Node, ...], level: float) -> Floats:
    """Return central intervals of every ability under a mixture of Gaussians.

    Parameters
    ----------
    nodes : tuple of Node
        The mixture over the spread of abilities.
    level : float
        Posterior probability of each interval.

    Returns
    -------
    (n, 2) array
        Logits, sum-to-zero gauge.

    Raises
    ------
    InvalidSettingError
        If the level is not inside (0, 1).
    """
    tail = 0.5 * (1.0 - checked_level(level))
    return np.stack([_quantile(nodes, tail), _quantile(nodes, 1.0 - tail)], axis=1)


def checked_level(level: float) -> float:
    """Return the level, or raise where it is none."""
    if not 0.0 < level < 1.0:
        raise InvalidSettingError("level", f"must be inside (0, 1), got {level}")
    return level


def _quantile(nodes: tuple[Node, ...], probability: float) -> Floats:
    """Find every ability's quantile by bisection, (n,)."""
    from scipy.special import ndtr  # lazily: it brings scipy.linalg, and waves need no intervals

    weight = np.array([node.weight for node in nodes])
    mean = np.array([node.ability for node in nodes])
    sd = np.sqrt(np.array([node.variance for node in nodes]))
    low, high = (mean - _REACH * sd).min(axis=0), (mean + _REACH * sd).max(axis=0)
    sd = np.maximum(sd, np.finfo(np.float64).tiny)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        is_below = weight @ ndtr((middle - mean) / sd) < probability
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    quantile: Floats = 0.5 * (low + high)
    return quantile
