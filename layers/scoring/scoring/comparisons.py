"""The comparisons of one assessment, checked once and then trusted."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from scoring._ids import as_names, as_table, number_names, outcomes_of_winners, read_column
from scoring._indices import IndexProblemError, essay_indices, whole_numbers
from scoring.errors import EmptyComparisonsError, InvalidComparisonError, TooFewEssaysError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from scoring._list_rows import ListRows
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
        the r comparisons of one pair by one known judge together weigh r / (1 + (r - 1) rho) (see
        :func:`scoring.fit`).
    order_known : bool, default True
        False for records that keep only who won: an order effect is then never estimated. Such
        records, winner first, must not pass for shown orders; use :meth:`from_winners`.

    essays : sequence of str, optional
        Ids of the essays, in the order of their numbers; :meth:`from_ids` and :meth:`from_frame`
        give them.
    judges : sequence of str, optional
        Names of the judges, in the order of their numbers.
    repeat_correlation : float, default 1.0
        rho, how far a judge who judges a pair again repeats the first verdict beyond what the
        abilities say: 1, repeats are no new evidence, to 0, each is
        (:func:`scoring.repeats.estimate_repeat_correlation`).
    list_rows : ListRows, optional
        Which rows are the pairs of one list; :func:`scoring.lists.join_lists` gives it.

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
    essays: tuple[str, ...] | None = None
    judges: tuple[str, ...] | None = None
    repeat_correlation: float = 1.0
    list_rows: ListRows | None = None

    def __init__(
        self,
        n_essays: int,
        first: ArrayLike,
        second: ArrayLike,
        outcome: ArrayLike,
        judge: ArrayLike | None = None,
        *,
        order_known: bool = True,
        essays: Sequence[str] | None = None,
        judges: Sequence[str] | None = None,
        repeat_correlation: float = 1.0,
        list_rows: ListRows | None = None,
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
        store(self, "essays", _check_names(essays, n_essays, "essays"))
        store(self, "judges", None if judges is None else tuple(judges))
        store(self, "repeat_correlation", float(min(max(repeat_correlation, 0.0), 1.0)))
        store(self, "list_rows", list_rows)

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

    @classmethod
    def from_ids(
        cls,
        first: Iterable[object],
        second: Iterable[object],
        outcome: ArrayLike,
        judge: Iterable[object] | None = None,
        *,
        essays: Iterable[object] | None = None,
        order_known: bool = True,
    ) -> Comparisons:
        """Build comparisons of essays that are known by ids.

        Parameters
        ----------
        first, second : (m,) iterable of str
            The essays' ids, in the order in which the judge saw them; numbers are taken as text.
        outcome : (m,) array_like of int
            As in :class:`Comparisons`.
        judge : (m,) iterable of str, optional
            Names of the judges.
        essays : iterable of str, optional
            All essays, those without a comparison too; those that occur, sorted, if left out.
        order_known : bool, default True
            As in :class:`Comparisons`.

        Returns
        -------
        Comparisons
            With ``essays`` and ``judges`` set; fits of it know the ids.

        Raises
        ------
        InvalidComparisonError
            If an id is missing or not among ``essays``; names the row. And as the class does.
        """
        one, two = as_names("first", first), as_names("second", second)
        known = sorted({*one, *two}) if essays is None else as_names("essays", essays)
        names = None if judge is None else as_names("judge", judge)
        judges = None if names is None else sorted(set(names))
        if not one:
            raise EmptyComparisonsError("there is no comparison: give at least one verdict")
        return cls(
            len(known),
            number_names("first", one, known),
            number_names("second", two, known),
            outcome,
            None if names is None or judges is None else number_names("judge", names, judges),
            order_known=order_known,
            essays=known,
            judges=judges,
        )

    @classmethod
    def from_frame(
        cls,
        frame: object,
        *,
        first: str = "first",
        second: str = "second",
        outcome: str | None = None,
        winner: str | None = None,
        loser: str | None = None,
        judge: str | None = None,
    ) -> Comparisons:
        """Build comparisons from a data frame, by the names of its columns.

        One of three forms: ``outcome`` (+1 or a degree where the first essay is better, negative
        where the second is, 0 for a tie), ``winner`` (the id of the better essay; empty or "tie"
        for a tie), or ``winner`` and ``loser`` for records that do not say what was shown first.

        Parameters
        ----------
        frame : object
            A pandas or polars data frame, a pyarrow table, a dictionary of lists, or any frame with
            Arrow's stream (``__arrow_c_stream__``), which polars or pyarrow then reads.
        first, second : str
            Columns with the ids of the essays as shown; not used with ``loser``.
        outcome, winner, loser : str, optional
            Columns of one of the forms; ``outcome`` if none is named.
        judge : str, optional
            Column with the names of the judges.

        Returns
        -------
        Comparisons

        Raises
        ------
        InvalidComparisonError
            If a column is not there, or an entry is wrong; names column and row. If the frame is
            none.
        """
        frame = as_table(frame)
        judges = None if judge is None else read_column(frame, judge)
        if loser is not None:
            winners = read_column(frame, winner or "winner")
            losers = read_column(frame, loser)
            outcomes = np.ones(len(winners), dtype=np.int64)
            return cls.from_ids(winners, losers, outcomes, judges, order_known=False)
        one, two = (as_names(name, read_column(frame, name)) for name in (first, second))
        if winner is not None:
            return cls.from_ids(
                one, two, outcomes_of_winners(one, two, read_column(frame, winner)), judges
            )
        signed = read_column(frame, outcome or "outcome")
        if None in signed:
            raise InvalidComparisonError("outcome", "the outcome is missing", signed.index(None))
        return cls.from_ids(one, two, np.asarray(signed), judges)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def n_judges(self) -> int:
        """Number of judges J; 1 when the judges are unknown."""
        return 1 if self.judge is None else int(self.judge.max()) + 1

    def take(self, rows: Ints | Bools) -> Comparisons:
        """Return the comparisons of the given rows, for the same essays and judges' numbers."""
        return self._replace(
            self.first[rows],
            self.second[rows],
            self.outcome[rows],
            None if self.judge is None else self.judge[rows],
            None if self.list_rows is None else self.list_rows.take(rows),
        )

    def with_repeat_correlation(self, value: float) -> Comparisons:
        """Return the same verdicts with another weight of repeats."""
        same = self._replace(self.first, self.second, self.outcome, self.judge, self.list_rows)
        object.__setattr__(same, "repeat_correlation", float(min(max(value, 0.0), 1.0)))
        return same

    def _replace(
        self,
        first: Ints,
        second: Ints,
        outcome: Ints,
        judge: Ints | None,
        list_rows: ListRows | None,
    ) -> Comparisons:
        """Return other verdicts on the same essays.

        Parameters
        ----------
        first, second, outcome : (m,) array of int
            Essays as shown, and verdicts.
        judge : (m,) array of int or None
            Who judged, if known.
        list_rows : ListRows or None
            Which rows are parts of lists.

        Returns
        -------
        Comparisons
        """
        return Comparisons(
            self.n_essays,
            first,
            second,
            outcome,
            judge,
            order_known=self.order_known,
            essays=self.essays,
            judges=self.judges,
            repeat_correlation=self.repeat_correlation,
            list_rows=list_rows,
        )

    def repeated_pairs(self) -> tuple[Ints, Ints] | None:
        """Return the pair and judge of every row as one number, and how often it occurs, (m,) each.

        None where the judges are unknown or nobody judged a pair twice.
        """
        if self.judge is None:
            return None
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        key = (self.judge * self.n_essays + low) * self.n_essays + high
        ordered = np.sort(key)
        if (ordered[1:] != ordered[:-1]).all():
            return None
        _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
        return inverse, count[inverse]

    def reversed_order(self) -> Comparisons:
        """Return the same verdicts as if every pair had been shown the other way round."""
        return self._replace(
            self.second,
            self.first,
            -self.outcome,
            self.judge,
            None if self.list_rows is None else self.list_rows.reversed_order(),
        )


def _check_names(names: Sequence[str] | None, n_essays: int, field: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if len(names) != n_essays or len(set(names)) != len(names):
        raise InvalidComparisonError(field, f"expected {n_essays} different ids, got {len(names)}")
    return tuple(names)


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
