"""Files of judgements, as tools for comparative judgement export them, for the scoring package."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from runner.csv_files import CsvFile, Row, column_key, read_csv
from runner.errors import BadInputError, Problem
from runner.text_files import read_text
from scoring import Comparisons

# Names of columns, as column_key makes them. No More Marking: chosen, notChosen, judgeName or
# judgeId; files of the meta-analysis by Kinnear et al.: candidate_chosen, Won and their fellows;
# ComPAIR: answer1, answer2, winner; pairwiseLLM: ID1, ID2, better_id; R's sirt: id1, id2, result.
_NAMES: dict[str, tuple[str, ...]] = {
    "winner": ("candidatechosen", "chosen", "winner", "won", "winnerid", "chosenid", "preferred"),
    "loser": (
        "candidatenotchosen", "notchosen", "loser", "lost", "loserid", "notchosenid", "rejected",
    ),
    "first": (
        "texta", "id1", "item1", "answer1", "essaya", "left", "first", "representationa",
        "answer1id", "essayaid", "itema", "a",
    ),
    "second": (
        "textb", "id2", "item2", "answer2", "essayb", "right", "second", "representationb",
        "answer2id", "essaybid", "itemb", "b",
    ),
    "result": (
        "verdict", "betterid", "winner", "winnerid", "result", "chosen", "preferred", "selected",
        "better", "choice",
    ),
    "score": ("score",),
    "judge": (
        "judge", "judgename", "judgeid", "assessor", "assessorid", "rater", "raterid", "userid",
        "usersid",
    ),
}  # fmt: skip
_FIRST_WINS = frozenset({"a", "1", "left", "first", "text_a", "id1", "answer1", "essay_a"})
_SECOND_WINS = frozenset({"b", "2", "right", "second", "text_b", "id2", "answer2", "essay_b"})
_TIES = frozenset({"tie", "draw", "equal", "="})
_SCORES = {1.0: 1, 0.5: 0, 0.0: -1}
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class Columns:
    """Names of columns that a file's user gives; what is None is looked for by its usual names.

    `result` says who won: a or b, left or right, 1 or 2, tie, or the essay itself. `score` is 1
    where the first won, 0 where the second did, .5 for a tie.
    """

    winner: str | None = None
    loser: str | None = None
    first: str | None = None
    second: str | None = None
    result: str | None = None
    score: str | None = None
    judge: str | None = None


@dataclass(frozen=True)
class Judgements:
    """Comparisons of essays 0 .. n-1, with the essays' and the judges' names by number.

    `columns` says in words how the file was read, `n_without_verdict` how many of its comparisons
    have none.
    """

    essays: list[str]
    judges: list[str]
    comparisons: Comparisons
    columns: str = ""
    n_without_verdict: int = 0


@dataclass(frozen=True)
class _Record:
    first: str
    second: str
    outcome: int
    judge: str


@dataclass(frozen=True)
class _Layout:
    """Which column is what; `order_known` where the first essay was shown first."""

    first: str
    second: str
    outcome: Callable[[Row], int]
    order_known: bool
    judge: str | None = None
    words: str = field(default="", compare=False)


def read_judgements(
    path: Path, *, shown_order: bool = False, columns: Columns | None = None
) -> Judgements:
    """The judgements of a CSV file, or of the `comparisons.jsonl` of a batch.

    A CSV file has a column for the winner and one for the loser, or two columns for the essays and
    one for the result; it may have one for the judge. `shown_order` says that the first of the two
    was shown first.

    Raises
    ------
    BadInputError
        With file, row and field of up to twenty problems.
    """
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _from_comparisons(path, shown_order=shown_order)
    table = read_csv(path)
    layout = _layout(table, columns or Columns())
    if shown_order and not layout.order_known:
        message = f"{layout.words} does not say which text was shown first"
        raise BadInputError(Problem(message, file=table.name, field="--order-effect"))
    records: list[_Record] = []
    problems: list[Problem] = []
    for row in table.rows:
        try:
            records.append(_record(row, layout))
        except BadInputError as error:
            problems += error.problems
    if problems:
        raise BadInputError(*problems[:_SHOWN_PROBLEMS])
    return _numbered(records, shown_order=shown_order, words=layout.words)


def _layout(table: CsvFile, wanted: Columns) -> _Layout:
    """Which columns to read: those that are named, else the first usual names that the file has."""
    table_keys = {column_key(column): column for column in reversed(table.columns)}
    named = {f.name: getattr(wanted, f.name) for f in fields(wanted) if getattr(wanted, f.name)}
    if missing := [f for f, column in named.items() if column_key(column) not in table_keys]:
        message = f"the file has no such column; it has {', '.join(table.columns)}"
        raise BadInputError(
            *(Problem(message, file=table.name, field=f"--{f}-column {named[f]}") for f in missing)
        )

    def find(role: str) -> str | None:
        if role in named:
            return table_keys[column_key(named[role])]
        return next((table_keys[name] for name in _NAMES[role] if name in table_keys), None)

    judge = find("judge")
    by_judge = f", {judge}" if judge else ""
    winner, loser = find("winner"), find("loser")
    pair_is_named = {"first", "second", "result", "score"} & named.keys()
    if winner and loser and not pair_is_named:
        words = f"{winner}, {loser}{by_judge}"
        return _Layout(winner, loser, lambda _: 1, order_known=False, judge=judge, words=words)
    first, second, score = find("first"), find("second"), find("score")
    result = None if "score" in named else find("result")
    if result and "result" not in named and _holds_scores(table, result):
        result, score = None, result
    if first and second and (result or score):
        outcome = (
            (lambda row: _named_outcome(row, first, second, result))
            if result
            else (lambda row: _scored_outcome(row, str(score)))
        )
        words = f"{first}, {second}, {result or score}{by_judge}"
        return _Layout(first, second, outcome, order_known=True, judge=judge, words=words)
    message = (
        "the header needs a winner and a loser (candidate_chosen, candidate_not_chosen; chosen, "
        "notChosen; won, lost) or two texts and a result (text_a, text_b, verdict); it has "
        f"{', '.join(table.columns)}. Name the columns with --winner-column and --loser-column, "
        "or with --first-column, --second-column and --result-column or --score-column"
    )
    raise BadInputError(Problem(message, file=table.name, row=table.header_row))


def _holds_scores(table: CsvFile, column: str) -> bool:
    """Whether a column has 1, 0 and perhaps .5, as R's sirt writes it, and not places 1 and 2."""
    values = {row.get(column).replace(",", ".") for row in table.rows}
    return values <= {"1", "0", "0.5", ".5", "1.0", "0.0"} and values != {"1"}


def _named_outcome(row: Row, first: str, second: str, result: str) -> int:
    cell = row.get(result)
    # An essay may be called "1" or "b": its own name counts before the name of a place.
    if cell and cell in (row.get(first), row.get(second)):
        return 1 if cell == row.get(first) else -1
    word = cell.lower()
    if word in _FIRST_WINS or word == first.lower():
        return 1
    if word in _SECOND_WINS or word == second.lower():
        return -1
    if word in _TIES:
        return 0
    message = f"is {cell!r}; write a, b or tie, or the name of the better text"
    raise BadInputError(row.problem(result, message))


def _scored_outcome(row: Row, column: str) -> int:
    try:
        return _SCORES[float(row.get(column).replace(",", "."))]
    except (ValueError, KeyError):
        message = f"is {row.get(column)!r}; write 1 (the first is better), 0 or 0.5"
        raise BadInputError(row.problem(column, message)) from None


def _record(row: Row, layout: _Layout) -> _Record:
    needed = [layout.first, layout.second, *([layout.judge] if layout.judge else [])]
    if empty := [name for name in needed if not row.get(name)]:
        raise BadInputError(*(row.problem(name, "is empty") for name in empty))
    first, second = row.get(layout.first), row.get(layout.second)
    if first == second:
        raise BadInputError(row.problem(layout.second, f"{first} is compared with itself"))
    judge = row.get(layout.judge) if layout.judge else ""
    return _Record(first, second, layout.outcome(row), judge)


def _from_comparisons(path: Path, *, shown_order: bool) -> Judgements:
    """The verdicts in the audit file of a batch, in which the first essay was shown first."""
    # JSON Lines end in "\n" and in nothing else: texts may hold other line separators.
    lines = [
        (number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()
    ]
    records: list[_Record] = []
    problems: list[Problem] = []
    for number, line in lines:
        try:
            comparison = json.loads(line)
            if comparison["verdict"] is not None:
                records.append(_recorded_verdict(comparison))
        except (ValueError, KeyError, TypeError):
            message = "is no comparison of a batch; write one JSON object a line"
            problems.append(Problem(message, file=str(path), row=number))
    if problems:
        raise BadInputError(*problems[:_SHOWN_PROBLEMS])
    if not records:
        raise BadInputError(Problem("has no comparison with a verdict", file=str(path)))
    words = "comparisons of a batch"
    return _numbered(
        records, shown_order=shown_order, words=words, n_without_verdict=len(lines) - len(records)
    )


def _recorded_verdict(comparison: dict[str, Any]) -> _Record:
    verdict = comparison["verdict"]
    outcome = {"first": 1, "second": -1, "tie": 0}[verdict["winner"]]
    return _Record(comparison["first"], comparison["second"], outcome, str(verdict["judge"]))


def _numbered(
    records: list[_Record], *, shown_order: bool, words: str, n_without_verdict: int = 0
) -> Judgements:
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
    return Judgements(essays, judges, comparisons, words, n_without_verdict)
