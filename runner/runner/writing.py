"""Results to a file or to standard output, as a table, JSON or CSV."""

from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.table import Table

from runner.console import OUT, emit, note
from runner.files import write_whole

_FILE_WIDTH = 160


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def choose_format(output: Path | None) -> Format:
    """The format that a file's ending asks for; a table without one."""
    endings = {".json": Format.JSON, ".csv": Format.CSV}
    return endings.get(output.suffix.lower(), Format.TABLE) if output else Format.TABLE


def write_or_emit(text: str, output: Path | None) -> None:
    """Save the text, or print it for another program."""
    if output:
        write_whole(output, text)
        note(f"Written: {output}")
    else:
        emit(text)


def print_table(table: Table, output: Path | None) -> None:
    """Print a table as wide as the terminal, or save it as plain text."""
    if output is None:
        OUT.print(table)
        return
    page = Console(width=_FILE_WIDTH, color_system=None)
    with page.capture() as capture:
        page.print(table)
    write_or_emit(capture.get(), output)
