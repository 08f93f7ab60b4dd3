"""The modules that the Makefile runs: each can be the first that is imported."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


def test_everything_can_be_stopped_where_no_package_is_installed(tmp_path):
    """After a setup that failed, `make stop` and `make clean` still work."""
    for name in ("__init__.py", "stack/__init__.py", "stack/processes.py", "stack/stop.py"):
        target = tmp_path / "local" / name
        target.parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(ROOT / "local" / name, target)
    process = subprocess.run(
        [sys.executable, "-S", "-m", "local.stack.stop"], cwd=tmp_path, capture_output=True,
        text=True, check=False, timeout=60, env=os.environ | {"PYTHONPATH": ""},
    )  # fmt: skip
    assert (process.returncode, process.stdout) == (0, "nothing was running\n"), process.stderr


@pytest.mark.parametrize("home", ["/proc/nohome", "/nonexistent/home"])
def test_packages_are_cached_in_the_folder_where_home_cannot_be_written(home):
    environment = {name: value for name, value in os.environ.items() if name != "UV_CACHE_DIR"}
    environment["HOME"] = home
    told = subprocess.run(
        ["make", "--eval", "told: ; @echo $(UV_CACHE_DIR)", "told"], cwd=ROOT,
        capture_output=True, text=True, check=True, timeout=60, env=environment,
    )  # fmt: skip
    assert told.stdout.strip() == f"{ROOT}/.venv/.cache/uv"
