"""Which rows of a set of comparisons are the pairs of one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Bools, Floats, Ints

PAIR = 2
NO_LIST = -1


_DEGREES_OF_PAIRS = 3
_FEWER_THAN_ESSAYS = 2

# Correlations of two verdicts of one list that share an essay, over essays at any distance.
_OF_SIGNS, _OF_DEGREES = 0.28, 0.45

# What takes their places where sharpness in lists is compared with that in pairs. By the weights of
# abilities a judge who is as sharp in lists looks a fifth too blunt, because verdicts that agree
# with each other more than independent ones are taken for a wide spread. What is right falls with
# the spread of a list (root mean square of its differences, logits): of essays far apart only the
# surprising verdicts tell much, and those are rarely of the same essay's noise. One number for all
# found ratios of 1 too small and of .5 a fifth too large. Where degrees are many it hardly falls:
# with Normal margins that are seen it is 1/2 at any distance. By simulation (40 essays, sd 2, 6
# readings, ratios of .5 to 1.25, lists of five and ten).
_OF_MANY_DEGREES, _OF_THREE_DEGREES, _FALL_OF_THREE_DEGREES = 0.40, 0.35, 0.165
_OF_SIGNS_IN_RATIOS, _FALL_OF_SIGNS = 0.48, 0.124
_LEAST_IN_RATIOS, _MOST_IN_RATIOS = 0.05, 0.6


def count_degrees(size: Ints | int) -> Ints:
    """Return how many degrees the steps between the essays of a list of k are split into.

    Lists of up to five have three degrees, as pairs have; longer ones, whose ends are more steps
    apart, two fewer than essays.

    Parameters
    ----------
    size : (m,) array of int or int
        Number of essays k.
    """
    count: Ints = np.maximum(_DEGREES_OF_PAIRS, np.asarray(size) - _FEWER_THAN_ESSAYS)
    return count


def pair_weight(size: Ints | int, *, has_degree: Bools | bool) -> Floats:
    """Return what each pair of a ranking of k essays counts, in comparisons; 1 for a pair.

    Two verdicts of one list on the same essay share that essay's noise: their scores correlate by
    some r, and k - 1 of them have the variance of 1 + (k - 2) r times as many independent ones. So
    each weighs 1 / (1 + (k - 2) r) (a design effect, Kish 1965, section 8.2; it makes a composite
    likelihood keep to Bartlett's second identity, Varin, Reid & Firth 2011, Statistica Sinica
    21:5). By simulation r does not depend on k. Where a verdict says which essay is better it is
    1/3 for equally good essays, whatever the noise, and .24 for essays with a standard deviation of
    1.5 logits: .28 stands for both, and comes within 1% of (k - H_k) / (k (k - 1) / 4), the
    information of a ranking over that of its pairs. Where a verdict also says by how much, it is
    .41 to .47 (three degrees).

    Parameters
    ----------
    size : (m,) array of int or int
        Number of essays k of each list.
    has_degree : (m,) array of bool or bool
        Whether the verdict says by how much an essay is better.

    Returns
    -------
    (m,) array or float
    """
    correlation: Floats = np.where(has_degree, _OF_DEGREES, _OF_SIGNS)
    extra: Floats = np.asarray(size, dtype=np.float64) - PAIR
    weight: Floats = 1.0 / (1.0 + extra * correlation)
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
    def make_pairs(cls, n_pairs: int) -> Self:
        """Return the rows of comparisons of two."""
        whole = np.ones(n_pairs, dtype=np.int64)
        return cls(NO_LIST * whole, PAIR * whole, 0 * whole, whole, whole > 0)

    @property
    def is_listed(self) -> Bools:
        """Whether each row is of a list of three or more, (m,)."""
        longer: Bools = self.size > PAIR
        return longer

    @property
    def weight(self) -> Floats:
        """What each row counts, in comparisons, (m,)."""
        return pair_weight(self.size, has_degree=self.has_degree)

    @property
    def weight_of_squares(self) -> Floats:
        """What each row's squared residual counts, (m,): squares correlate by r^2."""
        correlation: Floats = np.where(self.has_degree, _OF_DEGREES, _OF_SIGNS) ** 2
        weight: Floats = 1.0 / (1.0 + (self.size - PAIR) * correlation)
        return weight

    def weigh_in_ratios(self, squared_difference: Floats) -> Floats:
        """Return what each row counts in the ratio of sharpness, (m,); 1 for a comparison of two.

        Parameters
        ----------
        squared_difference : (m,) array
            Expected squares of the judged differences, logits^2, in the unit of their kind.
        """
        spread = np.sqrt(self._average_by_list(squared_difference))
        of_signs = _OF_SIGNS_IN_RATIOS - _FALL_OF_SIGNS * spread
        coarse = _DEGREES_OF_PAIRS / count_degrees(self.size)
        of_degrees = _OF_MANY_DEGREES + coarse * (
            _OF_THREE_DEGREES - _FALL_OF_THREE_DEGREES * spread
        )
        of_own = np.where(self.has_degree, of_degrees, of_signs)
        correlation: Floats = np.clip(of_own, _LEAST_IN_RATIOS, _MOST_IN_RATIOS)
        weight: Floats = 1.0 / (1.0 + (self.size - PAIR) * correlation)
        return weight

    def _average_by_list(self, values: Floats) -> Floats:
        """Return for each row the mean over its list; a comparison of two keeps its own, (m,)."""
        listed = self.is_listed
        mean = values.astype(np.float64)
        if listed.any():
            number = self.number[listed]
            total = np.bincount(number, self.share_of_list[listed] * values[listed])
            mean[listed] = total[number]
        return mean

    @property
    def share_of_list(self) -> Floats:
        """Of each row of a list 1 / its number of rows, so that a list sums to 1; else 0, (m,)."""
        size = self.size.astype(np.float64)
        share: Floats = np.where(self.is_listed, 2.0 / (size * (size - 1.0)), 0.0)
        return share

    @property
    def share_of_reading(self) -> Floats:
        """Of each row 1 / (size - 1), so that an essay's rows of one list sum to 1, (m,)."""
        share: Floats = 1.0 / (self.size.astype(np.float64) - 1.0)
        return share

    def take(self, rows: Ints | Bools) -> Self:
        """Return some of the rows."""
        return type(self)(
            self.number[rows],
            self.size[rows],
            self.first_place[rows],
            self.second_place[rows],
            self.has_degree[rows],
        )

    def append(self, other: Self) -> Self:
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
