"""How far an essay's rank is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoring._fit.result import Fit
    from scoring._types import Floats, Ints

SHARE = 0.9
_DRAWS = 2000
_DRAWS_AT_ONCE = 250
# One seed for all batches: the same verdicts give the same intervals.
_SEED = 20_250_101
_JITTER = 1e-10


# Candidates for the least probability of a single interval, and the step between them.
_LEAST_BELOW, _CANDIDATES = 0.1, 6


def rank_intervals(fit: Fit, *, share: float = SHARE) -> Ints:
    """Return narrow intervals that hold this share of the true ranks.

    Ranks are counted in 2,000 seeded draws of all abilities: they share errors. Where the spread of
    abilities was integrated over, every draw has one spread. All abilities and all errors stretch
    with it, which moves no rank; errors of a wide spread around means of a narrow one, as one
    Normal for all spreads has them, would make ranks look twice as uncertain in small classes of
    sharp judges. An interval grows from the essay's likeliest rank to the likelier side
    until it has enough probability. Ranks are whole numbers, so that intervals of at least 90% each
    would hold far more on average where ranks are nearly certain; "enough" is the least
    probability, between share - .1 and share, at which the mean over the essays reaches the share.
    Every interval holds the essay's own rank.

    Parameters
    ----------
    fit : Fit
        Best of ``estimator="variational"``.
    share : float, default .9
        Share of the true ranks that the intervals hold.

    Returns
    -------
    (n, 2) array of int
        Lowest and highest rank, 1 the best.
    """
    ability = fit.ability
    counts = _count_ranks(fit)
    own = (ability[None, :] > ability[:, None]).sum(axis=1)
    for least in np.linspace(share - _LEAST_BELOW, share, _CANDIDATES):
        low, high, n_held = _grow_intervals(counts, own, float(least) * _DRAWS)
        if n_held.mean() >= share * _DRAWS:
            break
    return np.stack([low, high], axis=1) + 1


def _count_ranks(fit: Fit) -> Ints:
    """How often each essay had each rank in the draws, (n ranks, n essays)."""
    n = len(fit.ability)
    rng = np.random.default_rng(_SEED)
    counts = np.zeros((n, n), dtype=np.int64)
    essays = np.arange(n)
    for n_draws, ability, covariance in _parts(fit):
        scale = float(covariance.diagonal().mean())
        # A shift of all abilities changes no rank, but makes the covariance definite.
        root = np.linalg.cholesky(covariance + scale + _JITTER * max(scale, 1.0) * np.eye(n))
        for start in range(0, n_draws, _DRAWS_AT_ONCE):
            size = min(_DRAWS_AT_ONCE, n_draws - start)
            drawn = ability + rng.standard_normal((size, n)) @ root.T
            for order in np.argsort(-drawn, axis=1):
                counts[essays, order] += 1
    return counts


def _parts(fit: Fit) -> Iterator[tuple[int, Floats, Floats]]:
    """How many draws, their mean and covariance: by spread, or of one Normal."""
    nodes = () if fit.spread is None else fit.spread.nodes
    weights = np.array([node.weight for node in nodes])
    if len(nodes) <= 1 or any(node.covariance is None for node in nodes):
        yield _DRAWS, fit.ability, fit.covariance
        return
    reached = np.rint(np.cumsum(weights) / weights.sum() * _DRAWS).astype(np.int64)
    for node, n_draws in zip(nodes, np.diff(reached, prepend=0), strict=True):
        if node.covariance is not None:
            yield int(n_draws), node.ability, node.covariance


def _grow_intervals(counts: Ints, own: Ints, least: float) -> tuple[Ints, Ints, Ints]:
    """Grow intervals from the likeliest ranks to at least this count, then to the own ranks.

    Parameters
    ----------
    counts : (n, n) array of int
        How often each essay (column) had each rank (row).
    own : (n,) array of int
        Rank by the estimate, 0 the best.
    least : float
        Draws that an interval holds at least.

    Returns
    -------
    low, high : (n,) array of int
        Limits, both inside.
    n_held : (n,) array of int
        Draws that are inside.
    """
    n = len(counts)
    padded = np.zeros((n + 2, n), dtype=np.int64)
    padded[1:-1] = counts
    padded[0] = padded[-1] = -1
    essays = np.arange(n)
    low = counts.argmax(axis=0)
    high = low.copy()
    n_held = counts[low, essays].copy()
    while (growing := n_held < least).any():
        below, above = padded[low, essays], padded[high + 2, essays]
        down = growing & (below >= above)
        up = growing & ~down
        n_held += np.where(down, below, 0) + np.where(up, above, 0)
        low -= down
        high += up
    low, high = np.minimum(low, own), np.maximum(high, own)
    cumulative = np.vstack([np.zeros(n, dtype=np.int64), np.cumsum(counts, axis=0)])
    return low, high, cumulative[high + 1, essays] - cumulative[low, essays]
