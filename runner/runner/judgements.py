"""Files of judgements, as tools for comparative judgement export them, for the scoring package."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from assessment.domain.plain_text import find_alike_names, spell_code_points
from runner.checks import Problems, read_all
from runner.csv_files import CsvFile, Row, read_csv
from runner.errors import BadInputError, Problem
from runner.json_tables import JSON_ENDINGS, JsonRow, make_table, read_json_rows
from runner.judged_lists import (
    ListRecord,
    is_list_row,
    make_lists,
    read_list_row,
    read_listed_verdict,
)
from runner.judgement_layouts import Columns, Layout, choose_layout
from scoring import Comparisons
from scoring.lists import join_lists

_OUTCOMES = {
    **dict.fromkeys(("a", "1", "left", "first", "text_a", "id1", "answer1", "essay_a"), 1),
    **dict.fromkeys(("b", "2", "right", "second", "text_b", "id2", "answer2", "essay_b"), -1),
    **dict.fromkeys(("tie", "draw", "equal", "="), 0),
}
_SCORES = {1.0: 1, 0.5: 0, 0.0: -1}
_NO_VERDICTS = frozenset({"n/a", "na", "null", "none"})
"""What exports write where a comparison was not completed."""
_SHOWN_PROBLEMS = 20
_MOST_WINS = 10_000


@dataclass(frozen=True)
class Judgements:
    """Comparisons of essays 0 .. n-1, with the essays' and the judges' names by number.

    `columns` says in words how the file was read, `n_without_verdict` how many of its comparisons
    have none, `n_judged` how many have one: a list has one.
    """

    essays: list[str]
    judges: list[str]
    comparisons: Comparisons
    columns: str = ""
    n_without_verdict: int = 0
    n_judged: int = 0


@dataclass(frozen=True)
class _Record:
    first: str
    second: str
    outcome: int
    judge: str


def read_judgements(
    path: Path, *, shown_order: bool = False, columns: Columns | None = None
) -> Judgements:
    """The judgements of a table in CSV or JSON, or of the `comparisons.jsonl` of a batch.

    A table has a column for the winner and one for the loser, or two columns for the essays and
    one for the result, or two that count how often either won; it may have one for the judge.
    `shown_order` says that the first of the two was shown first.

    Raises
    ------
    BadInputError
        With file, row and field of up to twenty problems.
    """
    if path.suffix.lower() in JSON_ENDINGS:
        rows = read_json_rows(path)
        if _are_comparisons(rows):
            return _read_comparisons(path, rows, shown_order=shown_order)
        table = make_table(path, rows)
    else:
        table = read_csv(path, may_repeat=True)
    layout = _find_layout(table, columns or Columns(), shown_order=shown_order)
    completed = [row for row in table.rows if not _is_without_verdict(table, row, layout)]
    records, problems = read_all(
        completed,
        lambda row: (
            [read_list_row(table, row)] if is_list_row(table, row) else _read_records(row, layout)
        ),
    )
    problems.raise_any(most=_SHOWN_PROBLEMS)
    if not any(records):
        raise BadInputError(Problem("has no comparison with a verdict", file=str(path)))
    _check_names(list(chain.from_iterable(records)), table)
    return _make_judgements(
        list(chain.from_iterable(records)),
        shown_order=shown_order,
        columns=layout.description,
        n_without_verdict=len(table.rows) - len(completed),
    )


def _find_layout(table: CsvFile, columns: Columns, *, shown_order: bool) -> Layout:
    """How the table says what was judged; raises BadInputError where it lacks the shown order."""
    layout = choose_layout(table, columns)
    table.check_single(*layout.columns)
    if shown_order and not layout.knows_order:
        message = f"{layout.description} does not say which text was shown first"
        raise BadInputError(Problem(message, file=table.name, field="--order-effect"))
    return layout


def _check_names(records: Sequence[_Record | ListRecord], table: CsvFile) -> None:
    """Refuse two names of essays that a reader cannot tell apart: one of them is a slip."""
    names = dict.fromkeys(chain.from_iterable(_list_essays(record) for record in records))
    Problems(
        Problem(
            f"the names {spell_code_points(one)} and {spell_code_points(other)} print alike; write "
            "one of them",
            file=table.name,
        )
        for one, other in find_alike_names(names)
    ).raise_any(most=_SHOWN_PROBLEMS)


def _list_essays(record: _Record | ListRecord) -> Sequence[str]:
    return (record.first, record.second) if isinstance(record, _Record) else record.shown


def _is_without_verdict(table: CsvFile, row: Row, layout: Layout) -> bool:
    """Whether nobody has judged it; an essay may be called "NA" all the same."""
    if is_list_row(table, row):
        return not row.get("order")
    if layout.outcome is None:
        return False
    cell = row.get(layout.outcome)
    names = (row.get(layout.first), row.get(layout.second))
    return cell.lower() in _NO_VERDICTS and cell not in names


def _read_outcome(row: Row, layout: Layout) -> int:
    """1 where the first essay won, -1 where the second did, 0 for a tie."""
    if layout.outcome is None:
        return 1
    if layout.has_scores:
        return _read_score(row, layout.outcome)
    cell = row.get(layout.outcome)
    # An essay may be called "1" or "b": its own name counts before the name of a place.
    if cell and cell in (row.get(layout.first), row.get(layout.second)):
        return 1 if cell == row.get(layout.first) else -1
    outcomes = _OUTCOMES | {layout.second.lower(): -1} | {layout.first.lower(): 1}
    if cell.lower() not in outcomes:
        message = f"is {cell!r}; write a, b or tie, or the name of the better text"
        raise BadInputError(row.problem(layout.outcome, message))
    return outcomes[cell.lower()]


def _read_score(row: Row, column: str) -> int:
    try:
        return _SCORES[float(row.get(column).replace(",", "."))]
    except (ValueError, KeyError):
        message = f"is {row.get(column)!r}; write 1 (the first is better), 0 or 0.5"
        raise BadInputError(row.problem(column, message)) from None


def _read_records(row: Row, layout: Layout) -> list[_Record]:
    """The comparisons of a row: one, or as many as it counts."""
    needed = [column for column in (layout.first, layout.second, layout.judge) if column]
    Problems(row.problem(name, "is empty") for name in needed if not row.get(name)).raise_any()
    first, second = row.get(layout.first), row.get(layout.second)
    if first == second:
        raise BadInputError(row.problem(layout.second, f"{first} is compared with itself"))
    judge = row.get(layout.judge) if layout.judge else ""
    if layout.wins is None:
        return [_Record(first, second, _read_outcome(row, layout), judge)]
    n_first, n_second = (_read_count(row, column) for column in layout.wins)
    outcomes = [1] * n_first + [-1] * n_second
    return [_Record(first, second, outcome, judge) for outcome in outcomes]


def _read_count(row: Row, column: str) -> int:
    try:
        count = float(row.get(column))
    except ValueError:
        count = -1.0
    if not count.is_integer() or not 0 <= count <= _MOST_WINS:
        message = f"is {row.get(column)!r}; write how often it won, at most {_MOST_WINS}"
        raise BadInputError(row.problem(column, message))
    return int(count)


def _are_comparisons(rows: Sequence[JsonRow]) -> bool:
    """Whether they are those of a batch, whose verdicts are objects, or missing so far."""
    return all(isinstance(row.cells.get("verdict", ""), dict | None) for row in rows)


def _read_comparisons(path: Path, rows: Sequence[JsonRow], *, shown_order: bool) -> Judgements:
    """The verdicts of a batch, in which the first essay was shown first."""
    verdicts, problems = read_all(rows, lambda row: _read_verdict(path, row))
    problems.raise_any(most=_SHOWN_PROBLEMS)
    records = [record for record in verdicts if record is not None]
    if not records:
        raise BadInputError(Problem("has no comparison with a verdict", file=str(path)))
    return _make_judgements(
        records,
        shown_order=shown_order,
        columns="comparisons of a batch",
        n_without_verdict=len(rows) - len(records),
    )


def _read_verdict(path: Path, row: JsonRow) -> _Record | ListRecord | None:
    """The verdict of one comparison; None where it has none."""
    comparison = row.cells
    try:
        verdict = comparison["verdict"]
        if verdict is None:
            return None
        if "ranking" in verdict:
            return read_listed_verdict(comparison)
        outcome = {"first": 1, "second": -1, "tie": 0}[verdict["winner"]]
        return _Record(comparison["first"], comparison["second"], outcome, str(verdict["judge"]))
    except (ValueError, KeyError, TypeError):
        message = "is no comparison of a batch; it needs first, second and its verdict"
        raise BadInputError(Problem(message, file=str(path), row=row.number)) from None


def _make_judgements(
    records: Sequence[_Record | ListRecord],
    *,
    shown_order: bool,
    columns: str,
    n_without_verdict: int = 0,
) -> Judgements:
    pairs = [record for record in records if isinstance(record, _Record)]
    lists = [record for record in records if isinstance(record, ListRecord)]
    essays = _number(
        chain(
            chain.from_iterable((record.first, record.second) for record in pairs),
            chain.from_iterable(record.shown for record in lists),
        )
    )
    judges = _number(record.judge for record in records if record.judge)
    comparisons = join_lists(
        _make_comparisons(pairs, essays, judges, shown_order=shown_order),
        make_lists(lists, essays, judges),
    )
    return Judgements(
        list(essays), list(judges), comparisons, columns, n_without_verdict, len(records)
    )


def _make_comparisons(
    records: Sequence[_Record],
    essays: Mapping[str, int],
    judges: Mapping[str, int],
    *,
    shown_order: bool,
) -> Comparisons | None:
    if not records:
        return None
    return Comparisons(
        len(essays),
        [essays[record.first] for record in records],
        [essays[record.second] for record in records],
        [record.outcome for record in records],
        [judges[record.judge] for record in records] if judges else None,
        order_known=shown_order,
    )


def _number(names: Iterable[str]) -> dict[str, int]:
    """The numbers of names, from 0 in sorted order."""
    return {name: number for number, name in enumerate(sorted(set(names)))}
