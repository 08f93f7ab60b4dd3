"""Matchings of essays: pairs in which every essay occurs at most once.

Every function takes a symmetric (k, k) matrix of scores, larger is better, with `-inf` where a pair
is forbidden, and returns a (p, 2) array of pairs of essay indices.

Waves use the improved greedy matching, random rounds the greedy one. `spread_evenly` uses the HiGHS
solver behind `scipy.optimize`, imported when first called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from scoring._types import Bools, Floats, Ints

# HiGHS stops at this relative gap; the scores are scaled to [0, 1], so sums differ by less than
# 1e-6.
_RELATIVE_GAP = 1e-9
# Exchanges must gain more than rounding, and the sweeps end.
_LEAST_GAIN = 1e-12
_MOST_SWEEPS = 50


def no_pairs() -> Ints:
    """Return an empty (0, 2) array of pairs."""
    return np.zeros((0, 2), dtype=np.int64)


def greedy_matching(score: Floats) -> Ints:
    """Match by repeatedly taking the best remaining pair, then match the essays left over.

    Pairs that are each other's best partner are taken together ("locally dominant"), in a few
    vectorised passes. When scores are distinct this gives the same matching as taking pairs one by
    one from the best down. At least half of the best possible total score (Preis, STACS 1999).

    Parameters
    ----------
    score : (k, k) ndarray of float
        Symmetric, `-inf` where forbidden.

    Returns
    -------
    (p, 2) ndarray of int
        Pairs, p <= k // 2; fewer only where forbidden pairs leave no other choice that one exchange
        of partners could find.
    """
    free = np.arange(len(score))
    remaining = score.copy()
    matched = []
    while len(free) > 1:
        best = remaining.argmax(axis=1)
        row = np.arange(len(free))
        mutual = (best[best] == row) & (row < best) & np.isfinite(remaining[row, best])
        if not mutual.any():
            break
        a, b = row[mutual], best[mutual]
        matched.append(np.stack([free[a], free[b]], axis=1))
        keep = np.ones(len(free), dtype=bool)
        keep[a] = keep[b] = False
        free = free[keep]
        remaining = remaining[np.ix_(keep, keep)]
    pairs = np.concatenate(matched) if matched else no_pairs()
    return _match_left_over(pairs, free, score)


def _match_left_over(pairs: Ints, free: Ints, score: Floats) -> Ints:
    """Match left-over essays u, v by breaking a pair: (a, b) becomes (u, a), (v, b)."""
    waiting = list(free)
    pairs = pairs.copy()
    while len(waiting) > 1 and len(pairs):
        u = waiting.pop()
        gain, exchange, v = max(
            ((*_best_exchange(pairs, u, v, score), v) for v in waiting),
            key=lambda candidate: candidate[0],
        )
        if not np.isfinite(gain):
            continue
        waiting.remove(v)
        row, flipped = exchange
        a, b = pairs[row][::-1] if flipped else pairs[row]
        pairs[row] = (u, a)
        pairs = np.concatenate([pairs, [[v, b]]])
    return pairs


def _best_exchange(pairs: Ints, u: int, v: int, score: Floats) -> tuple[float, tuple[int, bool]]:
    """Find the pair whose break-up serves u and v best: change of the score, (row, flipped)."""
    a, b = pairs[:, 0], pairs[:, 1]
    gains = np.stack([score[u, a] + score[v, b], score[u, b] + score[v, a]]) - score[a, b]
    side, row = divmod(int(gains.argmax()), len(pairs))
    return float(gains[side, row]), (row, bool(side))


def improve_matching(score: Floats) -> Ints:
    """Match greedily, then exchange partners between pairs as long as the total score grows.

    Parameters
    ----------
    score : (k, k) ndarray of float
        Symmetric, `-inf` where forbidden.

    Returns
    -------
    (p, 2) ndarray of int
        Pairs such that no exchange of partners between two of them raises the total.
    """
    pairs = greedy_matching(score)
    for _ in range(_MOST_SWEEPS):
        left, right, straight = _find_exchanges(pairs, score)
        if not len(left):
            break
        (a, b), (c, d) = pairs[left].T, pairs[right].T
        pairs[left] = np.stack([a, np.where(straight, c, d)], axis=1)
        pairs[right] = np.stack([b, np.where(straight, d, c)], axis=1)
    return pairs


def _find_exchanges(pairs: Ints, score: Floats) -> tuple[Ints, Ints, Bools]:
    """Find pairs of rows that gain most from each other.

    Rows (a, b) and (c, d) become (a, c), (b, d) if straight, else (a, d), (b, c).
    """
    a, b = pairs[:, 0], pairs[:, 1]
    present = score[a, b]
    straight = score[np.ix_(a, a)] + score[np.ix_(b, b)]
    crossed = score[np.ix_(a, b)] + score[np.ix_(b, a)]
    gain = np.maximum(straight, crossed) - present[:, None] - present
    gain[np.diag_indices_from(gain)] = -np.inf
    row = np.arange(len(pairs))
    best = gain.argmax(axis=1) if len(pairs) else row
    mutual = (best[best] == row) & (row < best) & (gain[row, best] > _LEAST_GAIN)
    left, right = row[mutual], best[mutual]
    return left, right, straight[left, right] >= crossed[left, right]


def spread_evenly(score: Floats, counts: Ints, budget: int) -> Ints:
    """Choose pairs so that the comparisons per essay end within one of each other. Exact.

    For small sets in which most pairs exist already. There one matching after the other can leave
    essays without a partner. Essays may occur in several pairs.

    Parameters
    ----------
    score : (n, n) ndarray of float
        Symmetric, `-inf` where forbidden.
    counts : (n,) ndarray of int
        Comparisons that each essay has already.
    budget : int
        The largest number of pairs.

    Returns
    -------
    (p, 2) ndarray of int
        As many pairs as the budget and evenness allow, with the largest total score among those.
        Empty if evenness allows none.
    """
    a, b = np.nonzero(np.triu(np.isfinite(score), 1))
    if not len(a) or budget < 1:
        return no_pairs()
    value = scale_to_unit(score[a, b]) + budget + 1
    budget = min(budget, len(a))
    highest = (int(counts.sum()) + 2 * budget) // len(counts)
    for level in range(highest, int(counts.min()) - 1, -1):
        is_chosen = _choose_level(a, b, value, counts, level, budget)
        if is_chosen is not None:
            return np.stack([a[is_chosen], b[is_chosen]], axis=1)
    return no_pairs()


def scale_to_unit(values: Floats) -> Floats:
    """Map values linearly to [0, 1]; all to 0 if they are equal.

    Parameters
    ----------
    values : (n,) array

    Returns
    -------
    (n,) array
    """
    span = values.max() - values.min()
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def _choose_level(
    a: Ints, b: Ints, value: Floats, counts: Ints, level: int, budget: int
) -> Bools | None:
    """Choose pairs so that every essay ends with `level` or `level + 1`, or None."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    need, room = np.maximum(level - counts, 0), np.maximum(level + 1 - counts, 0)
    solved = milp(
        -value,
        integrality=np.ones(len(a), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(_incidence(len(counts), a, b), lb=need, ub=room),
            LinearConstraint(np.ones((1, len(a))), ub=budget),
        ],
        options={"mip_rel_gap": _RELATIVE_GAP},
    )
    return None if solved.x is None else np.rint(solved.x) == 1


def _incidence(n: int, a: Ints, b: Ints) -> csr_array:
    """Return the sparse essay-by-pair incidence matrix."""
    from scipy.sparse import csr_array

    column = np.arange(len(a))
    return csr_array(
        (np.ones(2 * len(a)), (np.concatenate([a, b]), np.concatenate([column, column]))),
        shape=(n, len(a)),
    )
