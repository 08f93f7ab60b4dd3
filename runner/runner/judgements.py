"""Files of judgements in the two public formats, as the scoring package takes them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.csv_files import CsvFile, Row, read_csv
from runner.errors import BadInputError, Problem
from scoring import Comparisons

_CHOSEN = ("candidate_chosen", "candidate_not_chosen")
_SHOWN = ("text_a", "text_b", "verdict")
_OUTCOMES = {"a": 1, "b": -1, "tie": 0}
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class Judgements:
    """Comparisons of essays 0 .. n-1, with the essays' and the judges' names by number."""

    essays: list[str]
    judges: list[str]
    comparisons: Comparisons


@dataclass(frozen=True)
class _Record:
    first: str
    second: str
    outcome: int
    judge: str


def read_judgements(path: Path, *, shown_order: bool = False) -> Judgements:
    """The judgements of a CSV file.

    Columns are either candidate_chosen, candidate_not_chosen, or text_a, text_b, verdict
    (a, b or tie); both may have a judge. `shown_order` says that text_a was shown first.

    Raises
    ------
    BadInputError
        With file, row and field of up to twenty problems.
    """
    table = read_csv(path)
    read = _reader(table, shown_order=shown_order)
    records: list[_Record] = []
    problems: list[Problem] = []
    for row in table.rows:
        try:
            records.append(read(row))
        except BadInputError as error:
            problems += error.problems
    if problems:
        raise BadInputError(*problems[:_SHOWN_PROBLEMS])
    return _numbered(records, shown_order=shown_order)


def _reader(table: CsvFile, *, shown_order: bool) -> Callable[[Row], _Record]:
    judged = "judge" in table.columns
    if set(_CHOSEN) <= set(table.columns):
        if shown_order:
            message = f"{_CHOSEN[0]} does not say which text was shown first"
            raise BadInputError(Problem(message, file=table.name, field="--order-effect"))
        return lambda row: _record(row, *_CHOSEN, outcome=1, judged=judged)
    if set(_SHOWN) <= set(table.columns):
        return lambda row: _record(row, "text_a", "text_b", outcome=_outcome(row), judged=judged)
    message = (
        f"the header needs {', '.join(_CHOSEN)} or {', '.join(_SHOWN)}; "
        f"it has {', '.join(table.columns)}"
    )
    raise BadInputError(Problem(message, file=table.name, row=1))


def _outcome(row: Row) -> int:
    verdict = row.get("verdict").lower()
    if verdict not in _OUTCOMES:
        raise BadInputError(row.problem("verdict", f"is {verdict!r}; write a, b or tie"))
    return _OUTCOMES[verdict]


def _record(row: Row, first: str, second: str, *, outcome: int, judged: bool) -> _Record:
    names = (first, second, "judge") if judged else (first, second)
    empty = [name for name in names if not row.get(name)]
    if empty:
        raise BadInputError(*(row.problem(name, "is empty") for name in empty))
    if row.get(first) == row.get(second):
        raise BadInputError(row.problem(second, f"{row.get(first)} is compared with itself"))
    return _Record(row.get(first), row.get(second), outcome, row.get("judge"))


def _numbered(records: list[_Record], *, shown_order: bool) -> Judgements:
    essays = sorted({name for record in records for name in (record.first, record.second)})
    judges = sorted({record.judge for record in records if record.judge})
    essay = {name: index for index, name in enumerate(essays)}
    judge = {name: index for index, name in enumerate(judges)}
    comparisons = Comparisons(
        len(essays),
        [essay[record.first] for record in records],
        [essay[record.second] for record in records],
        [record.outcome for record in records],
        [judge[record.judge] for record in records] if judges else None,
        order_known=shown_order,
    )
    return Judgements(essays, judges, comparisons)
