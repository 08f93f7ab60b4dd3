"""Folders of texts and files of anchors, checked whole before anything is sent or paid."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError
from assessment.domain.essay import SubmittedAnchor, SubmittedEssay
from assessment.domain.grade_scale import GradeScale
from assessment.domain.identifiers import ANCHOR_PREFIX
from runner.csv_files import CsvFile, Row, read_csv, read_text
from runner.errors import BadInputError, Problem

SUFFIXES = (".txt", ".md")
_MIN_ESSAYS = 2
_ANCHOR_FIELD = re.compile(r"anchors\[(?P<index>\d+)\]\.(?P<field>\w+)")
_PLAIN_IDS = (
    "use a letter or digit, then letters, digits and _ . - (essays also : @), at most "
    "128 characters (anchors 64)"
)


@dataclass(frozen=True)
class Folder:
    """The student essays of a folder, in the order of their ids, and the files left out."""

    essays: list[SubmittedEssay]
    left_out: list[str]


@dataclass(frozen=True)
class AnchorsFile:
    """The anchors of a file in its order, the row of each, and the text files that it names."""

    name: str
    anchors: list[SubmittedAnchor]
    rows: list[int]
    files: frozenset[Path]

    def located(self, error: InvalidRequestError) -> InvalidRequestError | BadInputError:
        """The API's objection to an anchor with its place in the file; others as they are."""
        problems = error.problems if isinstance(error, ManyInvalidFieldsError) else []
        problems = problems or [(error.field, error.message)]
        found = [(_ANCHOR_FIELD.fullmatch(field), message) for field, message in problems]
        located = [
            Problem(message, file=self.name, row=self.rows[int(at["index"])], field=at["field"])
            for at, message in found
            if at and int(at["index"]) < len(self.rows)
        ]
        return BadInputError(*located) if len(located) == len(problems) else error


def read_folder(folder: Path, *, anchor_files: Iterable[Path] = ()) -> Folder:
    """The .txt and .md files of a folder as essays; the file name's stem is the essay id.

    A README and files that serve as anchors are no student essays; they are listed in
    `left_out`. Folders within the folder are not read.

    Raises
    ------
    BadInputError
        Naming every file that cannot be an essay, and if fewer than two remain.
    """
    if not folder.is_dir():
        raise BadInputError(Problem("no such folder", file=str(folder)))
    anchors = {path.resolve() for path in anchor_files}
    texts = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    left_out = [p for p in texts if p.stem.upper() == "README" or p.resolve() in anchors]
    chosen = [path for path in texts if path not in left_out]
    essays, problems = _collect(chosen, _essay)
    problems += _same_stems(chosen)
    if not problems and len(essays) < _MIN_ESSAYS:
        message = f"has {len(essays)} texts (.txt or .md) to assess; comparing needs at least two"
        problems.append(Problem(message, file=str(folder)))
    if problems:
        raise BadInputError(*problems)
    essays.sort(key=lambda essay: essay.essay_id)
    return Folder(essays, [path.name for path in left_out])


def _collect[T, V](sources: Iterable[T], read: Callable[[T], V]) -> tuple[list[V], list[Problem]]:
    """What could be read, and the problems of all that could not."""
    values: list[V] = []
    problems: list[Problem] = []
    for source in sources:
        try:
            values.append(read(source))
        except BadInputError as error:
            problems.extend(error.problems)
    return values, problems


def _essay(path: Path) -> SubmittedEssay:
    if path.stem.startswith(ANCHOR_PREFIX):
        message = f"names beginning with {ANCHOR_PREFIX} are kept for anchors; rename the file"
        raise BadInputError(Problem(message, file=str(path)))
    return _checked(
        SubmittedEssay,
        {"essay_id": path.stem, "text": read_text(path)},
        lambda field, message: Problem(
            message, file=str(path), field="file name" if field == "essay_id" else field
        ),
    )


def _same_stems(paths: Iterable[Path]) -> list[Problem]:
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_stem[path.stem].append(path)
    return [
        Problem(f"has the same essay id ({stem}) as {same[0].name}; rename one", file=str(same[-1]))
        for stem, same in by_stem.items()
        if len(same) > 1
    ]


def _checked[M: BaseModel](
    model: type[M], values: dict[str, str], problem: Callable[[str, str], Problem]
) -> M:
    """The values as a model, or the model's own objections with their place. Quotes no value."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadInputError(
            *(
                problem(str(e["loc"][0]), _words(e["type"], e["msg"]))
                for e in error.errors(include_input=False, include_url=False)
            )
        ) from None


def _words(kind: str, message: str) -> str:
    if kind == "string_pattern_mismatch":
        return f"cannot be an id; {_PLAIN_IDS}"
    return message.removeprefix("Value error, ")


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
    if not {"file", "text"} & set(table.columns):
        message = "the header needs a column file (a path) or text (the essay itself)"
        raise BadInputError(Problem(message, file=table.name, row=1))
    anchors, problems = _collect(table.rows, lambda row: _anchor(row, path.parent))
    problems += _same_references(table)
    if scale is not None:
        problems += _off_scale(table, scale)
    if problems:
        raise BadInputError(*sorted(problems, key=lambda problem: problem.row or 0))
    files = frozenset(path.parent / row.get("file") for row in table.rows if row.get("file"))
    return AnchorsFile(table.name, anchors, [row.number for row in table.rows], files)


def _anchor(row: Row, folder: Path) -> SubmittedAnchor:
    if not row.get("grade"):
        raise BadInputError(row.problem("grade", "is empty; an anchor needs its grade"))
    if bool(row.get("file")) == bool(row.get("text")):
        raise BadInputError(row.problem("file", "give either a file or a text, not both or none"))
    source = "file" if row.get("file") else "text"
    values = {
        "anchor_ref": row.get("anchor_ref"),
        "grade": row.get("grade"),
        "text": _anchor_text(row, folder) if source == "file" else row.cells["text"],
    }
    return _checked(
        SubmittedAnchor,
        values,
        lambda field, message: row.problem(source if field == "text" else field, message),
    )


def _anchor_text(row: Row, folder: Path) -> str:
    try:
        return read_text(folder / row.get("file"))
    except BadInputError as error:
        reason = error.problems[0].message
        raise BadInputError(row.problem("file", f"{row.get('file')} {reason}")) from None


def _same_references(table: CsvFile) -> list[Problem]:
    seen: dict[str, int] = {}
    problems = []
    for row in table.rows:
        reference = row.get("anchor_ref")
        if reference in seen:
            message = f"{reference!r} stands in row {seen[reference]} already; every anchor once"
            problems.append(row.problem("anchor_ref", message))
        seen.setdefault(reference, row.number)
    return problems


def _off_scale(table: CsvFile, scale: GradeScale) -> list[Problem]:
    problems = []
    for row in table.rows:
        try:
            scale.position(row.get("grade"))
        except InvalidRequestError as error:
            if row.get("grade"):
                problems.append(row.problem("grade", error.message))
    return problems
