"""Which comparisons are of the same two essays: they share a place in the information matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

# Up to this many essays, equal pairs are found in an n x n table instead of by sorting.
_TABLE_UP_TO = 500


class Pairs:
    """The unordered pairs that were compared.

    Attributes
    ----------
    low, high : (P,) arrays of int
        The essays of each pair, low < high.
    index : (m,) array of int or None
        Pair of each observation; None when every observation is a pair of its own.
    """

    __slots__ = ("high", "index", "low")

    low: Ints
    high: Ints
    index: Ints | None

    def __init__(self, n: int, first: Ints, second: Ints) -> None:
        low = np.minimum(first, second)
        high = np.maximum(first, second)
        key = low * n + high
        if n <= _TABLE_UP_TO:
            self._group_by_table(n, low, high, key)
        else:
            self._group_by_sorting(n, low, high, key)

    def _group_by_table(self, n: int, low: Ints, high: Ints, key: Ints) -> None:
        rows = np.arange(len(key))
        last = np.empty(n * n, dtype=np.int64)
        last[key] = rows
        representative = last[key]
        own = representative == rows
        if own.all():
            self.low, self.high, self.index = low, high, None
            return
        number = np.cumsum(own) - 1
        self.index = number[representative]
        self.low, self.high = low[own], high[own]

    def _group_by_sorting(self, n: int, low: Ints, high: Ints, key: Ints) -> None:
        order = np.argsort(key)
        ordered = key[order]
        new = np.empty(len(key), dtype=bool)
        new[0] = True
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        if new.all():
            self.low, self.high, self.index = low, high, None
            return
        index = np.empty(len(key), dtype=np.int64)
        index[order] = np.cumsum(new) - 1
        self.index = index
        self.low = ordered[new] // n
        self.high = ordered[new] % n

    def total(self, values: Floats) -> Floats:
        """Sum values of observations by pair, (P,)."""
        if self.index is None:
            return values
        summed: Floats = np.bincount(self.index, values, len(self.low))
        return summed
