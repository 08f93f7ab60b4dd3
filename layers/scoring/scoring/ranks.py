"""Ranks with ties, and how well two orders agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

# Abilities that differ by less than a rounding error share a rank.
_DECIMALS = 12
_Z95 = 1.959963984540054
_LEAST_PAIRS = 5
_NEARLY_ONE = 1.0 - 1e-9


def competition_ranks(ability: Floats) -> Ints:
    """Rank essays by ability, 1 the best; equal abilities share the better rank.

    "Standard competition ranking" (1, 2, 2, 4). Abilities are compared at 12 decimals.

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.

    Returns
    -------
    (n,) ndarray of int
        One more than the number of essays with a higher ability.
    """
    rounded = np.round(ability, _DECIMALS)
    ranks: Ints = 1 + len(rounded) - np.searchsorted(np.sort(rounded), rounded, side="right")
    return ranks


def kendall_tau_b(ability: Floats, grade: Ints) -> float | None:
    """Measure the agreement of two orders by Kendall's tau-b.

    Kendall, Biometrika 33 (1945). `scipy.stats.kendalltau` gives the same number, but importing
    `scipy.stats` costs more than half a second in every scoring function that starts.

    Parameters
    ----------
    ability : (a,) ndarray of float
        Logits.
    grade : (a,) ndarray of int
        Grade positions.

    Returns
    -------
    float or None
        -1 .. 1; None if either is constant, which orders nothing.
    """
    above, higher = _signs(ability), _signs(grade)
    norm = float(np.sqrt((above**2).sum() * (higher**2).sum()))
    return float((above * higher).sum()) / norm if norm > 0 else None


def spearman(one: Floats, two: Floats) -> float | None:
    """Measure the agreement of two orders by Spearman's rank correlation; ties share mean ranks.

    Parameters
    ----------
    one, two : (n,) ndarray of float

    Returns
    -------
    float or None
        -1 .. 1; None if either is constant, which orders nothing.
    """
    first, second = (_mean_ranks(values) for values in (one, two))
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / norm if norm > 0 else None


def spearman_interval(correlation: float | None, n: int) -> tuple[float, float] | None:
    """Return the 95% interval of Spearman's correlation of n pairs.

    Bonett & Wright, Psychometrika 65 (2000): Fisher's z with variance (1 + r^2 / 2) / (n - 3).

    Parameters
    ----------
    correlation : float or None
    n : int

    Returns
    -------
    tuple of float, or None
        None without a correlation, and for fewer than `_LEAST_PAIRS` pairs.
    """
    if correlation is None or n < _LEAST_PAIRS:
        return None
    middle = np.arctanh(np.clip(correlation, -_NEARLY_ONE, _NEARLY_ONE))
    half = _Z95 * np.sqrt((1.0 + correlation**2 / 2.0) / (n - 3))
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def count_misordered(ability: Floats, grade: Ints) -> Ints:
    """Count for each anchor the other anchors with which its order is wrong.

    Parameters
    ----------
    ability : (a,) ndarray of float
        Logits.
    grade : (a,) ndarray of int
        Grade positions.

    Returns
    -------
    (a,) ndarray of int
        Anchors of a higher grade and lower ability, or the reverse.
    """
    wrong: Ints = (_signs(ability) * _signs(grade) < 0).sum(axis=1)
    return wrong


def _signs(values: Floats | Ints) -> Floats:
    """Return the sign of the difference of every two values, (a, a)."""
    signs: Floats = np.sign(np.subtract.outer(values, values))
    return signs


def _mean_ranks(values: Floats) -> Floats:
    """Return ranks about their mean, (n,); equal values share the mean of their ranks."""
    rounded = np.sort(np.round(values, _DECIMALS))
    below = np.searchsorted(rounded, np.round(values, _DECIMALS), side="left")
    up_to = np.searchsorted(rounded, np.round(values, _DECIMALS), side="right")
    ranks: Floats = (below + up_to - len(values)) / 2.0
    return ranks
