"""Results to a file or to standard output, as a table, JSON or CSV."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from runner.console import OUT, emit, note
from runner.errors import BadInputError, Problem
from runner.files import refuse_folder, to_json, write_whole

_FILE_WIDTH = 160


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    JSONL = "jsonl"


_ENDINGS = {
    ".txt": Format.TABLE,
    ".json": Format.JSON,
    ".csv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
}
RESULT_FORMATS = (Format.TABLE, Format.JSON, Format.CSV)
"""What results and fits are written as."""


def choose_format(
    output: Path | None,
    wanted: Format | None = None,
    *,
    as_json: bool = False,
    formats: Sequence[Format] = RESULT_FORMATS,
) -> Format:
    """The format that is wanted, else the one of the file's ending; a table without a file.

    Raises
    ------
    BadInputError
        If the command does not write what is wanted, or files with that ending.
    """
    chosen = Format.JSON if as_json else wanted
    if chosen is None:
        return _read_ending(output, formats) if output else Format.TABLE
    if chosen not in formats:
        message = f"{chosen} is not written by this command; choose {', '.join(formats)}"
        raise BadInputError(Problem(message, field="--format"))
    return chosen


def _read_ending(output: Path, formats: Sequence[Format]) -> Format:
    refuse_folder(output)
    chosen = _ENDINGS.get(output.suffix.lower())
    if chosen is None or chosen not in formats:
        endings = ", ".join(ending for ending, form in _ENDINGS.items() if form in formats)
        other_way = ", or say --format" if len(formats) > 1 else ""
        message = f"name a file that ends in {endings}{other_way}"
        raise BadInputError(Problem(message, file=str(output), field="--output"))
    return chosen


def write_or_emit(text: str, output: Path | None) -> None:
    """Save the text, or print it for another program."""
    if output:
        write_whole(output, text)
        note(f"Written: {output}")
    else:
        emit(text)


def emit_or_note(document: Mapping[str, Any], line: str, *, as_json: bool) -> None:
    """What a command did: a document for another program, or a line beside the output."""
    if as_json:
        emit(to_json(document))
    else:
        note(line)


def emit_in_format(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print one line for another program, or the document that it is taken from."""
    emit(to_json(document) if as_json else f"{text}\n")


def print_table(table: Table, output: Path | None) -> None:
    """Print a table as wide as the terminal, or save it as plain text."""
    if output is None:
        OUT.print(table)
        return
    page = Console(width=_FILE_WIDTH, color_system=None)
    with page.capture() as capture:
        page.print(table)
    write_or_emit(capture.get(), output)


def write_in_format(
    form: Format,
    output: Path | None,
    *,
    table: Callable[[], Table],
    csv: Callable[[], str],
    document: Callable[[], Any],
) -> None:
    """Make one of a table, a CSV and a JSON document, and save or print it."""
    if form is Format.TABLE:
        print_table(table(), output)
    elif form is Format.CSV:
        write_or_emit(csv(), output)
    else:
        write_or_emit(to_json(document()), output)
