"""Results of simulated batches that are kept, so that a long benchmark can be run in parts.

A benchmark that keeps its results is a list of cells, each so many batches of one kind. Every batch
has a number, from which its world is drawn, and its result is appended to its cell's file below
`out/kept/NAME/VERSION` (`KEPT_DIR` instead of `out/kept`). VERSION is a digest of the code whose
figures these are: results of other code are never merged. What is kept is not run again. So a run
that was cut off goes on where it was, and parts may run one after the other or side by side. More
batches of a cell (`--share 2`) add to those that there are. Every run prints all that is kept of
its list, with the number of batches behind each figure.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from benchmarks._common import Options

ROOT = Path(__file__).parents[1]
WORKERS = int(os.environ.get("BENCH_WORKERS", "2"))
_DIGITS = 12
_AT_ONCE = 4


class Cell(Protocol):
    """One kind of batch."""

    @property
    def label(self) -> str:
        """What distinguishes it from all others; a file's name is made of it."""
        ...

    @property
    def batches(self) -> int:
        """How many batches a whole run has of it."""
        ...


@dataclass(frozen=True)
class KeptResults:
    """Results of batches by cell and number.

    Attributes
    ----------
    folder : Path
        One file of JSON lines for each cell.
    """

    folder: Path

    @classmethod
    def of_code(cls, name: str, sources: Sequence[str]) -> KeptResults:
        """Results of a benchmark by the code that is there now.

        Parameters
        ----------
        name : str
            Of the benchmark.
        sources : sequence of str
            Python files and folders, below the project's root, on which the figures depend.
        """
        root = Path(os.environ.get("KEPT_DIR", ROOT / "out" / "kept"))
        return cls(root / name / digest_code([ROOT / source for source in sources]))

    def read(self, cell: Cell) -> dict[int, object]:
        """Return the results of a cell by number; a line that was cut off counts as none."""
        results: dict[int, object] = {}
        path = self._path(cell)
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    continue
                results[entry["number"]] = entry["result"]
        return dict(sorted(results.items()))

    def add(self, cell: Cell, number: int, result: object) -> None:
        """Append one result."""
        path = self._path(cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"number": number, "result": result}, default=float)
        with path.open("a") as file:
            # On a line of its own even after one that was cut off.
            file.write(f"\n{line}\n")

    def _path(self, cell: Cell) -> Path:
        name = "".join(sign if sign.isalnum() or sign in ".-" else "_" for sign in cell.label)
        return self.folder / f"{name}.jsonl"


def digest_code(paths: Iterable[Path]) -> str:
    """Digest Python files and all those in folders."""
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(file.relative_to(ROOT).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def kept_cells[C: Cell](
    kept: KeptResults,
    cells: Sequence[C],
    measure: Callable[[C, int], object],
    options: Options,
) -> Iterator[tuple[C, list[object]]]:
    """Measure what is missing of the selected cells; yield every cell that has results.

    Parameters
    ----------
    kept : KeptResults
    cells : sequence of Cell
    measure : callable
        Runs the batch of a cell with a number; must be a module's function, other processes run it.
    options : Options
        Which cells, and how many of their batches.
    """
    selected = options.selected(len(cells))
    with ProcessPoolExecutor(WORKERS) as pool:
        for position, cell in enumerate(cells):
            results = kept.read(cell)
            if position in selected:
                wanted = range(max(1, round(cell.batches * options.share)))
                missing = [number for number in wanted if number not in results]
                made = pool.map(measure, [cell] * len(missing), missing, chunksize=_AT_ONCE)
                for number, result in zip(missing, made, strict=True):
                    kept.add(cell, number, result)
                results = kept.read(cell)
            if results:
                yield cell, list(results.values())


def print_cells(cells: Sequence[Cell], kept: KeptResults) -> None:
    """List the cells with their numbers, and how many batches of each are kept."""
    for position, cell in enumerate(cells):
        print(f"{position:4d}  {cell.label}: {len(kept.read(cell))} of {cell.batches}")
