"""Files of JSON Lines, and their errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """Why a batch cannot run, and the line of its file (counted from 1) with the error."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class UnfitBatchError(ValueError):
    """A batch that cannot run."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def json_lines(content: bytes) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """The objects of a file by the number of their line; or a problem."""
    # Split at line feeds only: a text inside a line may contain other line separators.
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            yield (
                number,
                Problem("invalid_json_line", f"line {number} is not a JSON object", number),
            )


def write_json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A file with one object on each line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
