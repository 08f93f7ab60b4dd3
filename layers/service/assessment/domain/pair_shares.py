"""How many pairs a judge of lists is asked beside them, by the size of its lists.

Pairs tell how sharp a judge is in lists. How many are worth their calls depends on how many calls
its lists save.
"""

from __future__ import annotations

from dataclasses import dataclass

KNOWN_PAIR_SHARE = 0.01
"""The most of a judge's readings in pairs where an earlier measurement says that it is sharp enough
in lists, and no verdict says otherwise."""


@dataclass(frozen=True, kw_only=True)
class PairShares:
    """Shares of a judge's readings that are in pairs, by what is known of it.

    `unsettled` holds while nobody knows how sharp a judge is in lists: in the first `n_early_waves`
    in any case, if nobody measured it, because its ratio is too vague for it to be settled.
    `suspected` holds once it is too blunt for lists with at least `suspected_probability`.
    """

    n_early_waves: int
    unsettled: float
    suspected: float
    suspected_probability: float


# In short lists it is enough that the judge is no less likely blunt than is expected of any.
_OF_SHORT_LISTS = PairShares(
    n_early_waves=4, unsettled=0.15, suspected=0.45, suspected_probability=0.2
)
# Longer ones are there to save calls, and so many pairs would cost as many as they save.
_OF_LONG_LISTS = PairShares(
    n_early_waves=0, unsettled=0.15, suspected=0.45, suspected_probability=0.3
)
_LONGEST_SHORT_LIST = 5


def find_pair_shares(list_size: int) -> PairShares:
    """The shares that hold for a judge of lists of this size."""
    return _OF_SHORT_LISTS if list_size <= _LONGEST_SHORT_LIST else _OF_LONG_LISTS
