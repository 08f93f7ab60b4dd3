"""The matching with the largest total score, exactly, by linear programming with blossom cuts.

Edmonds (Journal of Research NBS 69B, 1965): the matchings of a graph are the corners of the
polytope with at most one pair per essay and at most (|S| - 1) / 2 pairs inside every odd set S. Few
of these sets matter; they are added when a solution violates them (Padberg & Rao, Mathematics of
Operations Research 7, 1982), and pairs are added when their reduced cost is positive. HiGHS solves
the programmes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoring._pairing.matching import no_pairs, scaled

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from scoring._types import Bools, Floats, Ints

# Candidate partners per essay at the start.
_CANDIDATES = 8
# Tolerance of the solver; scores are scaled to [0, 1].
_TOLERANCE = 1e-7
# Pairs with more than this much of an essay hold an odd set together.
_THRESHOLDS = (0.0, 0.25, 0.45)


class _Pairs(NamedTuple):
    """All allowed pairs and their worth, each (p,)."""

    a: Ints
    b: Ints
    value: Floats
    n_essays: int


class _Solution(NamedTuple):
    """Share of every active pair, reduced cost of every pair, and the bound on the total."""

    share: Floats
    reduced: Floats
    bound: float


def best_matching(score: Floats) -> Ints:
    """Find the matching with the most pairs and, among these, the largest total score.

    Parameters
    ----------
    score : (k, k) symmetric, `-inf` where forbidden.

    Returns
    -------
    (p, 2) pairs, each with the smaller index first. Totals closer than 1e-6 of the range of the
    scores count as equal. About 1 s of one core for 112 essays and 10 s for 300.
    """
    a, b = np.nonzero(np.triu(np.isfinite(score), 1))
    if not len(a):
        return no_pairs()
    # One pair more outweighs any sum of scores: scaled to [0, 1], k / 2 of them add up to k / 2.
    pairs = _Pairs(a, b, scaled(score[a, b]) + len(score), len(score))
    active = _candidates(score, a, b)
    odd_sets: list[Bools] = []
    while True:
        solution = _relaxed(pairs, active, odd_sets)
        missing = ~active & (solution.reduced > _TOLERANCE)
        if missing.any():
            active |= missing
            continue
        if np.minimum(solution.share, 1 - solution.share).max() < _TOLERANCE * len(score):
            return _rows(pairs, active, solution.share)
        violated = _violated_odd_sets(pairs, active, solution.share)
        if not violated:
            return _branched(pairs, active, odd_sets, solution)
        odd_sets += violated


def _candidates(score: Floats, a: Ints, b: Ints) -> Bools:
    """Mark the pairs that are among the best few of either essay."""
    k = min(_CANDIDATES, len(score))
    floor = np.partition(score, -k, axis=1)[:, -k]
    marked: Bools = (score[a, b] >= floor[a]) | (score[a, b] >= floor[b])
    return marked


def _relaxed(pairs: _Pairs, active: Bools, odd_sets: list[Bools]) -> _Solution:
    """Solve the linear programme over the active pairs and the odd sets found so far."""
    from scipy.optimize import linprog

    matrix, limit = _constraints(pairs, active, odd_sets)
    # The type stubs know no sparse constraints, which the solver takes.
    solved = linprog(  # type: ignore[call-overload]
        -pairs.value[active], A_ub=matrix, b_ub=limit, method="highs"
    )
    price = -np.asarray(solved.ineqlin.marginals)
    reduced = pairs.value - price[pairs.a] - price[pairs.b]
    for members, odd_price in zip(odd_sets, price[pairs.n_essays :], strict=True):
        reduced -= odd_price * (members[pairs.a] & members[pairs.b])
    return _Solution(np.asarray(solved.x), reduced, -float(solved.fun))


def _constraints(pairs: _Pairs, active: Bools, odd_sets: list[Bools]) -> tuple[csr_array, Floats]:
    """Return the rows of essays and odd sets over the active pairs, and their limits."""
    from scipy.sparse import csr_array, vstack

    a, b = pairs.a[active], pairs.b[active]
    column = np.arange(len(a))
    essays = csr_array(
        (np.ones(2 * len(a)), (np.concatenate([a, b]), np.concatenate([column, column]))),
        shape=(pairs.n_essays, len(a)),
    )
    if not odd_sets:
        return essays, np.ones(pairs.n_essays)
    inside = csr_array(np.array([s[a] & s[b] for s in odd_sets], dtype=np.float64))
    limits = [(int(s.sum()) - 1) / 2 for s in odd_sets]
    return vstack([essays, inside], format="csr"), np.concatenate([np.ones(pairs.n_essays), limits])


def _violated_odd_sets(pairs: _Pairs, active: Bools, share: Floats) -> list[Bools]:
    """Find odd sets with more than (size - 1) / 2 pairs among what fractional pairs connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = pairs.n_essays
    a, b = pairs.a[active], pairs.b[active]
    found: dict[bytes, Bools] = {}
    for threshold in _THRESHOLDS:
        held = (share > threshold + _TOLERANCE) & (share < 1 - _TOLERANCE)
        graph = coo_array((np.ones(held.sum()), (a[held], b[held])), shape=(n, n))
        label = connected_components(graph, directed=False)[1]
        size = np.bincount(label)
        inside = np.bincount(label[a], weights=share * (label[a] == label[b]), minlength=len(size))
        odd = (size % 2 == 1) & (size > 1) & (inside > (size - 1) / 2 + 10 * _TOLERANCE)
        for component in np.flatnonzero(odd):
            members = label == component
            found[members.tobytes()] = members
    return list(found.values())


def _branched(pairs: _Pairs, active: Bools, odd_sets: list[Bools], relaxed: _Solution) -> Ints:
    """Finish by branch and bound where no violated odd set was found.

    Exact as soon as no pair outside has a reduced cost within the gap between the two optima; such
    pairs are added and the programme is solved again.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    while True:
        matrix, limit = _constraints(pairs, active, odd_sets)
        solved = milp(
            -pairs.value[active],
            integrality=np.ones(int(active.sum()), dtype=np.int64),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, ub=limit),
            options={"mip_rel_gap": 1e-9},
        )
        total = float(pairs.value[active] @ np.asarray(solved.x))
        missing = ~active & (relaxed.reduced > total - relaxed.bound - _TOLERANCE)
        if not missing.any():
            return _rows(pairs, active, np.asarray(solved.x))
        active = active | missing


def _rows(pairs: _Pairs, active: Bools, share: Floats) -> Ints:
    """Return the active pairs that are taken whole."""
    taken = np.flatnonzero(active)[np.rint(share) == 1]
    return np.stack([pairs.a[taken], pairs.b[taken]], axis=1)
