"""CSV files with a header, read with the line of every row."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import BadInputError, Problem

_DELIMITERS = ",;\t"


def read_text(path: Path) -> str:
    """The text of a UTF-8 file without its byte order mark.

    Raises
    ------
    BadInputError
        If the file cannot be read or is not UTF-8; names the file.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise BadInputError(Problem(message, file=str(path))) from None
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        raise BadInputError(Problem(message, file=str(path))) from None


@dataclass(frozen=True)
class Row:
    """One record of a CSV file; `number` is the line it ends on, as an editor counts."""

    file: str
    number: int
    cells: dict[str, str]

    def get(self, field: str) -> str:
        """The trimmed cell, empty where the file has no such column."""
        return self.cells.get(field, "").strip()

    def problem(self, field: str, message: str) -> Problem:
        """A problem with one of the row's cells."""
        return Problem(message, file=self.file, row=self.number, field=field)


@dataclass(frozen=True)
class CsvFile:
    """The columns and rows of a CSV file."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]

    def require(self, *columns: str) -> None:
        """Refuse a file that lacks one of the columns.

        Raises
        ------
        BadInputError
        """
        if missing := [column for column in columns if column not in self.columns]:
            message = f"the header has no such column; it has {', '.join(self.columns)}"
            raise BadInputError(
                *(Problem(message, file=self.name, row=1, field=column) for column in missing)
            )


def read_csv(path: Path) -> CsvFile:
    """A CSV file with a header line, separated by comma, semicolon or tab.

    Raises
    ------
    BadInputError
        If the file cannot be read, has no rows, or a row has more cells than the header.
    """
    text = read_text(path)
    header = text.splitlines()[0] if text.strip() else ""
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        records = [(reader.line_num, record) for record in reader if any(record)]
    except csv.Error as error:
        message = f"not well-formed CSV ({error})"
        raise BadInputError(Problem(message, file=str(path), row=reader.line_num)) from None
    if len(records) <= 1:
        raise BadInputError(Problem("has no rows under a header line", file=str(path)))
    columns = tuple(name.strip() for name in records[0][1])
    _check_widths(path, columns, records)
    rows = [
        Row(str(path), line, dict(zip(columns, record, strict=False)))
        for line, record in records[1:]
    ]
    return CsvFile(str(path), columns, rows)


def _check_widths(
    path: Path, columns: Sequence[str], records: Iterable[tuple[int, list[str]]]
) -> None:
    wide = [line for line, record in records if len(record) > len(columns)]
    message = f"has more cells than the header's {len(columns)}; quote a text that has a separator"
    if wide:
        raise BadInputError(*(Problem(message, file=str(path), row=line) for line in wide[:10]))
