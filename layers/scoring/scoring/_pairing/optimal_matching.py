"""The matching with the largest total score, by Edmonds' blossom algorithm.

Edmonds (Journal of Research NBS 69B, 1965), in the primal-dual form of Galil (ACM Computing Surveys
18, 1986) that rustworkx implements. rustworkx and `scipy.optimize` are imported when first called:
only the strategy `optimal_matching` needs them.

Large sets are solved on a sparse graph and priced (Derigs & Metz, Mathematical Programming 50,
1991). The assignment problem relaxes the matching. Its dual gives every essay a price such that no
pair is worth more than its two prices, so the sum of all prices bounds every total from above. A
pair that falls short of its prices by more than the gap between this bound and a matching in hand
cannot be in a better one. Scores alone would not do to choose candidates: an essay of large
variance is the best partner of everyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._pairing.matching import improve_matching, no_pairs, scale_to_unit

if TYPE_CHECKING:
    from scoring._types import Bools, Floats, Ints

# Up to this many essays all pairs are candidates.
_ALL_PAIRS_UP_TO = 300
# Beyond this many the assignment problem may keep a Lambda busy for a minute per round.
_CANDIDATES_UP_TO = 2000
# Partners of every essay with which the first matching is sought.
_PARTNERS = 20
# The most pairs among which the matching is sought again, a few seconds.
_MOST_CANDIDATES = 100_000
# rustworkx adds integer weights without rounding; scores scaled to [0, 1] keep all their digits.
_WEIGHT_SCALE = 2.0**60
# Prices need not converge: prices that have not make the gap wider, not wrong.
_MOST_PRICE_UPDATES = 30
# Totals of scores scaled to [0, 1] that are closer than this count as equal.
_TOLERANCE = 1e-6


def optimal_matching(score: Floats) -> Ints:
    """Find the matching with the most pairs and, among these, the largest total score.

    Exact up to 300 essays. Up to 2,000 it is the result of `partner_matching`. Beyond, it is
    `improve_matching`. About 0.2 s for 300 essays and 1 to 3 s for 1,000 on one core.

    Parameters
    ----------
    score : (k, k) ndarray of float
        Symmetric worth of every pair, `-inf` where a pair is forbidden.

    Returns
    -------
    (p, 2) ndarray of int
        Pairs, each with the smaller index first.
    """
    if len(score) <= _ALL_PAIRS_UP_TO:
        return _matching(score, np.isfinite(score))
    if len(score) <= _CANDIDATES_UP_TO:
        return partner_matching(score)
    return improve_matching(score)


def partner_matching(score: Floats) -> Ints:
    """Find the optimal matching of a large set on each essay's best partners.

    The result is exact among each essay's 20 best partners at the prices of the module's
    docstring and the pairs of `improve_matching`, so that it is never worse than that one. Where
    at most 100,000 further pairs can improve it, they are taken in, and the result is exact among
    all pairs. Only many equal scores leave more.

    Parameters
    ----------
    score : (k, k) ndarray of float
        Symmetric worth of every pair, `-inf` where a pair is forbidden.

    Returns
    -------
    (p, 2) ndarray of int
        Pairs, each with the smaller index first.
    """
    k = len(score)
    allowed = np.isfinite(score)
    if not allowed.any():
        return no_pairs()
    # With one more essay, worth nothing to all, an odd set too has a matching of all.
    value = np.zeros((k + k % 2, k + k % 2))
    # A forbidden pair costs more than all others together can bring.
    value[:k, :k] = -float(k)
    value[:k, :k][allowed] = scale_to_unit(score[allowed])
    np.fill_diagonal(value, -float(k))
    price = _prices(value)
    slack = (price[:, None] + price - value)[:k, :k]
    candidates = allowed & _is_near(slack, _PARTNERS)
    rows, columns = improve_matching(score).T
    candidates[rows, columns] = candidates[columns, rows] = True
    pairs = _matching(score, candidates)
    total = value[pairs[:, 0], pairs[:, 1]].sum() - k * (k // 2 - len(pairs))
    gap = price.sum() - total
    promising = allowed & (slack < gap)
    if gap > _TOLERANCE and np.count_nonzero(promising) <= 2 * _MOST_CANDIDATES:
        pairs = _matching(score, promising | candidates)
    return pairs


def _is_near(slack: Floats, partners: int) -> Bools:
    """Mark the pairs that are among those of least slack of either essay, (k, k)."""
    rank = min(partners, len(slack)) - 1
    ceiling = np.partition(slack, rank, axis=1)[:, rank]
    near: Bools = (slack <= ceiling[:, None]) | (slack <= ceiling)
    return near


def _prices(value: Floats) -> Floats:
    """Return a price of every essay such that value[a, b] <= price[a] + price[b], (k,).

    The dual solution of the assignment problem: differences of the rows' prices are shortest paths
    (Bellman-Ford), the columns' follow, and the two are averaged because `value` is symmetric.
    """
    from scipy.optimize import linear_sum_assignment

    rows, assigned = linear_sum_assignment(value, maximize=True)
    length = value[rows, assigned][:, None] - value[:, assigned]
    by_row = np.zeros(len(value))
    for _ in range(_MOST_PRICE_UPDATES):
        shorter = np.minimum(by_row, (by_row + length).min(axis=1))
        if np.array_equal(shorter, by_row):
            break
        by_row = shorter
    by_column = (value + by_row[:, None]).max(axis=0)
    prices: Floats = (by_column - by_row) / 2.0
    return prices


def _matching(score: Floats, candidates: Bools) -> Ints:
    """Find the matching of most pairs and then largest total among the candidates, (p, 2)."""
    from rustworkx import PyGraph, max_weight_matching

    rows, columns = np.nonzero(np.triu(candidates, 1))
    if not len(rows):
        return no_pairs()
    weight = np.rint(scale_to_unit(score[rows, columns]) * _WEIGHT_SCALE)
    graph: PyGraph[None, int] = PyGraph(multigraph=False)
    graph.add_nodes_from([None] * len(score))
    graph.add_edges_from(
        list(zip(rows.tolist(), columns.tolist(), map(int, weight.tolist()), strict=True))
    )
    matched = max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    return np.array(sorted(sorted(pair) for pair in matched), dtype=np.int64).reshape(-1, 2)
