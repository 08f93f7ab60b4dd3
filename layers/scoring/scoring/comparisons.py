"""The comparisons of one assessment, checked once and then trusted."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from scoring._indices import IndexProblemError, essay_indices, whole_numbers
from scoring.errors import EmptyComparisonsError, InvalidComparisonError, TooFewEssaysError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Bools, Ints


_LEAST_ESSAYS = 2
_ESSAYS = ("first", "second")


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Verdicts on pairs of essays.

    Parameters
    ----------
    n_essays : int
        Number of essays n; essays are the integers 0 .. n-1.
    first, second : (m,) array_like of int
        The essays of each comparison, in the order in which the judge saw them.
    outcome : (m,) array_like of int
        ``+k`` when the first essay is better by degree k, ``-k`` when the second is, ``0`` for a
        tie. Binary verdicts are ``+1`` and ``-1``.
    judge : (m,) array_like of int, optional
        Who judged, 0 .. J-1. A judge is one provider, model, prompt and settings, or one person.
        None means that the judges are unknown; comparisons then count as independent, whereas
        the comparisons of one pair by one known judge share the weight of one (see
        :func:`scoring.fit`).
    order_known : bool, default True
        False for records that keep only who won: an order effect is then never estimated. Such
        records, winner first, must not pass for shown orders; use :meth:`from_winners`.

    Raises
    ------
    TooFewEssaysError
        If ``n_essays`` is below 2.
    EmptyComparisonsError
        If there is no comparison.
    InvalidComparisonError
        If an index is not an integer in range, an essay meets itself, or an outcome is not an
        integer. The error carries ``row`` and ``field``.
    """

    n_essays: int
    first: Ints
    second: Ints
    outcome: Ints
    judge: Ints | None = None
    order_known: bool = True

    def __init__(
        self,
        n_essays: int,
        first: ArrayLike,
        second: ArrayLike,
        outcome: ArrayLike,
        judge: ArrayLike | None = None,
        *,
        order_known: bool = True,
    ) -> None:
        _require_essays(n_essays)
        columns = {"first": first, "second": second, "outcome": outcome}
        if judge is not None:
            columns["judge"] = judge
        arrays = {name: _integers(name, column, n_essays) for name, column in columns.items()}
        _require_equal_length(arrays)
        _require_sense(arrays)
        store = object.__setattr__
        store(self, "n_essays", int(n_essays))
        store(self, "judge", None)
        for name, array in arrays.items():
            store(self, name, array)
        store(self, "order_known", bool(order_known))

    @classmethod
    def from_winners(
        cls, n_essays: int, winner: ArrayLike, loser: ArrayLike, judge: ArrayLike | None = None
    ) -> Comparisons:
        """Build binary comparisons from records that do not say which essay was shown first.

        Parameters
        ----------
        n_essays : int
            Number of essays.
        winner, loser : (m,) array_like of int
            Preferred and other essay of each comparison.
        judge : (m,) array_like of int, optional
            Who judged.

        Returns
        -------
        Comparisons
            With ``order_known=False``.
        """
        return cls(n_essays, winner, loser, np.ones_like(winner), judge, order_known=False)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def n_judges(self) -> int:
        """Number of judges J; 1 when the judges are unknown."""
        return 1 if self.judge is None else int(self.judge.max()) + 1

    def take(self, rows: Ints | Bools) -> Comparisons:
        """Return the comparisons of the given rows, for the same essays and judges' numbers."""
        judge = None if self.judge is None else self.judge[rows]
        return Comparisons(
            self.n_essays,
            self.first[rows],
            self.second[rows],
            self.outcome[rows],
            judge,
            order_known=self.order_known,
        )

    def reversed_order(self) -> Comparisons:
        """Return the same verdicts as if every pair had been shown the other way round."""
        return Comparisons(
            self.n_essays,
            self.second,
            self.first,
            -self.outcome,
            self.judge,
            order_known=self.order_known,
        )


def _require_essays(n_essays: object) -> None:
    if isinstance(n_essays, bool) or not isinstance(n_essays, Integral):
        raise TooFewEssaysError(f"n_essays must be an integer, got {n_essays!r}")
    if int(n_essays) < _LEAST_ESSAYS:
        raise TooFewEssaysError(f"at least two essays are needed to compare, got {n_essays}")


def _integers(field: str, column: ArrayLike, n_essays: int) -> Ints:
    """Return a checked column, or name the field and the row at fault."""
    try:
        array = essay_indices(column, n_essays) if field in _ESSAYS else whole_numbers(column)
    except IndexProblemError as error:
        raise InvalidComparisonError(field, error.problem, error.row) from None
    if not len(array):
        raise EmptyComparisonsError("there is no comparison: give at least one verdict")
    return array


def _require_equal_length(arrays: dict[str, Ints]) -> None:
    m = len(arrays["first"])
    for name, array in arrays.items():
        if len(array) != m:
            raise InvalidComparisonError(name, f"has {len(array)} entries, but first has {m}")


def _require_sense(arrays: dict[str, Ints]) -> None:
    same = arrays["first"] == arrays["second"]
    if same.any():
        row = int(same.argmax())
        raise InvalidComparisonError(
            "second", f"essay {arrays['first'][row]} is compared with itself", row
        )
    if "judge" in arrays and arrays["judge"].min() < 0:
        row = int((arrays["judge"] < 0).argmax())
        raise InvalidComparisonError(
            "judge", f"judge {arrays['judge'][row]} must not be negative", row
        )
