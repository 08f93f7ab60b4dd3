"""Which tables of the docs were measured by other code than there is now.

A table that a benchmark made stands below a line like

    <!-- measured: real_grades 1a2b3c4d5e6f -->

with the benchmark's name and a digest of the code whose figures they are, its `CODE`. Comments,
docstrings and layout do not count. `python -m benchmarks` ends with the tables whose digest has
changed since: their figures may have, too.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks._kept import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_STAMP = re.compile(r"<!-- measured: (?P<name>\w+) (?P<digest>[0-9a-f]+) -->")
_DIGITS = 12


@dataclass(frozen=True)
class StaleTable:
    """A table whose code has changed since it was measured.

    Attributes
    ----------
    path : Path
    line : int
        Of its stamp, from 1.
    benchmark : str
    """

    path: Path
    line: int
    benchmark: str


def digest_meaning(paths: Iterable[Path]) -> str:
    """Digest what Python files, and all those in folders, compute."""
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(_dump_without_docstrings(file.read_text()).encode())
    return digest.hexdigest()[:_DIGITS]


def _dump_without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # An expression that is a constant does nothing: it is a docstring.
            node.body = [line for line in body if not _is_constant(line)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_constant(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def make_stamp(name: str, sources: Sequence[str]) -> str:
    """Return the line above a table that a benchmark makes of the code that is there now."""
    return f"<!-- measured: {name} {digest_meaning([ROOT / source for source in sources])} -->"


def list_stale(
    folder: Path, read_sources: Callable[[str], Sequence[str]] | None = None
) -> Iterator[StaleTable]:
    """Find the tables in a folder's Markdown files that other code made.

    Parameters
    ----------
    folder : Path
    read_sources : callable, optional
        The code of a benchmark by its name; its `CODE` if not given.
    """
    present: dict[str, str] = {}
    for path in sorted(folder.rglob("*.md")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            known = _STAMP.fullmatch(line.strip())
            if known is None:
                continue
            name = known["name"]
            if name not in present:
                present[name] = make_stamp(name, (read_sources or _read_code)(name))
            if line.strip() != present[name]:
                yield StaleTable(path, number, name)


def _read_code(name: str) -> Sequence[str]:
    code: Sequence[str] = importlib.import_module(f"benchmarks.{name}").CODE
    return code
