"""The files that a report is made of: `result.json` and `comparisons.jsonl`."""

import json
from pathlib import Path

from assessment.contracts.result import ResultDocument
from assessment.domain.comparison import Comparison
from runner.api.answers import parse_result
from runner.errors import BadInputError, Problem
from runner.text_files import read_text


def read_result(path: Path) -> ResultDocument:
    """A result document from a file.

    Raises
    ------
    BadInputError
        If there is no such file, or it is no result.
    StackNotReachableError
        If it is of another version than this command.
    """
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError):
        raise BadInputError(Problem("is not JSON; name a result file", file=str(path))) from None
    if not isinstance(document, dict) or "rankings" not in document:
        raise BadInputError(Problem("is no result of a batch", file=str(path)))
    return parse_result(document)


def read_comparisons(path: Path) -> list[Comparison]:
    """The comparisons of a batch from a file with one on each line.

    Raises
    ------
    BadInputError
        If there is no such file, or a line is no comparison; names the first such line.
    """
    lines = read_text(path).split("\n")
    return [_read_line(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _read_line(path: Path, number: int, line: str) -> Comparison:
    try:
        return Comparison.model_validate(json.loads(line))
    except ValueError:
        message = "is no comparison; give the file of `cj comparisons -o comparisons.jsonl`"
        raise BadInputError(Problem(message, file=str(path), row=number)) from None
