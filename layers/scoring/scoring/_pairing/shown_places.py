"""The place of each essay in its list: every essay at each place as often as at any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Ints

_SWEEPS = 8


def balance_places(lists: Ints, shown: Ints, rng: np.random.Generator) -> Ints:
    """Order each list so that essays go through all places evenly; ties at random.

    The sum of squares over essays and places of how often an essay was shown there is lowered list
    by list, each by its best assignment of essays to places, until none lowers it further.

    Parameters
    ----------
    lists : (m, k) ndarray of int
        Essays of each list, in any order.
    shown : (n, k) ndarray of int
        How often each essay was shown at each place before.
    rng : numpy.random.Generator
        Breaks the ties.

    Returns
    -------
    (m, k) ndarray of int
        The same lists; column 0 is shown first.
    """
    from scipy.optimize import linear_sum_assignment

    ordered = rng.permuted(lists, axis=1)
    place = np.arange(lists.shape[1])
    times = shown.astype(np.float64)
    np.add.at(times, (ordered, place), 1.0)
    for _ in range(_SWEEPS):
        for row in rng.permutation(len(ordered)):
            present = ordered[row]
            times[present, place] -= 1.0
            # Equally good assignments are drawn from, which leads on where none is better alone.
            cost = times[present] + 0.1 / len(place) * rng.random((len(place), len(place)))
            essay, assigned = linear_sum_assignment(cost)
            ordered[row, assigned] = present[essay]
            times[ordered[row], place] += 1.0
    return ordered
