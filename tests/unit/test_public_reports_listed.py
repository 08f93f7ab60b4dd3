"""Every public report that was played has the test that its list names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
LISTS = (
    TESTS / "batches" / "loop" / "test_public_reports.py",
    TESTS / "unit" / "runner" / "test_public_reports.py",
)
REPORTS = {1, 2, 3, 4, 6, 11, 12, 13, 15, 17, 18, 19, 21, 22, 23, 24, 26, 27, 28}
"""Their numbers; the missing ones were never shown."""


def test_every_report_is_listed_with_a_test_that_exists() -> None:
    listed: set[int] = set()
    for path in LISTS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        for line in (ast.get_docstring(tree) or "").splitlines():
            row = re.fullmatch(r"\s*(\d\d(?:, \d\d)*) .*\b(test_\w+)", line)
            if row:
                assert row[2] in tests, row[2]
                listed |= {int(number) for number in row[1].split(", ")}
    assert listed == REPORTS
