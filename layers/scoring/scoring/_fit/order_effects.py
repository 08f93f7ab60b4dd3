"""What the place in which an essay is shown adds to a verdict.

In a pair the essay shown first has an advantage, one for each judge. In a list of k every place
has one, for each judge and size, and a verdict bears on the difference of two of them. Only
differences are ever seen: a prior that is equal and independent keeps a list's sum at zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.linear import sum_differences, symmetric

if TYPE_CHECKING:
    from scoring._types import Floats, Ints


class OrderEffects:
    """One effect for each judge: the advantage of the essay shown first.

    Parameters
    ----------
    judge : (m,) array of int or None
        Whose verdict each one is; None when there is one judge.
    n_judges : int
        Number of judges J.

    Attributes
    ----------
    size : int
        Number of parameters.
    n_pairs : int
        How many of them, from the front, are effects of pairs.
    """

    def __init__(self, judge: Ints | None, n_judges: int) -> None:
        self._judge = judge
        self.size = self.n_pairs = n_judges

    def shift(self, effects: Floats) -> Floats | float:
        """Return what is added to every judged difference, (m,) or a number for all."""
        return float(effects[0]) if self._judge is None else effects[self._judge]

    def total(self, values: Floats) -> Floats:
        """Sum values of verdicts by parameter, with the parameter's sign in each, (size,)."""
        if self._judge is None:
            return values.sum(keepdims=True)
        summed: Floats = np.bincount(self._judge, values, self.size)
        return summed

    def products(self, values: Floats) -> Floats:
        """Sum values of verdicts by pairs of parameters, (size, size)."""
        return np.diag(self.total(values))

    def sum_by_essay(self, first: Ints, second: Ints, values: Floats, n: int) -> Floats:
        """Sum (e_first - e_second) times values by parameter, (n, size)."""
        if self._judge is None:
            total = np.bincount(first, values, n) - np.bincount(second, values, n)
            return total[:, None]
        return sum_differences(first, second, self._judge, values, n, self.size)

    def sum_by_group(self, values: Floats, group: Ints, n_groups: int) -> Floats:  # noqa: ARG002 - groups are its own
        """Sum values by parameter and by the verdicts' judge, (size, n_groups)."""
        return np.diag(self.total(values))

    def add_variance(
        self,
        variance: Floats,
        lower: Floats,
        essays: tuple[Ints, Ints],
        n: int,
        scale: Floats | float,
    ) -> None:
        """Add the effects' part to the variance of every judged difference, in place.

        Parameters
        ----------
        variance : (m,) array
            What the abilities' part is.
        lower : (N, N) array
            Lower triangle of the covariance of all parameters: abilities, effects, the rest.
        essays : two (m,) arrays of int
            As shown.
        n : int
            Number of abilities.
        scale : (m,) array or float
            Discrimination of every verdict.
        """
        first, second = essays
        if self._judge is None:
            row = lower[n, :n].copy()
            variance += lower[n, n]
            variance += 2.0 * scale * (row[first] - row[second])
            return
        at = n + self._judge
        variance += lower.diagonal()[at]
        variance += 2.0 * scale * (lower[at, first] - lower[at, second])


class PlaceEffects(OrderEffects):
    """Effects of pairs, then those of the places of lists.

    Parameters
    ----------
    plus, minus : (m,) arrays of int
        The parameters that are added and taken off in each verdict; -1 for none.
    n_pairs, size : int
        Number of effects of pairs, and of all.
    lists : tuple of slice
        Where the effects of each kind of list are.
    """

    def __init__(
        self, plus: Ints, minus: Ints, n_pairs: int, size: int, lists: tuple[slice, ...]
    ) -> None:
        self.n_pairs, self.size, self.lists = n_pairs, size, lists
        # a parameter that is always zero stands where there is none
        self._plus, self._minus = (np.where(at < 0, size, at) for at in (plus, minus))

    def shift(self, effects: Floats) -> Floats:
        """Return what is added to every judged difference, (m,)."""
        padded = np.append(effects, 0.0)
        shifts: Floats = padded[self._plus] - padded[self._minus]
        return shifts

    def total(self, values: Floats) -> Floats:
        """Sum values of verdicts by parameter, with the parameter's sign in each, (size,)."""
        width = self.size + 1
        signed = np.bincount(self._plus, values, width) - np.bincount(self._minus, values, width)
        summed: Floats = signed[:-1]
        return summed

    def products(self, values: Floats) -> Floats:
        """Sum values of verdicts by pairs of parameters, (size, size)."""
        width = self.size + 1
        cells = self._plus * width + self._minus
        mixed = np.bincount(cells, values, width * width).reshape(width, width)
        own = mixed.sum(axis=0) + mixed.sum(axis=1)
        products: Floats = (np.diag(own) - mixed - mixed.T)[:-1, :-1]
        return products

    def sum_by_essay(self, first: Ints, second: Ints, values: Floats, n: int) -> Floats:
        """Sum (e_first - e_second) times values by parameter, (n, size)."""
        return self._sum_signed(first, values, n) - self._sum_signed(second, values, n)

    def sum_by_group(self, values: Floats, group: Ints, n_groups: int) -> Floats:
        """Sum values by parameter and by the verdicts' judge, (size, n_groups)."""
        return self._sum_signed(group, values, n_groups).T

    def _sum_signed(self, row: Ints, values: Floats, n_rows: int) -> Floats:
        width = self.size + 1
        signed = np.bincount(row * width + self._plus, values, n_rows * width)
        signed -= np.bincount(row * width + self._minus, values, n_rows * width)
        cells: Floats = signed.reshape(n_rows, width)[:, :-1]
        return cells

    def add_variance(
        self,
        variance: Floats,
        lower: Floats,
        essays: tuple[Ints, Ints],
        n: int,
        scale: Floats | float,
    ) -> None:
        """Add the effects' part to the variance of every judged difference, in place."""
        first, second = essays
        end = n + self.size
        own = np.zeros((self.size + 1, self.size + 1))
        own[:-1, :-1] = symmetric(lower[n:end, n:end])
        cross = np.vstack([lower[n:end, :n], np.zeros((1, n))])
        plus, minus = self._plus, self._minus
        variance += own[plus, plus] + own[minus, minus] - 2.0 * own[plus, minus]
        along = cross[plus, first] - cross[plus, second]
        against = cross[minus, first] - cross[minus, second]
        variance += 2.0 * scale * (along - against)
