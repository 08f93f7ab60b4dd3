"""JSONL files, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """Why a batch cannot run, and on which line of its file (counted from 1) that shows."""

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
    """The objects of a file by the number of their line; a problem where there is none."""
    # Split by line feeds alone: other separators of lines may stand inside a text.
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if isinstance(found, dict):
            yield number, found
        else:
            yield number, Problem("invalid_json_line", f"line {number} is no JSON object", number)


def as_json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A file with one object on each line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
