"""Tables in JSON: an object for each row, one a line or in a list."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.checks import Problems
from runner.csv_files import CsvFile, Row, column_key
from runner.errors import BadInputError, Problem
from runner.text_files import read_text

JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_NESTED = "comparisons"
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class JsonRow:
    """An object of a JSON file; `number` is its line, or its place in a list, from 1."""

    number: int
    cells: Mapping[str, Any]


def read_json_rows(path: Path) -> list[JsonRow]:
    """The objects of a file: one a line, a list of them, or a list under the key `comparisons`.

    Raises
    ------
    BadInputError
        If the file cannot be read, or a row is no object; names the first twenty.
    """
    text = read_text(path)
    rows = _read_list(path, text) if path.suffix.lower() == ".json" else _read_lines(text)
    problems, objects = Problems(), []
    for number, value in rows:
        if isinstance(value, dict):
            objects.append(JsonRow(number, value))
        else:
            message = "is no comparison; write a JSON object for each"
            problems.append(Problem(message, file=str(path), row=number))
    problems.raise_any(most=_SHOWN_PROBLEMS)
    return objects


def _read_lines(text: str) -> Iterator[tuple[int, Any]]:
    """The value of every line, None where it is not JSON; texts may hold other line separators."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, None


def _read_list(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    try:
        document = json.loads(text)
    except ValueError as error:
        message = f"is not well-formed JSON ({error})"
        raise BadInputError(Problem(message, file=str(path))) from None
    values = document.get(_NESTED) if isinstance(document, dict) else document
    if not isinstance(values, list):
        message = f"has no list of comparisons; write [{{...}}, ...] or the key {_NESTED}"
        raise BadInputError(Problem(message, file=str(path)))
    return enumerate(values, 1)


def make_table(path: Path, rows: Sequence[JsonRow]) -> CsvFile:
    """The rows as those of a CSV file, a column for each key.

    Raises
    ------
    BadInputError
        If there are none.
    """
    if not rows:
        raise BadInputError(Problem("has no rows", file=str(path)))
    columns = tuple(dict.fromkeys(key for row in rows for key in row.cells))
    return CsvFile(
        str(path),
        columns,
        [
            Row(
                str(path),
                row.number,
                {column_key(key): _as_cell(value) for key, value in row.cells.items()},
            )
            for row in rows
        ],
    )


def _as_cell(value: object) -> str:
    """A value as a spreadsheet writes it: nothing for null, 1 and 0 for true and false."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)
