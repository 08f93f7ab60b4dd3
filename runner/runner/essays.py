"""Folders of texts, checked whole before anything is sent or paid."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from assessment.domain.essay import SubmittedEssay
from assessment.domain.identifiers import ANCHOR_PREFIX
from assessment.domain.plain_text import find_alike_names, normalise, spell_code_points
from runner.checks import read_all, validate
from runner.errors import BadInputError, Problem
from runner.text_files import read_text

SUFFIXES = (".txt", ".text", ".md")
_MIN_ESSAYS = 2
_SHOWN_FILES = 20
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx"})


class _Kind(Enum):
    """What a path in a folder of essays is; the values are Folder's names."""

    ESSAY = "essays"
    LEFT_OUT = "left_out"
    OTHER = "others"
    IGNORED = "ignored"


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
    paths = _sort(folder, {path.resolve() for path in known_files})
    names = {kind: [str(path.relative_to(folder)) for path in paths[kind]] for kind in _Kind}
    files = paths[_Kind.ESSAY]
    essays, problems = read_all(files, _read_essay)
    problems += _find_similar_names(files)
    if not ignore_others:
        problems += _report_others(folder, names[_Kind.OTHER])
    if not problems and len(essays) < _MIN_ESSAYS:
        message = f"has {len(essays)} texts ({', '.join(SUFFIXES)}) to assess; "
        message += "comparing needs at least two"
        problems.append(Problem(message, file=str(folder)))
    problems.raise_any()
    return Folder(
        essays=sorted(essays, key=lambda essay: essay.essay_id),
        left_out=names[_Kind.LEFT_OUT],
        others=names[_Kind.OTHER],
        ignored=names[_Kind.IGNORED],
        same_texts=_group_same_texts(files, essays),
    )


def _sort(folder: Path, other_files: set[Path]) -> dict[_Kind, list[Path]]:
    """The paths of a folder by what they are, each list in order."""
    paths: dict[_Kind, list[Path]] = {kind: [] for kind in _Kind}
    for path in sorted(folder.rglob("*")):
        kind = _classify(path, folder, other_files)
        if kind is not None:
            paths[kind].append(path)
    return paths


def _classify(path: Path, folder: Path, other_files: set[Path]) -> _Kind | None:
    """What a path is; None for folders whose files are listed, or that are ignored as a whole."""
    parts = path.relative_to(folder).parts
    if any(_is_system_file(part) for part in parts):
        return None if len(parts) > 1 and _is_system_file(parts[0]) else _Kind.IGNORED
    if _is_listed_folder(path):
        return None
    if path.resolve() in other_files or _is_readme(path, folder):
        return _Kind.LEFT_OUT
    return _Kind.ESSAY if _is_text(path, folder) else _Kind.OTHER


def _is_listed_folder(path: Path) -> bool:
    """Whether a path is a folder whose files are listed by themselves."""
    return path.is_dir() and not path.is_symlink() and os.access(path, os.R_OK | os.X_OK)


def _is_readme(path: Path, folder: Path) -> bool:
    return path.stem.upper() == "README" and path.parent == folder


def _is_text(path: Path, folder: Path) -> bool:
    return path.parent == folder and path.is_file() and path.suffix.lower() in SUFFIXES


def _is_system_file(name: str) -> bool:
    """Whether systems and editors leave such files by themselves: hidden, locked, thumbnails."""
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM_FILES


def _report_others(folder: Path, others: list[str]) -> list[Problem]:
    message = (
        f"is not read: an essay is a file that ends in {', '.join(SUFFIXES)} and lies in the "
        "folder itself. Save it so, move it, or leave it out with --ignore-others"
    )
    problems = [Problem(message, file=str(folder / name)) for name in others[:_SHOWN_FILES]]
    if len(others) > _SHOWN_FILES:
        more = f"{len(others) - _SHOWN_FILES} more files are not read"
        problems.append(Problem(more, file=str(folder)))
    return problems


def _group_same_texts(paths: list[Path], essays: list[SubmittedEssay]) -> list[list[str]]:
    by_text: dict[str, list[str]] = defaultdict(list)
    for path, essay in zip(paths, essays, strict=True):
        by_text[" ".join(essay.text.split())].append(path.name)
    return [names for names in by_text.values() if len(names) > 1]


def _read_essay(path: Path) -> SubmittedEssay:
    if path.stem.startswith(ANCHOR_PREFIX):
        message = f"names beginning with {ANCHOR_PREFIX} are kept for anchors; rename the file"
        raise BadInputError(Problem(message, file=str(path)))
    return validate(
        SubmittedEssay,
        {"essay_id": normalise(path.stem), "text": read_text(path)},
        lambda field, message: Problem(
            message, file=str(path), field="file name" if field == "essay_id" else field
        ),
    )


def _find_similar_names(paths: Iterable[Path]) -> list[Problem]:
    """Files whose names give the same essay id, or ids that a reader cannot tell apart."""
    by_id: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_id[normalise(path.stem)].append(path)
    problems = [
        Problem(
            f"has the same essay id ({essay_id}) as {same[0].name}; rename one", file=str(same[-1])
        )
        for essay_id, same in by_id.items()
        if len(same) > 1
    ]
    problems += [
        Problem(
            f"its name ({spell_code_points(other)}) prints like that of {by_id[one][0].name} "
            f"({spell_code_points(one)}); rename one",
            file=str(by_id[other][0]),
        )
        for one, other in find_alike_names(by_id)
    ]
    return problems
