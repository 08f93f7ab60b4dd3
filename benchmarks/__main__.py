"""Run every benchmark, and end with the claims that do not hold: `python -m benchmarks [--quick]`.

The exit code is 1 when a benchmark could not run. A claim that does not hold is a finding, printed
last, not a crash.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks._common import print_table

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "out" / "bench"


def names() -> list[str]:
    """All benchmarks, by their file names."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def run(name: str, *, quick: bool) -> list[dict[str, Any]] | None:
    """The claims of one benchmark, or None if it could not run."""
    written = RESULTS / f"{name}.json"
    written.unlink(missing_ok=True)
    print(f"\n== {name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(written)]
    # Arguments are our own file names.
    done = subprocess.run(  # noqa: S603
        [*command, *(["--quick"] if quick else [])], check=False, cwd=FOLDER.parent
    )
    if done.returncode != 0:
        return None
    if not written.exists():
        return []
    claims: list[dict[str, Any]] = json.loads(written.read_text())["claims"]
    return [{"benchmark": name, **claim} for claim in claims]


def main() -> int:
    """Run all benchmarks, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--quick", action="store_true", help="short runs with wider noise")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    outcomes = {name: run(name, quick=options.quick) for name in options.benchmarks or names()}
    claims = [claim for found in outcomes.values() for claim in found or []]
    broken = [name for name, found in outcomes.items() if found is None]
    failing = [claim for claim in claims if not claim["holds"]]
    print(f"\n{len(claims)} claims, {len(failing)} of them do not hold")
    if failing:
        print_table(failing)
    if broken:
        print(f"could not run: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
