"""Which essay of a pair is shown first: at random, with every essay first as often as second."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from scoring._types import Ints


def shown_order(pairs: Ints, lead: Ints, rng: np.random.Generator) -> Ints:
    """Order each pair so that the essay that has been first less often is first, ties at random.

    Parameters
    ----------
    pairs : (p, 2), in any order.
    lead : (n,) times shown first less times shown second, before these pairs.
    rng : breaks the ties.

    Returns
    -------
    (p, 2), first shown first.

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
