"""Rounds in groups of four, so that pairs share essays and a call prints each essay once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._pairing.matching import no_pairs

if TYPE_CHECKING:
    from scoring._pairing.wave_draft import Matcher
    from scoring._types import Floats, Ints

ROUNDS = 3
"""Rounds in which each of four essays meets the three others once."""

LEAST_ESSAYS = 8
"""Fewer essays are not divided: two waves would exhaust their pairs."""

_SIDES = 2


def join_pairs(pairs: Ints, score: Floats, match: Matcher, *, apart: Ints) -> Ints:
    """Join the pairs of a matching two by two, where the pairs across are worth most together.

    Parameters
    ----------
    pairs : (p, 2) ndarray of int
        A matching of essays.
    score : (n, n) ndarray of float
        Symmetric worth of every pair, `-inf` where it is forbidden.
    match : callable
        Makes a matching from a matrix of scores.
    apart : (k,) ndarray of int
        Essays that are to be in no group.

    Returns
    -------
    (q, 4) ndarray of int
        Groups of four essays of which no two have met, but for those of a pair; q <= p // 2. Where
        essays are left over, the groups that are worth most together with them are left out, so
        that there are enough who have not met.
    """
    across = sum(
        score[np.ix_(pairs[:, one], pairs[:, other])]
        for one in range(_SIDES)
        for other in range(_SIDES)
    )
    if not isinstance(across, np.ndarray) or not len(across):
        return np.zeros((0, 2 * _SIDES), dtype=np.int64)
    np.fill_diagonal(across, -np.inf)
    joined = match(across)
    groups = np.concatenate([pairs[joined[:, 0]], pairs[joined[:, 1]]], axis=1)
    groups = groups[~np.isin(groups, apart).any(axis=1)]
    left = np.setdiff1d(np.arange(len(score)), groups)
    while len(left) and len(groups) and not _can_meet(left, score):
        worth = np.where(np.isfinite(score), score, 0.0)
        nearest = worth[np.ix_(groups.ravel(), left)].reshape(len(groups), -1).sum(axis=1).argmax()
        left = np.concatenate([left, groups[nearest]])
        groups = np.delete(groups, nearest, axis=0)
    return groups


def _can_meet(essays: Ints, score: Floats) -> bool:
    """Whether the essays left over surely have a matching in each of the rounds.

    A graph of m essays with at least m / 2 partners for each has one (Dirac, 1952), and each round
    takes one partner away.
    """
    n_partners = np.isfinite(score[np.ix_(essays, essays)]).sum(axis=1)
    return bool(n_partners.min() >= len(essays) / 2 + ROUNDS - 1)


def list_pairs(groups: Ints) -> Ints:
    """List every pair of every group.

    Parameters
    ----------
    groups : (q, 4) array of int
        Essays of each group.

    Returns
    -------
    (6 q, 2) array of int
    """
    if not len(groups):
        return no_pairs()
    one, other = np.triu_indices(groups.shape[1], k=1)
    return np.stack([groups[:, one], groups[:, other]], axis=2).reshape(-1, _SIDES)
