"""CSV files with a header, read with the line of every row."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assessment.domain.plain_text import normalise
from runner.errors import BadInputError, Problem
from runner.text_files import read_text

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>.)"?\s*', re.IGNORECASE)
_NO_LETTER = re.compile(r"[\W_]+")


@lru_cache(maxsize=1024)
def column_key(name: str) -> str:
    """A column's name without what spreadsheets change in it: case, blanks, underscores, signs."""
    return _NO_LETTER.sub("", normalise(name)).casefold()


@dataclass(frozen=True)
class Row:
    """One record of a CSV file; `number` is the line it ends on, as an editor counts."""

    file: str
    number: int
    cells: dict[str, str]

    def cell(self, column: str) -> str:
        """The cell as it is, empty where the file has no such column."""
        return self.cells.get(column_key(column), "")

    def get(self, column: str) -> str:
        """The trimmed cell in Unicode's composed form, so that one name has one spelling."""
        return normalise(self.cell(column)).strip()

    def problem(self, field: str, message: str) -> Problem:
        """A problem with one of the row's cells."""
        return Problem(message, file=self.file, row=self.number, field=field)


@dataclass(frozen=True)
class CsvFile:
    """The columns and rows of a CSV file; `header_row` is the line of the header."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    header_row: int = 1

    def has(self, *columns: str) -> bool:
        """Whether the file has all of these columns, whatever their case and signs."""
        return {column_key(column) for column in columns} <= set(map(column_key, self.columns))

    def require(self, *columns: str) -> None:
        """Refuse a file that lacks one of the columns.

        Raises
        ------
        BadInputError
        """
        if missing := [column for column in columns if not self.has(column)]:
            message = f"the header has no such column; it has {', '.join(self.columns)}"
            raise BadInputError(
                *(
                    Problem(message, file=self.name, row=self.header_row, field=column)
                    for column in missing
                )
            )

    def check_single(self, *columns: str | None) -> None:
        """Refuse a column that is there twice, as which of the two is meant cannot be known.

        Raises
        ------
        BadInputError
        """
        keys = [column_key(column) for column in self.columns]
        for column in filter(None, columns):
            if keys.count(column_key(column)) > 1:
                message = f"two columns have the name {column}; rename one"
                raise BadInputError(Problem(message, file=self.name, row=self.header_row))


def read_csv(path: Path, *, may_repeat: bool = False) -> CsvFile:
    """A CSV file with a header line, separated by comma, semicolon, tab or bar.

    Empty lines are passed over, also before the header, and so is Excel's line `sep=;`, which
    names the separator. With `may_repeat` two columns may have one name; then the caller says
    which columns it reads, and none of them may be one of those (`CsvFile.check_single`).

    Raises
    ------
    BadInputError
        If the file cannot be read, has no rows, two columns have one name, or a row has more cells
        than the header.
    """
    lines, n_skipped, delimiter = _split_body(read_text(path))
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, strict=True)
    try:
        records = [(reader.line_num + n_skipped, record) for record in reader if any(record)]
    except csv.Error as error:
        message = f"not well-formed CSV ({error})"
        raise BadInputError(
            Problem(message, file=str(path), row=reader.line_num + n_skipped)
        ) from None
    if len(records) <= 1:
        raise BadInputError(Problem("has no rows under a header line", file=str(path)))
    header_row, header = records[0]
    columns = tuple(name.strip() for name in header)
    if not may_repeat:
        _check_columns(path, header_row, columns)
    _check_widths(path, columns, records)
    keys = [column_key(column) for column in columns]
    rows = [
        Row(str(path), line, dict(zip(keys, record, strict=False))) for line, record in records[1:]
    ]
    return CsvFile(str(path), columns, rows, header_row)


def _split_body(text: str) -> tuple[str, int, str]:
    """The text from its header on, how many lines were before it, and the separator."""
    n_skipped, delimiter = 0, None
    while text:
        line, newline, rest = text.partition("\n")
        match = _SEPARATOR_LINE.fullmatch(line.strip("\r"))
        if match:
            delimiter = match["delimiter"]
        elif line.strip(_DELIMITERS + '\r "'):
            break
        text, n_skipped = rest, n_skipped + len(newline)
    header = text.splitlines()[0] if text.strip() else ""
    return text, n_skipped, delimiter or max(_DELIMITERS, key=header.count)


def _check_columns(path: Path, header_row: int, columns: Sequence[str]) -> None:
    names: dict[str, str] = {}
    for column in columns:
        key = column_key(column)
        if key and key in names:
            message = f"the columns {names[key]} and {column} have one name; rename one"
            raise BadInputError(Problem(message, file=str(path), row=header_row))
        names[key] = column


def _check_widths(
    path: Path, columns: Sequence[str], records: Iterable[tuple[int, list[str]]]
) -> None:
    wide = [line for line, record in records if any(record[len(columns) :])]
    message = f"has more cells than the header's {len(columns)}; quote a text that has a separator"
    if wide:
        raise BadInputError(*(Problem(message, file=str(path), row=line) for line in wide[:10]))
