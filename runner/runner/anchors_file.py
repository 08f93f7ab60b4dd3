"""Files of anchors, checked whole before anything is sent or paid."""

import re
from dataclasses import dataclass
from pathlib import Path

from assessment.domain.errors import InvalidRequestError
from assessment.domain.essay import SubmittedAnchor
from assessment.domain.grade_scale import GradeScale
from runner.checks import read_all, validate
from runner.csv_files import CsvFile, Row, read_csv
from runner.errors import BadInputError, Problem
from runner.text_files import read_text

_ANCHOR_FIELD = re.compile(r"anchors\[(?P<index>\d+)\]\.(?P<field>\w+)")


@dataclass(frozen=True)
class AnchorsFile:
    """The anchors of a file in its order, the row of each, and the text files that it names."""

    name: str
    anchors: list[SubmittedAnchor]
    rows: list[int]
    files: frozenset[Path]

    def locate(self, error: InvalidRequestError) -> InvalidRequestError | BadInputError:
        """The API's objection to an anchor with its place in the file; others as they are."""
        objections = error.problems or [(error.field, error.message)]
        problems = [self._locate(field, message) for field, message in objections]
        located = [problem for problem in problems if problem is not None]
        return BadInputError(*located) if len(located) == len(problems) else error

    def _locate(self, field: str, message: str) -> Problem | None:
        """A message about a field of the request as one about a cell of the file."""
        match = _ANCHOR_FIELD.fullmatch(field)
        if match is None or int(match["index"]) >= len(self.rows):
            return None
        row = self.rows[int(match["index"])]
        return Problem(message, file=self.name, row=row, field=match["field"])


def read_anchors(path: Path, *, scale: GradeScale | None = None) -> AnchorsFile:
    """The anchors of a CSV file with the columns anchor_ref, grade, and file or text.

    `file` is relative to the anchors file. Grades are checked when a scale is given; the stack
    checks them against the assignment's scale in any case.

    Raises
    ------
    BadInputError
        With every problem found, each with file, row and field.
    """
    table = read_csv(path)
    table.require("anchor_ref", "grade")
    if not (table.has("file") or table.has("text")):
        message = "the header needs a column file (a path) or text (the essay itself)"
        raise BadInputError(Problem(message, file=table.name, row=table.header_row))
    anchors, problems = read_all(table.rows, lambda row: _read_anchor(row, path.parent))
    problems += _find_repeated_references(table)
    problems += _find_unknown_grades(table, scale)
    problems.sort(key=lambda problem: problem.row or 0)
    problems.raise_any()
    files = frozenset(path.parent / row.get("file") for row in table.rows if row.get("file"))
    return AnchorsFile(table.name, anchors, [row.number for row in table.rows], files)


def _read_anchor(row: Row, folder: Path) -> SubmittedAnchor:
    if not row.get("grade"):
        raise BadInputError(row.problem("grade", "is empty; an anchor needs its grade"))
    if bool(row.get("file")) == bool(row.get("text")):
        raise BadInputError(row.problem("file", "give either a file or a text, not both or none"))
    source, text = "text", row.cell("text")
    if row.get("file"):
        source, text = "file", _read_anchor_text(row, folder)
    values = {"anchor_ref": row.get("anchor_ref"), "grade": row.get("grade"), "text": text}
    return validate(
        SubmittedAnchor,
        values,
        lambda field, message: row.problem(source if field == "text" else field, message),
    )


def _read_anchor_text(row: Row, folder: Path) -> str:
    try:
        return read_text(folder / row.get("file"))
    except BadInputError as error:
        reason = error.problems[0].message
        raise BadInputError(row.problem("file", f"{row.get('file')} {reason}")) from None


def _find_repeated_references(table: CsvFile) -> list[Problem]:
    first_rows: dict[str, int] = {}
    problems = []
    for row in table.rows:
        reference = row.get("anchor_ref")
        if reference in first_rows:
            message = (
                f"{reference!r} is in row {first_rows[reference]} already; give every anchor once"
            )
            problems.append(row.problem("anchor_ref", message))
        first_rows.setdefault(reference, row.number)
    return problems


def _find_unknown_grades(table: CsvFile, scale: GradeScale | None) -> list[Problem]:
    if scale is None:
        return []
    problems = []
    for row in table.rows:
        try:
            scale.position(row.get("grade"))
        except InvalidRequestError as error:
            if row.get("grade"):
                problems.append(row.problem("grade", error.message))
    return problems
