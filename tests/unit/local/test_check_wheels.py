"""The README's quickstart runs as it stands, and is as short as it says."""

import subprocess
import sys

import pytest

from local.check_wheels import ROOT, WheelProblemError, expect, read_quickstart


@pytest.mark.slow  # a process that imports matplotlib
def test_the_quickstart_runs(tmp_path):
    code = read_quickstart((ROOT / "README.md").read_text())
    assert len(code.strip().splitlines()) <= 11
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"MPLBACKEND": "Agg", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ada" in ended.stdout
    assert (tmp_path / "abilities.png").stat().st_size > 1000


def test_what_is_missing_is_said():
    with pytest.raises(WheelProblemError, match="no Python block"):
        read_quickstart("## The scoring package\n")
    with pytest.raises(WheelProblemError, match="grades"):
        expect("abilities", "grades")


@pytest.mark.parametrize("package", ["layers/scoring", "layers/service", "runner"])
def test_every_package_brings_the_licence_and_its_types(package):
    assert (ROOT / package / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert len(list((ROOT / package).glob("*/py.typed"))) == 1
