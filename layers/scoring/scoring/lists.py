"""Rankings of more than two essays, and how they are taken for comparisons.

A judge who ranks k essays says of each of the k (k - 1) / 2 pairs of them which is better. These
verdicts come from one look and depend on each other, so they are never counted as that many
comparisons: each has the weight that makes all of them together worth what one ranking is worth
(:func:`pair_weight`). Everything that is fitted to pairs can then be fitted to lists: order effects
become effects of every place, degrees the gaps between neighbours, and a judge has a sharpness in
lists beside the one in pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from scoring._indices import IndexProblemError, essay_indices, whole_numbers
from scoring._list_degrees import split_steps
from scoring._list_rows import NO_LIST, PAIR, ListRows, pair_weight
from scoring.comparisons import Comparisons
from scoring.errors import EmptyComparisonsError, InvalidComparisonError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from scoring._types import Bools, Floats, Ints

__all__ = ["HIGHEST_GAP", "Lists", "join_lists", "pair_weight"]

_GAP_LENGTHS = np.array([0.0, 1.0, 3.0, 6.0])
HIGHEST_GAP = 3
"""Gaps between neighbours: 0 a tie, 1 slight, 2 clear, 3 decisive."""


class _Columns(TypedDict):
    first: Ints
    second: Ints
    outcome: Ints
    judge: Ints | None
    list_rows: ListRows | None


@dataclass(frozen=True, eq=False)
class Lists:
    """Verdicts on lists of essays.

    Parameters
    ----------
    n_essays : int
        Number of essays n; essays are the integers 0 .. n-1.
    shown : sequence of L sequences of int
        The essays of each list, in the order in which the judge saw them; two or more.
    rankings : sequence of L sequences of int
        The same essays, best first.
    gaps : sequence of L sequences of int or None, optional
        Of each list the k - 1 gaps between neighbours of the ranking: 0 a tie, 1 slight, 2 clear,
        3 decisive. None for a list that has none, or where no list has any.
    scores : sequence of L sequences of float or None, optional
        Of each list the k scores that the judge gave, in the order of the ranking, the highest
        first. A list with scores needs no gaps; its scores are used if it has both.
    judge : (L,) array_like of int, optional
        Who judged, with the same numbers as in the :class:`Comparisons` that the lists join.

    Raises
    ------
    EmptyComparisonsError
        If there is no list.
    InvalidComparisonError
        If a list has fewer than two essays, names one twice or one that is not there, if its
        ranking is not one of the essays shown, or if gaps or scores do not fit it. The error
        carries ``row``, the list, and ``field``.
    """

    n_essays: int
    shown: tuple[Ints, ...]
    rankings: tuple[Ints, ...]
    steps: tuple[Floats | None, ...]
    is_scored: Bools
    judge: Ints | None

    def __init__(
        self,
        n_essays: int,
        shown: Sequence[ArrayLike],
        rankings: Sequence[ArrayLike],
        *,
        gaps: Sequence[ArrayLike | None] | None = None,
        scores: Sequence[ArrayLike | None] | None = None,
        judge: ArrayLike | None = None,
    ) -> None:
        if not len(shown):
            raise EmptyComparisonsError("there is no list: give at least one ranking")
        _require_length("rankings", rankings, shown)
        essays = tuple(_essays("shown", row, k, n_essays) for k, row in enumerate(shown))
        ranked = tuple(_essays("rankings", row, k, n_essays) for k, row in enumerate(rankings))
        for row, (one, other) in enumerate(zip(essays, ranked, strict=True)):
            if len(one) != len(other) or (np.sort(one) != np.sort(other)).any():
                problem = f"ranks the essays {other.tolist()}, but {one.tolist()} were shown"
                raise InvalidComparisonError("rankings", problem, row)
        store = object.__setattr__
        store(self, "n_essays", int(n_essays))
        store(self, "shown", essays)
        store(self, "rankings", ranked)
        store(self, "steps", _steps(ranked, gaps, scores))
        store(
            self, "is_scored", np.array([row is not None for row in scores or [None] * len(essays)])
        )
        store(self, "judge", None if judge is None else _judges(judge, len(essays)))

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def sizes(self) -> Ints:
        """Number of essays of every list, (L,)."""
        return np.array([len(row) for row in self.shown], dtype=np.int64)


def join_lists(comparisons: Comparisons | None, lists: Lists | None) -> Comparisons:
    """Return pairs and lists as one set of comparisons.

    A list of two is a pair, and without longer lists nothing differs from a set of pairs.

    Parameters
    ----------
    comparisons : Comparisons or None
        The verdicts on pairs, if there are any.
    lists : Lists or None
        The verdicts on lists, if there are any, on the same essays and by judges of the same
        numbers.

    Returns
    -------
    Comparisons
        The pairs, then k (k - 1) / 2 rows for each list, the essay shown earlier as ``first``;
        ``list_rows`` says which rows are of one list.

    Raises
    ------
    EmptyComparisonsError
        Without both.
    InvalidComparisonError
        If only one of the two knows its judges, or their numbers of essays differ.
    """
    if lists is None:
        if comparisons is None:
            raise EmptyComparisonsError("there are neither pairs nor lists")
        return comparisons
    columns = _columns(lists)
    if comparisons is None:
        return Comparisons(lists.n_essays, **columns)
    _require_one_world(comparisons, lists)
    before = comparisons.list_rows or ListRows.make_pairs(len(comparisons))
    after = columns["list_rows"] or ListRows.make_pairs(len(columns["first"]))
    both = before.append(after)
    judge = columns["judge"]
    return Comparisons(
        comparisons.n_essays,
        np.concatenate([comparisons.first, columns["first"]]),
        np.concatenate([comparisons.second, columns["second"]]),
        np.concatenate([comparisons.outcome, columns["outcome"]]),
        None if comparisons.judge is None else np.concatenate([comparisons.judge, judge]),
        order_known=comparisons.order_known,
        essays=comparisons.essays,
        judges=comparisons.judges,
        repeat_correlation=comparisons.repeat_correlation,
        list_rows=both if both.is_listed.any() else None,
    )


def _columns(lists: Lists) -> _Columns:
    """The pairs of all lists as the columns of comparisons."""
    parts = [_list_pairs(lists, number) for number in range(len(lists))]
    first, second, sign, place, other_place, step, number = np.concatenate(parts, axis=1)
    number = number.astype(np.int64)
    size = lists.sizes[number]
    judge = None if lists.judge is None else lists.judge[number]
    kind = size if judge is None else judge * (int(size.max()) + 1) + size
    # Steps of scores and of gaps are in units of their own.
    degree, has_degree = split_steps(step, size, 2 * kind + lists.is_scored[number])
    rows = ListRows(
        np.where(size > PAIR, number, NO_LIST),
        size,
        place.astype(np.int64),
        other_place.astype(np.int64),
        has_degree,
    )
    return _Columns(
        first=first.astype(np.int64),
        second=second.astype(np.int64),
        outcome=sign.astype(np.int64) * degree,
        judge=judge,
        list_rows=rows if rows.is_listed.any() else None,
    )


def _list_pairs(lists: Lists, number: int) -> Floats:
    """First and second essay, who is better, places, step between them, and list, (7, pairs)."""
    shown, ranking, steps = lists.shown[number], lists.rankings[number], lists.steps[number]
    size = len(shown)
    rank = np.argsort(ranking)[np.searchsorted(np.sort(ranking), shown)]
    place, other = np.triu_indices(size, 1)
    sign = np.where(rank[place] < rank[other], 1.0, -1.0)
    if steps is None:
        step = np.full(len(place), np.nan)
    else:
        reached = np.concatenate([[0.0], np.cumsum(steps)])
        step = np.abs(reached[rank[place]] - reached[rank[other]])
    whole = np.full(len(place), float(number))
    return np.stack([shown[place], shown[other], sign, place, other, step, whole])


def _require_one_world(comparisons: Comparisons, lists: Lists) -> None:
    if comparisons.n_essays != lists.n_essays:
        problem = f"the lists are of {lists.n_essays} essays, the pairs of {comparisons.n_essays}"
        raise InvalidComparisonError("n_essays", problem)
    if (comparisons.judge is None) != (lists.judge is None):
        raise InvalidComparisonError("judge", "give the judges of both pairs and lists, or of none")


def _require_length(field: str, rows: Sequence[object], shown: Sequence[object]) -> None:
    if len(rows) != len(shown):
        raise InvalidComparisonError(field, f"has {len(rows)} entries, but shown has {len(shown)}")


def _essays(field: str, row: ArrayLike, number: int, n_essays: int) -> Ints:
    try:
        essays = essay_indices(row, n_essays)
    except IndexProblemError as error:
        raise InvalidComparisonError(field, error.problem, number) from None
    if len(essays) < PAIR:
        raise InvalidComparisonError(field, "a list has two essays or more", number)
    if len(np.unique(essays)) != len(essays):
        raise InvalidComparisonError(field, f"names an essay twice: {essays.tolist()}", number)
    return essays


def _judges(judge: ArrayLike, count: int) -> Ints:
    try:
        judges = whole_numbers(judge)
    except IndexProblemError as error:
        raise InvalidComparisonError("judge", error.problem, error.row) from None
    if len(judges) != count:
        raise InvalidComparisonError("judge", f"has {len(judges)} entries, but shown has {count}")
    return judges


def _steps(
    rankings: Sequence[Ints],
    gaps: Sequence[ArrayLike | None] | None,
    scores: Sequence[ArrayLike | None] | None,
) -> tuple[Floats | None, ...]:
    """By how much each essay of a ranking is better than the next, where the judge said so."""
    none: list[ArrayLike | None] = [None] * len(rankings)
    gaps, scores = none if gaps is None else gaps, none if scores is None else scores
    _require_length("gaps", gaps, rankings)
    _require_length("scores", scores, rankings)
    steps: list[Floats | None] = []
    for row, (ranking, gap, score) in enumerate(zip(rankings, gaps, scores, strict=True)):
        if score is not None:
            steps.append(_steps_of_scores(score, len(ranking), row))
        elif gap is not None:
            steps.append(_steps_of_gaps(gap, len(ranking) - 1, row))
        else:
            steps.append(None)
    return tuple(steps)


def _steps_of_gaps(gap: ArrayLike, count: int, row: int) -> Floats:
    try:
        steps = whole_numbers(gap)
    except IndexProblemError as error:
        raise InvalidComparisonError("gaps", error.problem, row) from None
    if len(steps) != count or ((steps < 0) | (steps > HIGHEST_GAP)).any():
        problem = f"expected {count} gaps from 0 to {HIGHEST_GAP}, got {steps.tolist()}"
        raise InvalidComparisonError("gaps", problem, row)
    lengths: Floats = _GAP_LENGTHS[steps] if count > 1 else steps.astype(np.float64)
    return lengths


def _steps_of_scores(score: ArrayLike, count: int, row: int) -> Floats:
    scores = np.asarray(score, dtype=np.float64)
    if scores.shape != (count,) or not np.isfinite(scores).all():
        raise InvalidComparisonError("scores", f"expected {count} finite scores", row)
    steps: Floats = -np.diff(scores)
    if (steps < 0.0).any():
        problem = f"must not rise along the ranking: {scores.tolist()}"
        raise InvalidComparisonError("scores", problem, row)
    return steps
