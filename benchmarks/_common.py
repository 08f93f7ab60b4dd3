"""What all benchmarks share: arguments, claims against a bar, a table, and the JSON they write.

options = arguments(__doc__)
...
report(options, rows=rows, claims=[Claim("coverage", 0.94, "share", Bar(low=0.92))])
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Options:
    """Command line of a benchmark."""

    quick: bool
    json: Path | None
    cells: tuple[int, int] | None = None
    share: float = 1.0
    lists_cells: bool = False

    def selected(self, n_cells: int) -> range:
        """Return which of so many cells are to be run."""
        first, last = self.cells or (0, n_cells - 1)
        return range(first, min(last, n_cells - 1) + 1)


@dataclass(frozen=True)
class Bar:
    """What a value must keep to."""

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        """Say the bar in words, as it is written to the JSON."""
        if math.isinf(self.high):
            return f">= {self.low:g}"
        if math.isinf(self.low):
            return f"<= {self.high:g}"
        return f"{self.low:g} to {self.high:g}"

    def holds(self, value: float) -> bool:
        """Tell whether a value keeps to the bar; a NaN never does."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Claim:
    """A measured value and the bar it was set."""

    name: str
    value: float | None
    unit: str
    bar: Bar

    @property
    def holds(self) -> bool:
        """Whether the bar is kept; a value that could not be measured keeps none."""
        return self.value is not None and self.bar.holds(self.value)


def arguments(description: str | None, *, has_cells: bool = False) -> Options:
    """Read `--quick` and `--json PATH`, and of a benchmark in parts which part."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short run with wider noise")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write claims and rows here")
    if has_cells:
        parser.add_argument("--cells", type=_cells, metavar="A-B", help="run only these cells")
        parser.add_argument("--share", type=float, default=1.0, help="of every cell's batches")
        parser.add_argument("--list", action="store_true", help="list the cells, run nothing")
    values = parser.parse_args()
    if not has_cells:
        return Options(quick=values.quick, json=values.json)
    return Options(values.quick, values.json, values.cells, values.share, values.list)


def _cells(text: str) -> tuple[int, int]:
    """Read the first and the last of the cells to run: `3-7`, or `3`."""
    first, _, last = text.partition("-")
    try:
        cells = int(first), int(last or first)
    except ValueError:
        cells = (1, 0)
    if not 0 <= cells[0] <= cells[1]:
        raise argparse.ArgumentTypeError(f"expected A-B with A <= B, got {text!r}")
    return cells


def report(
    options: Options,
    *,
    rows: Sequence[Mapping[str, object]],
    claims: Sequence[Claim],
) -> None:
    """Print rows and claims; write them to the JSON file if one was asked for."""
    print_table(rows)
    print()
    print_table([_as_dict(claim) for claim in claims])
    write_json(options, rows=rows, claims=claims)


def write_json(
    options: Options,
    *,
    rows: Sequence[Mapping[str, object]],
    claims: Sequence[Claim],
) -> None:
    """Write rows and claims to the JSON file if one was asked for."""
    if options.json is not None:
        content = {
            "quick": options.quick,
            "claims": [_as_dict(claim) for claim in claims],
            "rows": [dict(row) for row in rows],
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(content, indent=1, default=float) + "\n")


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as an aligned table; columns in the order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(columns))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _as_dict(claim: Claim) -> dict[str, object]:
    return {
        "name": claim.name,
        "value": claim.value,
        "unit": claim.unit,
        "bar": str(claim.bar),
        "holds": claim.holds,
    }


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
