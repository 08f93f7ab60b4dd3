"""Which columns of a table hold its judgements: the layouts of other tools, and named columns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from runner.checks import Problems
from runner.csv_files import CsvFile, column_key
from runner.errors import BadInputError, Problem

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
class Layout:
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


def choose_layout(table: CsvFile, columns: Columns) -> Layout:
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


def _find_winner_and_loser(header: _Header) -> Layout | None:
    winner, loser = header.find("winner"), header.find("loser")
    if not winner or not loser or not _PAIR_ROLES.isdisjoint(header.named):
        return None
    return Layout(winner, loser, judge=header.find("judge"))


def _find_pair_and_outcome(header: _Header) -> Layout | None:
    first, second = header.find("first"), header.find("second")
    outcome, has_scores = _find_outcome(header)
    if not first or not second:
        return None
    judge = header.find("judge")
    if outcome:
        return Layout(first, second, outcome, has_scores=has_scores, judge=judge)
    first_wins, second_wins = header.find("firstwins"), header.find("secondwins")
    if not first_wins or not second_wins:
        return None
    return Layout(first, second, judge=judge, wins=(first_wins, second_wins))


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
