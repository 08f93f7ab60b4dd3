"""Folders of texts and files of anchors, checked whole before anything is sent or paid."""

import os
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
from assessment.domain.plain_text import in_code_points, names_that_print_alike, normalised
from runner.csv_files import CsvFile, Row, read_csv
from runner.errors import BadInputError, Problem
from runner.text_files import read_text

SUFFIXES = (".txt", ".text", ".md")
_MIN_ESSAYS = 2
_ANCHOR_FIELD = re.compile(r"anchors\[(?P<index>\d+)\]\.(?P<field>\w+)")
_SHOWN_FILES = 20
_DROPPINGS = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx"})


@dataclass(frozen=True)
class Folder:
    """The student essays of a folder, in the order of their ids, and what is not one.

    `left_out` are files that have another part (a README, anchors), `ignored` what systems and
    editors leave in folders, `others` what is not read. `same_texts` are groups of files that hold
    one text.
    """

    essays: list[SubmittedEssay]
    left_out: list[str]
    others: list[str]
    ignored: list[str]
    same_texts: list[list[str]]


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


def read_folder(
    folder: Path, *, known_files: Iterable[Path] = (), ignore_others: bool = False
) -> Folder:
    """The text files of a folder as essays; the file name's stem is the essay id.

    `known_files` have another part in the command, such as anchors. Everything else that is not
    read is an error, unless `ignore_others`: a student whose file has another ending, or lies in a
    folder within the folder, must not disappear.

    Raises
    ------
    BadInputError
        Naming every file that cannot be an essay, and if fewer than two remain.
    """
    if not folder.is_dir():
        raise BadInputError(Problem("no such folder", file=str(folder)))
    known = {path.resolve() for path in known_files}
    chosen, left_out, others, ignored = _sorted_out(folder, known)
    essays, problems = _collect(chosen, _essay)
    problems += _alike(chosen)
    if not ignore_others:
        problems += _not_read(folder, others)
    if not problems and len(essays) < _MIN_ESSAYS:
        message = f"has {len(essays)} texts ({', '.join(SUFFIXES)}) to assess; "
        message += "comparing needs at least two"
        problems.append(Problem(message, file=str(folder)))
    if problems:
        raise BadInputError(*problems)
    same_texts = _same_texts(chosen, essays)
    essays.sort(key=lambda essay: essay.essay_id)
    return Folder(essays, left_out, others, ignored, same_texts)


def _sorted_out(
    folder: Path, known: set[Path]
) -> tuple[list[Path], list[str], list[str], list[str]]:
    """The folder's texts; and by their names within it: known files, others, and droppings."""
    texts: list[Path] = []
    left_out: list[str] = []
    others: list[str] = []
    ignored: list[str] = []
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        if any(_is_dropping(part) for part in within.parts):
            if not _is_dropping(within.parts[0]) or len(within.parts) == 1:
                ignored.append(str(within))
        elif path.is_dir() and not path.is_symlink() and os.access(path, os.R_OK | os.X_OK):
            continue  # its files come by themselves
        elif path.resolve() in known or (path.stem.upper() == "README" and path.parent == folder):
            left_out.append(str(within))
        elif path.parent == folder and path.is_file() and path.suffix.lower() in SUFFIXES:
            texts.append(path)
        else:
            others.append(str(within))
    return texts, left_out, others, ignored


def _is_dropping(name: str) -> bool:
    """Whether systems and editors leave such files by themselves: hidden, locked, thumbnails."""
    return name.startswith((".", "~$")) or name.lower() in _DROPPINGS


def _not_read(folder: Path, others: list[str]) -> list[Problem]:
    message = (
        f"is not read: an essay is a file that ends in {', '.join(SUFFIXES)} and lies in the "
        "folder itself. Save it so, move it, or leave it out with --ignore-others"
    )
    problems = [Problem(message, file=str(folder / name)) for name in others[:_SHOWN_FILES]]
    if len(others) > _SHOWN_FILES:
        more = f"{len(others) - _SHOWN_FILES} more files are not read"
        problems.append(Problem(more, file=str(folder)))
    return problems


def _same_texts(paths: list[Path], essays: list[SubmittedEssay]) -> list[list[str]]:
    by_text: dict[str, list[str]] = defaultdict(list)
    for path, essay in zip(paths, essays, strict=True):
        by_text[" ".join(essay.text.split())].append(path.name)
    return [names for names in by_text.values() if len(names) > 1]


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
        {"essay_id": normalised(path.stem), "text": read_text(path)},
        lambda field, message: Problem(
            message, file=str(path), field="file name" if field == "essay_id" else field
        ),
    )


def _alike(paths: Iterable[Path]) -> list[Problem]:
    """Files whose names give the same essay id, or ids that a reader cannot tell apart."""
    by_id: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_id[normalised(path.stem)].append(path)
    problems = [
        Problem(
            f"has the same essay id ({essay_id}) as {same[0].name}; rename one", file=str(same[-1])
        )
        for essay_id, same in by_id.items()
        if len(same) > 1
    ]
    problems += [
        Problem(
            f"its name ({in_code_points(other)}) prints like that of {by_id[one][0].name} "
            f"({in_code_points(one)}); rename one",
            file=str(by_id[other][0]),
        )
        for one, other in names_that_print_alike(by_id)
    ]
    return problems


def _checked[M: BaseModel](
    model: type[M], values: dict[str, str], problem: Callable[[str, str], Problem]
) -> M:
    """The values as a model, or the model's own objections with their place. Quotes no value."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadInputError(
            *(
                problem(str(e["loc"][0]), e["msg"].removeprefix("Value error, "))
                for e in error.errors(include_input=False, include_url=False)
            )
        ) from None


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
        "text": _anchor_text(row, folder) if source == "file" else row.cell("text"),
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
