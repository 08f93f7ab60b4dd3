"""Files of judgements, as tools for comparative judgement export them, for the scoring package."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from assessment.domain.plain_text import find_alike_names, spell_code_points
from runner.checks import Problems, read_all
from runner.csv_files import CsvFile, Row, column_key, read_csv
from runner.errors import BadInputError, Problem
from runner.json_tables import JSON_ENDINGS, JsonRow, make_table, read_json_rows
from runner.judged_lists import (
    ListRecord,
    is_list_row,
    make_lists,
    read_list_row,
    read_listed_verdict,
)
from scoring import Comparisons
from scoring.lists import join_lists

# Names of columns, as column_key makes them. No More Marking: chosen, notChosen, judgeName or
# judgeId; files of the meta-analysis by Kinnear et al.: candidate_chosen, Won and the like;
# ComPAIR: answer1, answer2, winner; pairwiseLLM: ID1, ID2, better_id; R's sirt: id1, id2, result;
# Comproved (github.com/Sdemaeyer2/Comproved_Feedback_Analyser): Better product, Lesser product;
# D-PAC (github.com/d-pac/d-pac.cms, app/services/reports.js): representation A and B, selected
# representation; the CJ Research Consortium's data (cjrc.co.uk/cj_rave.html): choice_id1,
# choice_id2, winner_id; R's BradleyTerry2: player1, player2, win1, win2, or home.team, away.team,
# home.wins, away.wins.
_NAMES: dict[str, tuple[str, ...]] = {
    "winner": ("candidatechosen", "chosen", "winner", "won", "winnerid", "chosenid", "preferred",
               "betterproduct"),
    "loser": (
        "candidatenotchosen", "notchosen", "loser", "lost", "loserid", "notchosenid", "rejected",
        "lesserproduct",
    ),
    "first": (
        "texta", "id1", "item1", "answer1", "essaya", "left", "first", "representationa",
        "answer1id", "essayaid", "itema", "choiceid1", "player1", "hometeam", "a",
    ),
    "second": (
        "textb", "id2", "item2", "answer2", "essayb", "right", "second", "representationb",
        "answer2id", "essaybid", "itemb", "choiceid2", "player2", "awayteam", "b",
    ),
    "result": (
        "verdict", "betterid", "winner", "winnerid", "result", "chosen", "preferred", "selected",
        "better", "choice", "selectedrepresentation", "outcome",
    ),
    "score": ("score",),
    "firstwins": ("win1", "wins1", "homewins"),
    "secondwins": ("win2", "wins2", "awaywins"),
    "judge": (
        "judge", "judgename", "judgeid", "assessor", "assessorid", "rater", "raterid", "userid",
        "usersid", "assessorname", "participantid",
    ),
}  # fmt: skip
_PAIR_ROLES = frozenset({"first", "second", "result", "score"})
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


@dataclass(frozen=True)
class _Layout:
    """Which columns hold the two essays, the outcome and the judge.

    `outcome` is None where `first` won every time; `has_scores` says that it holds 1, 0 and 0.5.
    `wins` are the columns that count how often either won, instead of an outcome.
    """

    first: str
    second: str
    outcome: str | None = None
    has_scores: bool = False
    judge: str | None = None
    wins: tuple[str, str] | None = None

    @property
    def knows_order(self) -> bool:
        """Whether `first` was shown first: a column of winners does not say."""
        return self.outcome is not None or self.wins is not None

    @property
    def description(self) -> str:
        """Its columns in a line."""
        return ", ".join(self.columns)

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        columns = (self.first, self.second, self.outcome, *(self.wins or ()), self.judge)
        return [column for column in columns if column]


@dataclass(frozen=True)
class _Header:
    """A file's columns by their roles; `named` are those that its user names."""

    table: CsvFile
    named: Mapping[str, str]

    def find(self, role: str) -> str | None:
        """The column that is named for a role, else the first of its usual names in the file."""
        columns = {column_key(column): column for column in reversed(self.table.columns)}
        if role in self.named:
            return columns[column_key(self.named[role])]
        return next((columns[name] for name in _NAMES[role] if name in columns), None)


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
    layout = _choose_layout(table, columns or Columns())
    table.check_single(*layout.columns)
    if shown_order and not layout.knows_order:
        message = f"{layout.description} does not say which text was shown first"
        raise BadInputError(Problem(message, file=table.name, field="--order-effect"))
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


def _is_without_verdict(table: CsvFile, row: Row, layout: _Layout) -> bool:
    """Whether nobody has judged it; an essay may be called "NA" all the same."""
    if is_list_row(table, row):
        return not row.get("order")
    if layout.outcome is None:
        return False
    cell = row.get(layout.outcome)
    names = (row.get(layout.first), row.get(layout.second))
    return cell.lower() in _NO_VERDICTS and cell not in names


def _choose_layout(table: CsvFile, columns: Columns) -> _Layout:
    """Which columns to read: those that are named, else the first usual names that the file has."""
    header = _read_header(table, columns)
    layout = _find_winner_and_loser(header) or _find_pair_and_outcome(header)
    if layout is None:
        message = (
            "the header needs a winner and a loser (candidate_chosen, candidate_not_chosen; "
            "chosen, notChosen; won, lost), two texts and a result (text_a, text_b, verdict) or "
            "two texts and how often each won (player1, player2, win1, win2); it has "
            f"{', '.join(table.columns)}. Name the columns with --winner-column and "
            "--loser-column, or with --first-column, --second-column and --result-column or "
            "--score-column"
        )
        raise BadInputError(Problem(message, file=table.name, row=table.header_row))
    return layout


def _read_header(table: CsvFile, columns: Columns) -> _Header:
    named = {role: column for role, column in asdict(columns).items() if column}
    missing = [role for role, column in named.items() if not table.has(column)]
    message = f"the file has no such column; it has {', '.join(table.columns)}"
    Problems(
        Problem(message, file=table.name, field=f"--{role}-column {named[role]}")
        for role in missing
    ).raise_any()
    return _Header(table, named)


def _find_winner_and_loser(header: _Header) -> _Layout | None:
    winner, loser = header.find("winner"), header.find("loser")
    if not winner or not loser or not _PAIR_ROLES.isdisjoint(header.named):
        return None
    return _Layout(winner, loser, judge=header.find("judge"))


def _find_pair_and_outcome(header: _Header) -> _Layout | None:
    first, second = header.find("first"), header.find("second")
    outcome, has_scores = _find_outcome(header)
    if not first or not second:
        return None
    judge = header.find("judge")
    if outcome:
        return _Layout(first, second, outcome, has_scores=has_scores, judge=judge)
    first_wins, second_wins = header.find("firstwins"), header.find("secondwins")
    if not first_wins or not second_wins:
        return None
    return _Layout(first, second, judge=judge, wins=(first_wins, second_wins))


def _find_outcome(header: _Header) -> tuple[str | None, bool]:
    """The column that says who won, and whether it holds scores."""
    result = None if "score" in header.named else header.find("result")
    if result is None:
        return header.find("score"), True
    return result, "result" not in header.named and _holds_scores(header.table, result)


def _holds_scores(table: CsvFile, column: str) -> bool:
    """Whether a column has 1, 0 and perhaps .5, as R's sirt writes it, and not places 1 and 2."""
    values = {row.get(column).replace(",", ".") for row in table.rows}
    return values <= {"1", "0", "0.5", ".5", "1.0", "0.0"} and values != {"1"}


def _read_outcome(row: Row, layout: _Layout) -> int:
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


def _read_records(row: Row, layout: _Layout) -> list[_Record]:
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
