"""Which essay of a pair is shown first: at random, with every essay first as often as second."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from scoring._types import Ints


def balance_order(pairs: Ints, lead: Ints, rng: np.random.Generator) -> Ints:
    """Show first, of each pair, the essay that was shown first less often; ties at random.

    Parameters
    ----------
    pairs : (p, 2) ndarray of int
        Essay indices, in any order.
    lead : (n,) ndarray of int
        Times shown first less times shown second, before these pairs.
    rng : numpy.random.Generator
        Breaks the ties.

    Returns
    -------
    (p, 2) ndarray of int
        The same pairs; column 0 is shown first.
    """
    lead = lead.copy()
    ordered = pairs.copy()
    coin = rng.integers(2, size=len(pairs))
    for row in rng.permutation(len(pairs)):
        a, b = ordered[row]
        if lead[a] > lead[b] or (lead[a] == lead[b] and coin[row]):
            ordered[row] = a, b = b, a
        lead[a] += 1
        lead[b] -= 1
    return ordered
