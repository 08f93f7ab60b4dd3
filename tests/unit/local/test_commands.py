"""The modules that the Makefile runs: each can be the first that is imported."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMANDS = sorted(set(re.findall(r"python -m (local(?:\.\w+)+)", (ROOT / "Makefile").read_text())))


def test_the_makefile_runs_some():
    assert "local.demo" in COMMANDS


@pytest.mark.parametrize("module", [*COMMANDS, "local.judge_endpoint"])
def test_a_command_can_be_imported_first(module):
    process = subprocess.run(
        [sys.executable, "-c", f"import {module}"], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
