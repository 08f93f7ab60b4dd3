"""Judges in pairs and judges in lists: kinds of verdicts that have parameters of their own.

A judge may be blunter or sharper when ranking k essays at once, call other gaps large, and favour
places. So the verdicts of a judge in lists of k are taken for those of another judge, whose log
sharpness lies around that of the same judge in pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.order_effects import OrderEffects, PlaceEffects
from scoring._list_rows import PAIR

if TYPE_CHECKING:
    from scoring._list_rows import ListRows
    from scoring._types import Bools, Floats, Ints

DEGREES_OF_PAIRS = 3
"""Degrees that a verdict on a pair can have: slight, clear, decisive."""

RATIO_SD = 1.0
"""Prior standard deviation of the log of a judge's sharpness in lists over that in pairs."""


@dataclass(frozen=True, eq=False)
class Judgings:
    """The kinds of verdicts: judges in pairs first, then each judge in each size of list.

    Attributes
    ----------
    n_judges : int
        Number of judges J; the first J kinds are theirs in pairs.
    judge, size : (C,) arrays of int
        Whose verdicts they are, and how many essays were shown together.
    n_lists : (C,) array of int
        How many verdicts there are of each kind, a list counted once.
    is_compared : (C,) array of bool
        Whether sharpness can differ from the same judge's in pairs: there are pairs of that judge,
        or lists of another size, which then stand for them.
    kind : (m,) array of int
        Of which kind every row is.
    evidence : (C,) array
        How much each kind weighs, in comparisons.
    rows : ListRows
        Which rows are of one list.
    """

    n_judges: int
    judge: Ints
    size: Ints
    n_lists: Ints
    is_compared: Bools
    kind: Ints
    evidence: Floats
    rows: ListRows

    def order_effects(self) -> OrderEffects:
        """Return the effects of the first place in pairs and of all places in lists."""
        start = self.n_judges + np.concatenate([[0], np.cumsum(self.size[self.n_judges :])])
        first_of = np.concatenate([np.zeros(self.n_judges, dtype=np.int64), start[:-1]])
        is_pair = self.kind < self.n_judges
        plus = np.where(is_pair, self.kind, first_of[self.kind] + self.rows.first_place)
        minus = np.where(is_pair, -1, first_of[self.kind] + self.rows.second_place)
        lists = tuple(slice(int(a), int(b)) for a, b in pairwise(start))
        return PlaceEffects(plus, minus, self.n_judges, int(start[-1]), lists)

    def find_highest_degrees(self, category: Ints, degrees: int) -> Ints:
        """Return the highest degree that verdicts of each kind can have, (C,).

        Lists of a size have as many as any verdict of one has, but three at least, as pairs do: a
        judge may not have called any difference large yet.

        Parameters
        ----------
        category : (m,) array of int
            Degree of every row, 0 for a tie; more than `degrees` where it is not known.
        degrees : int
            The highest of any row.
        """
        seen = np.zeros(int(self.size.max()) + 1, dtype=np.int64)
        np.maximum.at(seen, self.rows.size, np.where(category > degrees, 0, category))
        if seen.max() < degrees:  # More degrees were declared than anybody used.
            return np.full(len(self.size), degrees)
        highest: Ints = np.maximum(seen, min(degrees, DEGREES_OF_PAIRS))[self.size]
        return highest

    @property
    def is_unit_of_lists(self) -> bool:
        """Whether abilities are in the unit of lists: what most of the evidence is in.

        How long one unit is in the other only the lesser part can say, and not well: in its unit
        every ability would share that doubt.
        """
        of_pairs = float(self.evidence[: self.n_judges].sum())
        return float(self.evidence.sum()) > 2.0 * of_pairs

    def sharpness_basis(self, of_judges: Floats | None) -> Floats | None:
        """Return what turns coordinates into log discriminations, (C, r), or None.

        Parameters
        ----------
        of_judges : (J, r) array or None
            The same of the judges, in pairs; None when they are equally sharp.
        """
        own = np.flatnonzero(self.is_compared)
        if not len(own) and of_judges is None:
            return None
        ratios = np.zeros((len(self.judge), len(own)))
        ratios[own, np.arange(len(own))] = 1.0
        if self.is_unit_of_lists:
            for judge in range(self.n_judges):
                mine = self.judge == judge
                heaviest = int(np.argmax(np.where(mine & self.is_compared, self.evidence, -1.0)))
                if mine[heaviest] and self.is_compared[heaviest]:
                    ratios[mine] -= ratios[heaviest]
        if of_judges is None:
            return ratios
        return np.hstack([of_judges[self.judge], ratios])


def tell_judgings(judge: Ints | None, n_judges: int, rows: ListRows) -> Judgings:
    """Return the kinds of the verdicts.

    Parameters
    ----------
    judge : (m,) array of int or None
        Who judged.
    n_judges : int
        Number of judges.
    rows : ListRows
        Which rows are of one list.
    """
    whose = np.zeros(len(rows.size), dtype=np.int64) if judge is None else judge
    widest = int(rows.size.max()) + 1
    key = whose * widest + rows.size
    listed = np.unique(key[rows.is_listed])
    sizes = np.concatenate([np.full(n_judges, PAIR), listed % widest])
    judges = np.concatenate([np.arange(n_judges), listed // widest])
    kind = np.where(rows.is_listed, n_judges + np.searchsorted(listed, key), whose)
    pairs = np.where(rows.is_listed, 0, 1)
    n_lists = np.bincount(kind, pairs + rows.share_of_list, len(judges))
    seen = np.bincount(whose, pairs, n_judges)
    return Judgings(
        n_judges,
        judges,
        sizes,
        np.rint(n_lists).astype(np.int64),
        _find_compared(judges, seen, n_judges),
        kind,
        np.bincount(kind, rows.weight, len(judges)),
        rows,
    )


def _find_compared(judges: Ints, seen: Floats, n_judges: int) -> Bools:
    compared = np.zeros(len(judges), dtype=np.bool_)
    has_reference = seen > 0
    for kind in range(n_judges, len(judges)):
        compared[kind] = has_reference[judges[kind]]
        # without pairs the shortest lists are the judge's own scale
        has_reference[judges[kind]] = True
    return compared
