"""Run every benchmark, and end with the claims that do not hold: `python -m benchmarks [--quick]`.

Before the claims stand the tables of the docs that other code made than there is now. The exit code
is 1 when a benchmark could not run. A claim that does not hold is a finding, printed last, not a
crash.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks._common import print_table
from benchmarks._stamps import list_stale

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "out" / "bench"


def list_benchmarks() -> list[str]:
    """All benchmarks, by their file names."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def run(name: str, *, quick: bool) -> list[dict[str, Any]] | None:
    """The claims of one benchmark, or None if it could not run."""
    output = RESULTS / f"{name}.json"
    output.unlink(missing_ok=True)
    print(f"\n== {name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(output)]
    # Arguments are our own file names.
    process = subprocess.run(  # noqa: S603
        [*command, *(["--quick"] if quick else [])], check=False, cwd=FOLDER.parent
    )
    if process.returncode != 0:
        return None
    return [{"benchmark": name, **claim} for claim in read_claims(output)]


def read_claims(output: Path) -> list[dict[str, Any]]:
    """The claims that a benchmark has written; none where it makes none."""
    if not output.exists():
        return []
    claims: list[dict[str, Any]] = json.loads(output.read_text())["claims"]
    return claims


def main() -> int:
    """Run all benchmarks, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--quick", action="store_true", help="short runs with wider noise")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    names = options.benchmarks or list_benchmarks()
    outcomes = {name: run(name, quick=options.quick) for name in names}
    print_stale_tables()
    print_claims(list(chain.from_iterable(claims or [] for claims in outcomes.values())))
    broken = [name for name, claims in outcomes.items() if claims is None]
    if broken:
        print(f"could not run: {', '.join(broken)}")
    return 1 if broken else 0


def print_stale_tables() -> None:
    """List the tables of the docs whose benchmark or statistics have changed since."""
    for table in list_stale(FOLDER.parent / "docs"):
        place = f"{table.path.relative_to(FOLDER.parent)}:{table.line}"
        print(f"{place}: measured by other code; run python -m benchmarks.{table.benchmark}")


def print_claims(claims: list[dict[str, Any]]) -> None:
    """Count the claims, and list those that do not hold."""
    failing = [claim for claim in claims if not claim["holds"]]
    print(f"\n{len(claims)} claims, {len(failing)} of them do not hold")
    if failing:
        print_table(failing)


if __name__ == "__main__":
    sys.exit(main())
