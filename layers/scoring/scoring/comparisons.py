"""The comparisons of one assessment, checked once and then trusted."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import EmptyComparisonsError, InvalidComparisonError, TooFewEssaysError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Bools, Ints


_LEAST_ESSAYS = 2


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
        arrays = {name: _integers(name, column) for name, column in columns.items()}
        _require_equal_length(arrays)
        _require_in_range(arrays, n_essays)
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


def _integers(field: str, column: ArrayLike) -> Ints:
    """Return a read-only int64 view or copy of a column, or name the row that is no integer."""
    array = np.asarray(column)
    if array.ndim != 1:
        raise InvalidComparisonError(field, f"expected a one-dimensional array, got {array.ndim}-d")
    if array.size == 0:
        raise EmptyComparisonsError("there is no comparison: give at least one verdict")
    if array.dtype.kind not in "iu":
        array = _as_whole_numbers(field, array)
    whole: Ints = array.astype(np.int64, copy=False).view()
    whole.flags.writeable = False
    return whole


def _as_whole_numbers(field: str, array: np.ndarray) -> np.ndarray:
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        row = next(i for i, value in enumerate(array) if not _is_number(value))
        raise InvalidComparisonError(field, f"{array[row]!r} is not an integer", row) from None
    bad = ~np.isfinite(numbers) | (numbers != np.floor(numbers)) | (np.abs(numbers) > 2**53)
    if bad.any():
        row = int(bad.argmax())
        raise InvalidComparisonError(field, f"{array[row]} is not an integer", row)
    return numbers


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _require_equal_length(arrays: dict[str, Ints]) -> None:
    m = len(arrays["first"])
    for name, array in arrays.items():
        if len(array) != m:
            raise InvalidComparisonError(name, f"has {len(array)} entries, but first has {m}")


def _require_in_range(arrays: dict[str, Ints], n: int) -> None:
    for name in ("first", "second"):
        array = arrays[name]
        if array.min() < 0 or array.max() >= n:
            row = int(((array < 0) | (array >= n)).argmax())
            raise InvalidComparisonError(
                name, f"essay {array[row]} is not among the essays 0 .. {n - 1}", row
            )
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
