"""The table of what was read, before anything is sent or paid."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.table import Table
from rich.text import Text

from assessment.domain.essay_flags import detect_language, find_common_language
from runner.console import ERR
from runner.errors import Problem
from runner.essays import Folder, Reading, UnreadableFilesError

_SHOWN_READINGS = 200


def inventory_table(readings: Sequence[Reading], unread: Sequence[Problem] = ()) -> Table:
    """A row for every essay: its id, file, format, number of words and what is odd about it.

    Of many essays only those with something odd have rows; the last row says how many have not.
    Files that cannot be read come first, with the reason.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("essay", overflow="fold")
    table.add_column("file", overflow="fold")
    table.add_column("format")
    table.add_column("words", justify="right")
    table.add_column("notes", overflow="fold")
    for problem in unread:
        if problem.file is not None:
            table.add_row(*_cells_of_unread(problem))
    shown = readings if len(readings) <= _SHOWN_READINGS else [one for one in readings if one.notes]
    for reading in shown:
        table.add_row(*_cells(reading))
    n_more = len(readings) - len(shown)
    if n_more:
        table.add_row(f"and {n_more} more", "", "", f"{sum_words(readings):,}", "words in all")
    return table


@contextmanager
def showing_what_was_read(folder: Path) -> Iterator[None]:
    """Show the files that could be read beside those that could not, before the error is told."""
    try:
        yield
    except UnreadableFilesError as error:
        unread = [_shorten_file(problem, folder) for problem in error.problems]
        ERR.print(inventory_table(error.readings, unread))
        raise


def sum_words(readings: Sequence[Reading]) -> int:
    """The words of all essays."""
    return sum(reading.n_words for reading in readings)


def language_lines(folder: Folder) -> list[str]:
    """The language of most essays, and which are in another one, as far as can be told."""
    languages = {essay.essay_id: detect_language(essay.text) for essay in folder.essays}
    common = find_common_language(essay.text for essay in folder.essays)
    if common is None:
        return ["Language: not recognised"]
    others = [
        f"{essay_id} ({language})"
        for essay_id, language in languages.items()
        if language not in (None, common)
    ]
    lines = [f"Language: {common}"]
    return lines + ([f"In another language: {', '.join(others)}"] if others else [])


def _shorten_file(problem: Problem, folder: Path) -> Problem:
    """The problem with its file as the folder's other files are named."""
    if problem.file is None:
        return problem
    return replace(problem, file=problem.file.removeprefix(f"{folder}{os.sep}"))


def _cells_of_unread(problem: Problem) -> list[Text]:
    return [
        Text("not read", style="red"),
        Text(str(problem.file)),
        Text(""),
        Text(""),
        Text(problem.message, style="red"),
    ]


def _cells(reading: Reading) -> list[Text]:
    return [
        Text(reading.essay_id),
        Text(reading.file),
        Text(reading.form),
        Text(f"{reading.n_words:,}"),
        Text("; ".join(reading.notes), style="yellow" if reading.notes else ""),
    ]
