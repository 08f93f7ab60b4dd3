"""Folders of essays, checked whole before anything is sent or paid."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from assessment.domain.essay import SubmittedEssay
from assessment.domain.essay_flags import split_words
from assessment.domain.identifiers import ANCHOR_PREFIX
from assessment.domain.plain_text import find_alike_names, normalise, spell_code_points
from runner.checks import Problems, read_all, validate
from runner.console import note
from runner.csv_files import Row, read_csv
from runner.errors import BadInputError, Problem
from runner.intake.document import FORMATS, Document, UnreadableDocumentError
from runner.intake.documents import DocumentReader
from runner.intake.reading import PLAIN_FORMATS, read_file, read_plain
from runner.intake.sources import ARCHIVE_ENDING, Kind, Source, find_sources

_MIN_ESSAYS = 2
_SHOWN_FILES = 20


class NameSource(StrEnum):
    """What essays are named after: the file, the folder that it lies in, or the whole path."""

    FILE = "file"
    FOLDER = "folder"
    PATH = "path"


@dataclass(frozen=True)
class Reading:
    """How one file was read: the essay that it became, its format, its words and what is odd."""

    essay_id: str
    file: str
    form: str
    n_words: int
    notes: tuple[str, ...] = ()


class UnreadableFilesError(BadInputError):
    """Files of a folder that cannot be assessed; `readings` are those that can."""

    def __init__(self, *problems: Problem, readings: Sequence[Reading]) -> None:
        super().__init__(*problems)
        self.readings = readings


@dataclass(frozen=True)
class Folder:
    """The student essays of a folder, in the order of their ids, and what is not one.

    `left_out` are files that have another part (a README, anchors), `ignored` what systems and
    editors leave in folders, `others` what is not read. `same_texts` are groups of files that hold
    one text. `readings` are in the order of `essays`.
    """

    essays: list[SubmittedEssay]
    left_out: list[str]
    others: list[str]
    ignored: list[str]
    same_texts: list[list[str]]
    readings: list[Reading]


def read_folder(
    folder: Path,
    *,
    known_files: Iterable[Path] = (),
    ignore_others: bool = False,
    names: Path | None = None,
    named_after: NameSource = NameSource.FILE,
) -> Folder:
    """The documents of a folder, of the folders within it and of zip archives, as essays.

    `folder` may be a zip archive itself. `known_files` have another part in the command, such as
    anchors. Everything else that is not read is an error, unless `ignore_others`: a student whose
    file has another ending must not disappear.

    Parameters
    ----------
    names
        A CSV file with the columns file and essay_id: the ids of these files.
    named_after
        What the essays that it does not name are named after.

    Raises
    ------
    UnreadableFilesError
        Naming every file that cannot be an essay, and if fewer than two remain.
    BadInputError
        If there is no such folder.
    """
    _require_folder(folder)
    problems = Problems()
    other_files = {path.resolve() for path in (*known_files, *([names] if names else []))}
    with DocumentReader() as reader:
        sources = find_sources(folder, other_files, reader, problems)
        ids = _name_essays(sources[Kind.ESSAY], names, named_after, problems)
        read, unread = read_all(ids, lambda source: _read_essay(source, ids[source], reader))
    problems += unread
    problems += _find_similar_names(ids)
    if not ignore_others:
        problems += _report_others(sources[Kind.OTHER])
    if not problems and len(read) < _MIN_ESSAYS:
        message = f"has {len(read)} texts ({', '.join(FORMATS)}) to assess; "
        message += "comparing needs at least two"
        problems.append(Problem(message, file=str(folder)))
    if problems:
        readings = sorted((reading for _, reading in read), key=lambda one: one.essay_id)
        raise UnreadableFilesError(*problems, readings=readings)
    return _make_folder(read, sources)


def _require_folder(folder: Path) -> None:
    is_archive = folder.is_file() and folder.suffix.lower() == ARCHIVE_ENDING
    if not (folder.is_dir() or is_archive):
        raise BadInputError(Problem("no such folder or zip archive", file=str(folder)))


def _make_folder(
    read: list[tuple[SubmittedEssay, Reading]], sources: Mapping[Kind, list[Source]]
) -> Folder:
    in_order = sorted(read, key=lambda pair: pair[0].essay_id)
    names = {kind: [source.name for source in sources[kind]] for kind in Kind}
    return Folder(
        essays=[essay for essay, _ in in_order],
        left_out=names[Kind.LEFT_OUT],
        others=names[Kind.OTHER],
        ignored=names[Kind.IGNORED],
        same_texts=_group_same_texts(in_order),
        readings=[reading for _, reading in in_order],
    )


def _report_others(others: list[Source]) -> list[Problem]:
    message = (
        f"is not read: an essay is a file that ends in {', '.join(FORMATS)}. Save it so, move "
        "it, or leave it out with --ignore-others"
    )
    problems = [Problem(message, file=source.place) for source in others[:_SHOWN_FILES]]
    if len(others) > _SHOWN_FILES:
        more = f"{len(others) - _SHOWN_FILES} more files are not read"
        problems.append(Problem(more, file=str(others[0].path.parent)))
    return problems


def _group_same_texts(read: list[tuple[SubmittedEssay, Reading]]) -> list[list[str]]:
    by_text: dict[str, list[str]] = defaultdict(list)
    for essay, reading in read:
        by_text[" ".join(essay.text.split())].append(reading.file)
    return [names for names in by_text.values() if len(names) > 1]


def _name_essays(
    sources: Iterable[Source], names: Path | None, named_after: NameSource, problems: Problems
) -> dict[Source, str]:
    """The id of every essay: its row's in the table of names, else by what it is named after."""
    table: Mapping[str, Row] = {}
    if names is not None:
        with problems.collect():
            table = _read_names(names)
    ids = {}
    for source in sources:
        row = table.get(normalise(source.name))
        ids[source] = normalise(row.get("essay_id")) if row else _derive_id(source, named_after)
    unknown = set(table) - {normalise(source.name) for source in sources}
    problems += [
        table[name].problem("file", f"there is no file {name!r} in the folder")
        for name in sorted(unknown)
    ]
    return ids


def _read_names(path: Path) -> dict[str, Row]:
    table = read_csv(path)
    table.require("file", "essay_id")
    rows: dict[str, Row] = {}
    for row in table.rows:
        name = normalise(PurePosixPath(row.get("file").replace("\\", "/")).as_posix())
        if name in rows:
            message = f"{name} is in row {rows[name].number} too; name a file once"
            raise BadInputError(row.problem("file", message))
        if not row.get("essay_id"):
            raise BadInputError(row.problem("essay_id", "is empty; give the essay's id"))
        rows[name] = row
    return rows


def _derive_id(source: Source, named_after: NameSource) -> str:
    """The essay's id by its place in the folder; an archive counts as a folder of its name."""
    path = PurePosixPath(source.name)
    folders = [part.removesuffix(ARCHIVE_ENDING) for part in path.parts[:-1]]
    if named_after is NameSource.FOLDER and folders:
        return normalise(folders[-1])
    if named_after is NameSource.PATH:
        return normalise(" - ".join((*folders, path.stem)))
    return normalise(path.stem)


def _read_essay(
    source: Source, essay_id: str, reader: DocumentReader
) -> tuple[SubmittedEssay, Reading]:
    if essay_id.startswith(ANCHOR_PREFIX):
        message = f"names beginning with {ANCHOR_PREFIX} are kept for anchors; rename the file"
        raise BadInputError(Problem(message, file=source.place))
    document = _read_document(source, reader)
    essay = validate(
        SubmittedEssay,
        {"essay_id": essay_id, "text": document.text},
        lambda field, message: Problem(
            message, file=source.place, field="file name" if field == "essay_id" else field
        ),
    )
    n_words = len(split_words(essay.text))
    return essay, Reading(essay.essay_id, source.name, source.form, n_words, document.notes)


def _read_document(source: Source, reader: DocumentReader) -> Document:
    """A plain text is read here, every other document where it can do no harm."""
    if source.form not in PLAIN_FORMATS or source.member is not None:
        return reader.read(source.path, source.member, name=source.place)
    try:
        document = read_plain(read_file(source.path, source.form))
    except UnreadableDocumentError as error:
        raise BadInputError(Problem(str(error), file=source.place)) from None
    for encoding in document.notes:
        note(
            f"{source.path} is not UTF-8; it was {encoding}. If letters look wrong, save it as "
            "UTF-8"
        )
    return document


def _find_similar_names(ids: Mapping[Source, str]) -> list[Problem]:
    """Files whose names give the same essay id, or ids that a reader cannot tell apart."""
    by_id: dict[str, list[Source]] = defaultdict(list)
    for source, essay_id in ids.items():
        by_id[essay_id].append(source)
    problems = [
        Problem(
            f"has the same essay id ({essay_id}) as {same[0].name}; rename one, or name them after "
            "their folders (--named-after) or by a table (--names)",
            file=same[-1].place,
        )
        for essay_id, same in by_id.items()
        if len(same) > 1
    ]
    problems += [
        Problem(
            f"its name ({spell_code_points(other)}) prints like that of {by_id[one][0].name} "
            f"({spell_code_points(one)}); rename one",
            file=by_id[other][0].place,
        )
        for one, other in find_alike_names(by_id)
    ]
    return problems
