"""Which rows of a set of comparisons are the pairs of one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Bools, Floats, Ints

PAIR = 2
NO_LIST = -1


def pair_weight(size: Ints | int) -> Floats:
    """Return what each pair of a ranking of k essays counts, in comparisons; 1 for a pair.

    A ranking of k equally good essays tells k - H_k units of information, H_k the harmonic number,
    and k (k - 1) / 2 independent comparisons would tell k (k - 1) / 4.

    Parameters
    ----------
    size : (m,) array of int or int
        Number of essays k of each list.

    Returns
    -------
    (m,) array or float
    """
    sizes = np.asarray(size, dtype=np.int64)
    harmonic = np.cumsum(1.0 / np.arange(1, int(sizes.max(initial=PAIR)) + 1))
    weight: Floats = 4.0 * (sizes - harmonic[sizes - 1]) / (sizes * (sizes - 1.0))
    return weight


@dataclass(frozen=True, eq=False)
class ListRows:
    """Of every row of a set of comparisons: which list it belongs to, and where in it.

    Attributes
    ----------
    number : (m,) array of int
        The list; -1 for a comparison of two.
    size : (m,) array of int
        Number of essays that were shown together; 2 for a comparison of two.
    first_place, second_place : (m,) arrays of int
        Places in the shown order, from 0.
    has_degree : (m,) array of bool
        Whether the size of the outcome says by how much an essay is better.
    """

    number: Ints
    size: Ints
    first_place: Ints
    second_place: Ints
    has_degree: Bools

    @classmethod
    def of_pairs(cls, count: int) -> Self:
        """Return the rows of comparisons of two."""
        whole = np.ones(count, dtype=np.int64)
        return cls(NO_LIST * whole, PAIR * whole, 0 * whole, whole, whole > 0)

    @property
    def is_listed(self) -> Bools:
        """Whether each row is of a list of three or more, (m,)."""
        longer: Bools = self.size > PAIR
        return longer

    @property
    def weight(self) -> Floats:
        """What each row counts, in comparisons, (m,)."""
        return pair_weight(self.size)

    def take(self, rows: Ints | Bools) -> Self:
        """Return some of the rows."""
        return type(self)(
            self.number[rows],
            self.size[rows],
            self.first_place[rows],
            self.second_place[rows],
            self.has_degree[rows],
        )

    def followed_by(self, other: Self) -> Self:
        """Return these rows and then others, whose lists get numbers of their own."""
        start = int(self.number.max(initial=NO_LIST)) + 1
        number = np.where(other.number == NO_LIST, NO_LIST, other.number + start)
        return type(self)(
            np.concatenate([self.number, number]),
            np.concatenate([self.size, other.size]),
            np.concatenate([self.first_place, other.first_place]),
            np.concatenate([self.second_place, other.second_place]),
            np.concatenate([self.has_degree, other.has_degree]),
        )

    def reversed_order(self) -> Self:
        """Return the rows as if every list had been shown in the opposite order."""
        return type(self)(
            self.number,
            self.size,
            self.size - 1 - self.second_place,
            self.size - 1 - self.first_place,
            self.has_degree,
        )
