"""Branch coverage by `sys.monitoring`, which coverage.py itself uses from Python 3.14 on.

Its other way, a trace function, is called for every line of every library too, and makes Python
half as fast. Events of `sys.monitoring` are turned on for our own code alone, and each is turned
off once it has told all that it can. Python 3.14 tells the two ways of a branch by two events; 3.13
has one for both, which therefore stays on until both ways were seen. What is measured is the same
(tests/unit/test_measuring.py).
"""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import Any

import coverage.control
import coverage.core
import coverage.env
from coverage.sysmon import SysMonitor, compute_multiline_map

events: Any = sys.monitoring.events
MULTILINE: dict[str, dict[int, int]] = {}
"""First lines of statements of several lines, by file: reading a file again takes long."""


class BranchMonitor(SysMonitor):
    """coverage.py's measuring by events, with Python 3.13's one event for both ways of a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.first_ways: dict[tuple[int, int], int] = {}

    def sysmon_line_arcs(self, code: CodeType, line_number: int) -> Any:
        """Record a line; a generator that began before a pause has no start since."""
        return super().sysmon_line_arcs(code, line_number) if id(code) in self.code_infos else None

    def sysmon_py_return(self, code: CodeType, instruction_offset: int, retval: object) -> Any:
        """Record from where a function returns."""
        if id(code) not in self.code_infos:
            return None
        return super().sysmon_py_return(code, instruction_offset, retval)

    def sysmon_branch_either(
        self, code: CodeType, instruction_offset: int, destination_offset: int
    ) -> Any:
        """Record a way that was not seen, and ask for no more once both were."""
        branch = id(code), instruction_offset
        if branch[0] not in self.code_infos:
            return None
        first = self.first_ways.get(branch)
        if first == destination_offset:
            return None
        super().sysmon_branch_either(code, instruction_offset, destination_offset)
        if first is not None:
            return sys.monitoring.DISABLE
        self.first_ways[branch] = destination_offset
        return None

    def get_multiline_map(self, filename: str) -> dict[int, int]:
        """As read once for this process; measuring starts anew after each pause."""
        if filename not in MULTILINE:
            MULTILINE[filename] = compute_multiline_map(filename)
        return MULTILINE[filename]


def measure_by_events() -> None:
    """Let what starts to measure coverage in this process from now on do it by events."""
    if not coverage.env.PYBEHAVIOR.branch_right_left:
        for way in ("BRANCH_LEFT", "BRANCH_RIGHT"):
            setattr(events, way, events.BRANCH)
        coverage.env.PYBEHAVIOR.branch_right_left = True
        vars(coverage.core)["SysMonitor"] = BranchMonitor
    os.environ["COVERAGE_CORE"] = "sysmon"


def analyse_once() -> None:
    """Let the reports of what was measured, a total and a table, look at each file once."""
    reporting: Any = coverage.control.Coverage
    analyse = reporting._analyze
    analysed: dict[tuple[int, str], Any] = {}

    def look_up(measured: Any, module: Any, file_reporter: Any) -> Any:
        file = id(measured), file_reporter.filename
        if file not in analysed:
            analysed[file] = analyse(measured, module, file_reporter=file_reporter)
        return analysed[file]

    reporting._analyze = look_up
