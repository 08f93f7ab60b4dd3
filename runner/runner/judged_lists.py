"""Verdicts on lists in the files of a batch: `comparisons.jsonl`, and the CSV of comparisons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from assessment.domain.comparison import Comparison
from assessment.domain.verdict import (
    GAP_LEVEL,
    ORDER_SIGNS,
    ListVerdict,
    describe_order,
    rank_gaps,
)
from runner.csv_files import CsvFile, Row
from runner.errors import BadInputError
from scoring.lists import Lists

LIST_COLUMNS = ("shown", "order", "scores")
"""Of a CSV that has lists: the essays as shown, their order, the scores in that order if any."""

_BAR = " | "
_LEVELS = {sign: GAP_LEVEL[gap] for gap, sign in ORDER_SIGNS.items() if gap}
_STEP = re.compile(r"\s+(=|>{1,3}|>\?)\s+")


@dataclass(frozen=True)
class ListRecord:
    """A judge's order of a list by the essays' ids.

    A gap is 0, a tie, to 3, decisive; None if any is unknown: it would look like a slight one.
    """

    shown: tuple[str, ...]
    ranking: tuple[str, ...]
    gaps: tuple[int, ...] | None
    scores: tuple[float, ...] | None
    judge: str


def choose_list_columns(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """The columns of lists where there are any: pairs alone are written without them."""
    return LIST_COLUMNS if any(one.is_list for one in comparisons) else ()


def write_list(one: Comparison) -> list[str | None]:
    """The cells of `LIST_COLUMNS`; empty for a pair."""
    if not one.is_list:
        return [None, None, None]
    shown, verdict = _BAR.join(one.essay_ids), one.list_verdict
    if verdict is None:
        return [shown, None, None]
    scores = _BAR.join(map(repr, verdict.scores)) if verdict.scores else None
    return [shown, describe_order(verdict), scores]


def is_list_row(table: CsvFile, row: Row) -> bool:
    """Whether the row is of a list."""
    return table.has(*LIST_COLUMNS[:2]) and bool(row.get("shown"))


def read_list_row(table: CsvFile, row: Row) -> ListRecord:
    """The order that a row has.

    Raises
    ------
    BadInputError
        If it is none of the essays shown.
    """
    names, signs = _STEP.split(row.get("order"))[::2], _STEP.split(row.get("order"))[1::2]
    scores = row.get("scores") if table.has("scores") else ""
    try:
        return _check(
            ListRecord(
                shown=tuple(row.get("shown").split(_BAR)),
                ranking=tuple(names),
                gaps=_read_signs(signs),
                scores=tuple(map(float, scores.split(_BAR))) if scores else None,
                judge=row.get("judge") if table.has("judge") else "",
            )
        )
    except ValueError:
        message = "is no order of the essays in `shown`, such as a > b = c"
        raise BadInputError(row.problem("order", message)) from None


def _read_signs(signs: Sequence[str]) -> tuple[int, ...] | None:
    levels = tuple(_LEVELS[sign] for sign in signs if sign in _LEVELS)
    return levels if len(levels) == len(signs) else None


def read_listed_verdict(comparison: Mapping[str, Any]) -> ListRecord:
    """The order in a comparison of a batch; raises ValueError, KeyError or TypeError."""
    shown = [comparison["first"], comparison["second"], *comparison["further_ids"]]
    try:
        verdict = ListVerdict.model_validate(comparison["verdict"])
    except ValidationError as error:
        raise ValueError from error
    is_known = verdict.gaps is not None and None not in verdict.gaps
    gaps = rank_gaps(verdict) if is_known else None
    return _check(ListRecord(tuple(shown), verdict.ranking, gaps, verdict.scores, verdict.judge))


def _check(record: ListRecord) -> ListRecord:
    if sorted(record.shown) != sorted(record.ranking):
        raise ValueError
    if record.scores is not None and len(record.scores) != len(record.ranking):
        raise ValueError
    return record


def make_lists(
    records: Sequence[ListRecord], essays: Mapping[str, int], judges: Mapping[str, int]
) -> Lists | None:
    """The orders as `scoring` takes them; None without any."""
    if not records:
        return None
    return Lists(
        len(essays),
        [[essays[name] for name in record.shown] for record in records],
        [[essays[name] for name in record.ranking] for record in records],
        gaps=[record.gaps for record in records],
        scores=[record.scores for record in records],
        judge=[judges[record.judge] for record in records] if judges else None,
    )
