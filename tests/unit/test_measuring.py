"""Coverage by events says the same of a module as coverage by the trace function."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MODULE = """
import asyncio


def choose(number):
    if number > 1 and (
        number < 5
        or number == 7
    ):
        return "some"
    elif number == 1:
        word = "one"
    else:
        word = "none" if number < 1 else "many"
    return word


def loop(numbers):
    total = 0
    for number in numbers:
        if number == 3:
            continue
        while number > 5:
            number -= 2
            if number == 6:
                break
        else:
            total += 1
        total += sum(n for n in range(number) if n % 2)
    return total


def take(count):
    for number in range(count):
        yield number
    yield from [choose(number) for number in range(count)]


def risk(what):
    try:
        if what == "raise":
            raise ValueError(what)
        return what
    except ValueError:
        return "caught"
    finally:
        match what:
            case "raise":
                what = "raised"
            case str():
                pass


def recurse(depth):
    return depth if not depth else recurse(depth - 1)


async def wait(count):
    async def numbers():
        for number in range(count):
            yield number

    found = [number async for number in numbers()]
    with open(__file__) as file:
        for line in file:
            if line:
                break
    return found


def never(number):
    if number:
        return 1
    return 2
"""
RUN = """
import sys
folder, by_events = sys.argv[1], sys.argv[2] == "events"
if by_events:
    from tests.fakes.measuring import measure_by_events
    measure_by_events()
import coverage
measured = coverage.Coverage(
    data_file=None, branch=True, include=[f"{folder}/*"], config_file=False, messages=False
)
measured.start()
sys.path.insert(0, folder)
import asyncio, module
generator = module.take(3)
next(generator)
for number in (3, 7, 1):
    module.choose(number)
module.loop([1, 3, 9, 8])
measured.stop()
list(generator)
generator = module.take(1)
next(generator)
measured.start()
list(generator)
module.risk("raise")
module.recurse(3)
asyncio.run(module.wait(2))
for _ in range(9):
    module.choose(9)
measured.stop()
tracer = type(measured._collector.tracers[0]).__name__
assert tracer == ("BranchMonitor" if by_events else "CTracer")
measured.json_report(outfile=f"{folder}/report.json")
"""


def measure(folder: Path, way: str) -> dict[str, Any]:
    """What a run of the module covers."""
    (folder / "module.py").write_text(MODULE)
    command = [sys.executable, "-c", RUN, str(folder), way]
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True)
    (measured,) = json.loads((folder / "report.json").read_text())["files"].values()
    return {name: lines for name, lines in measured.items() if name.endswith(("lines", "branches"))}


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="coverage.py does it itself")
def test_events_tell_what_the_trace_function_tells(tmp_path: Path) -> None:
    told = measure(tmp_path, "events")
    assert told == measure(tmp_path, "trace")
    assert told["missing_branches"], "something is left out, so that it could be told"
