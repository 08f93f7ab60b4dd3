"""Ranks with ties, and how well two orders agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

# Abilities that differ by less than a rounding error share a rank.
_DECIMALS = 12


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
