"""Essays put into lists of one size: a partition whose lists have the largest total worth.

The worth of a list is the sum of the worth of its pairs. Essays that have met before cost more than
any worth can bring, so that a search which raises the total first parts them. Where long lists of
essays that never met could only be of distant ones, a pair that has met is worth nothing instead.
Large sets are split into blocks of essays that lie beside one another in the order of the start;
the search goes through each block alone, so that time and memory grow in proportion to the essays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._types import Bools, Floats, Ints

# Essays of one block; the search looks at all exchanges of two of them.
_BLOCK = 320
_MOST_SWEEPS = 200
# Starts that are tried in a small set before essays meet again.
_STARTS = 4
_SMALL = 80
_LEAST_GAIN = 1e-9


def group_essays(
    start: Ints,
    list_size: int,
    met: Bools,
    worth: Callable[[Ints], Floats] | None,
    rng: np.random.Generator,
    *,
    may_meet_again: bool = False,
) -> Ints:
    """Put essays into lists in which as few as can be found have met before.

    Parameters
    ----------
    start : (g * list_size,) ndarray of int
        Distinct essays; those that should share a list stand beside one another.
    list_size : int
        Essays of a list.
    met : (n, n) ndarray of bool
        Which essays of the whole set have met.
    worth : callable, optional
        From (b,) essays to the (b, b) worth of their pairs. Without it the lists are random ones:
        essays move only to part those that have met.
    rng : numpy.random.Generator
        Breaks ties, and draws further starts for small sets.
    may_meet_again : bool
        Whether essays that have met may share a list: the two are worth nothing then, and
        others must be worth more than that.

    Returns
    -------
    (g, list_size) ndarray of int
        Essays.
    """
    best = _group_once(start, list_size, met, worth, rng, may_meet_again=may_meet_again)
    if len(start) > _SMALL or may_meet_again:
        return best
    fewest = count_repeats(best, met).sum()
    for _ in range(_STARTS):
        if not fewest:
            break
        lists = _group_once(rng.permutation(start), list_size, met, worth, rng)
        n_repeats = count_repeats(lists, met).sum()
        if n_repeats < fewest:
            best, fewest = lists, n_repeats
    return best


def count_repeats(lists: Ints, met: Bools) -> Ints:
    """Return how many pairs of each list have met before.

    Parameters
    ----------
    lists : (g, k) array of int
        Essays of each list.
    met : (n, n) array of bool
        True where two essays have met, and on the diagonal.

    Returns
    -------
    (g,) array of int
    """
    pairs: Ints = met[lists[:, :, None], lists[:, None, :]].sum(axis=(1, 2)) - lists.shape[1]
    return pairs // 2


def _group_once(
    start: Ints,
    list_size: int,
    met: Bools,
    worth: Callable[[Ints], Floats] | None,
    rng: np.random.Generator,
    *,
    may_meet_again: bool = False,
) -> Ints:
    """Search each block of the start alone."""
    n_lists = len(start) // list_size
    n_blocks = max(1, round(n_lists * list_size / _BLOCK))
    blocks = np.array_split(start.reshape(n_lists, list_size), n_blocks)
    return np.concatenate(
        [_search(block, met, worth, rng, may_meet_again=may_meet_again) for block in blocks]
    )


def _search(
    lists: Ints,
    met: Bools,
    worth: Callable[[Ints], Floats] | None,
    rng: np.random.Generator,
    *,
    may_meet_again: bool,
) -> Ints:
    """Exchange essays between lists as long as the total worth grows.

    Parameters
    ----------
    lists : (g, k) array of int
        Essays of each list.
    met : (n, n) array of bool
        True where two essays have met, and on the diagonal.
    worth : callable or None
        Worth of every two of s essays in one list, (s, s); None where all are alike.
    rng : numpy.random.Generator
        Decides where exchanges are worth the same.
    may_meet_again : bool
        Whether two that have met are only worth nothing.

    Returns
    -------
    (g, k) array of int
    """
    essays = lists.ravel()
    has_met = met[np.ix_(essays, essays)]
    noise = rng.random(has_met.shape)
    noise = noise + noise.T
    if worth is None:
        if not has_met.sum() > len(essays):
            return lists
        # Only what parts essays that have met gains enough; among such exchanges chance decides.
        penalty = float(len(essays))
        score, least_gain = noise / len(essays), penalty / 2.0
    else:
        score = worth(essays)
        penalty = (1.0 + float(np.ptp(score))) * lists.shape[1] ** 2
        if may_meet_again:
            score, penalty = np.where(has_met, 0.0, score), 0.0
        score, least_gain = score + _LEAST_GAIN * noise, _LEAST_GAIN
    score = score - penalty * has_met
    np.fill_diagonal(score, 0.0)
    return essays[_exchange(score, len(lists), least_gain)]


def _exchange(score: Floats, n_lists: int, least_gain: float) -> Ints:
    """Return positions in lists, (g, k), after exchanges that each gain `least_gain` or more."""
    n = len(score)
    home = np.repeat(np.arange(n_lists), n // n_lists)
    member = np.zeros((n, n_lists))
    member[np.arange(n), home] = 1.0
    bond = score @ member
    for _ in range(_MOST_SWEEPS):
        swaps = _choose_swaps(score, bond, home, least_gain)
        if not len(swaps):
            break
        left, right = swaps.T
        moved = score[:, right] - score[:, left]
        # No list is touched twice, so plain indices add every change.
        bond[:, home[left]] += moved
        bond[:, home[right]] -= moved
        home[left], home[right] = home[right], home[left]
    return np.argsort(home, kind="stable").reshape(n_lists, -1)


def _choose_swaps(score: Floats, bond: Floats, home: Ints, least_gain: float) -> Ints:
    """Choose exchanges of two essays, the best first, that touch every list once at most."""
    essay = np.arange(len(home))
    away = bond[:, home]
    own = bond[essay, home]
    gain = away + away.T - own[:, None] - own - 2.0 * score
    gain[home[:, None] == home] = -np.inf
    partner = gain.argmax(axis=1)
    best = gain[essay, partner]
    free = np.ones(bond.shape[1], dtype=bool)
    chosen: list[tuple[int, int]] = []
    for one in np.argsort(-best, kind="stable"):
        if best[one] < least_gain:
            break
        other = int(partner[one])
        if free[home[one]] and free[home[other]]:
            free[home[one]] = free[home[other]] = False
            chosen.append((int(one), other))
    return np.array(chosen, dtype=np.int64).reshape(-1, 2)
