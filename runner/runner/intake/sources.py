"""What lies in a folder of essays or in a zip archive: essays, other parts, leftovers."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from runner.checks import Problems
from runner.intake.document import FORMATS, DocumentFormat
from runner.intake.documents import DocumentReader

ARCHIVE_ENDING = ".zip"
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx"})


class Kind(Enum):
    """What a file in a folder of essays is."""

    ESSAY = "essay"
    LEFT_OUT = "left out"
    OTHER = "other"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Source:
    """A file, or a member of a zip archive; `name` is relative to the folder, with slashes."""

    path: Path
    name: str
    member: str | None = None

    @property
    def place(self) -> str:
        """What an error calls it: the path, with the member behind that of its archive."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def form(self) -> DocumentFormat:
        """The format that its ending names."""
        return FORMATS[PurePosixPath(self.name).suffix.lower()]

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the file's name within the folder of essays or the archive."""
        return PurePosixPath(self.member or self.name).parts


def find_sources(
    folder: Path, other_files: set[Path], reader: DocumentReader, problems: Problems
) -> dict[Kind, list[Source]]:
    """The files of a folder, or of a zip archive in its place, by what they are and in order.

    Folders within are looked into, links to folders are not: they may lead anywhere. An archive
    that cannot be read is added to the problems.
    """
    sources: dict[Kind, list[Source]] = {kind: [] for kind in Kind}
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
        name = path.name if path == folder else path.relative_to(folder).as_posix()
        source = Source(path, name)
        kind = _classify(source, other_files)
        if kind is Kind.OTHER and _is_archive(path):
            with problems.collect():
                prefix = "" if path == folder else f"{name}/"
                for inner_kind, member in _list_archive(source, prefix, reader):
                    sources[inner_kind].append(member)
        elif kind is not None:
            sources[kind].append(source)
    return sources


def _list_archive(
    archive: Source, prefix: str, reader: DocumentReader
) -> Iterator[tuple[Kind, Source]]:
    for member in sorted(reader.list_members(archive.path, name=archive.place)):
        source = Source(archive.path, f"{prefix}{member}", member)
        if any(map(_is_system_file, source.parts)):
            yield Kind.IGNORED, source
        elif _is_readme(source):
            yield Kind.LEFT_OUT, source
        else:
            yield (Kind.ESSAY if _has_known_ending(source) else Kind.OTHER), source


def _classify(source: Source, other_files: set[Path]) -> Kind | None:
    """What a path is; None for folders whose files are listed, or that are ignored as a whole."""
    if any(map(_is_system_file, source.parts)):
        in_ignored_folder = len(source.parts) > 1 and _is_system_file(source.parts[0])
        return None if in_ignored_folder else Kind.IGNORED
    if _is_listed_folder(source.path):
        return None
    if source.path.resolve() in other_files or _is_readme(source):
        return Kind.LEFT_OUT
    return Kind.ESSAY if source.path.is_file() and _has_known_ending(source) else Kind.OTHER


def _is_listed_folder(path: Path) -> bool:
    """Whether a path is a folder whose files are listed by themselves."""
    return path.is_dir() and not path.is_symlink() and os.access(path, os.R_OK | os.X_OK)


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() == ARCHIVE_ENDING


def _is_readme(source: Source) -> bool:
    return len(source.parts) == 1 and PurePosixPath(source.parts[0]).stem.upper() == "README"


def _has_known_ending(source: Source) -> bool:
    return PurePosixPath(source.name).suffix.lower() in FORMATS


def _is_system_file(name: str) -> bool:
    """Whether systems and editors leave such files by themselves: hidden, locked, thumbnails."""
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM_FILES
