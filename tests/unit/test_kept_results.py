"""Benchmarks in parts: what is kept is read back, but nothing cut off or of other code."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchmarks._common import Options
from benchmarks._kept import KeptResults, digest_code


@dataclass(frozen=True)
class Batches:
    label: str
    batches: int = 3


def test_results_are_read_back_by_number_whatever_their_order(tmp_path):
    kept = KeptResults(tmp_path)
    kept.add(Batches("sd .5, random"), 2, [1.5])
    kept.add(Batches("sd .5, random"), 0, [2.5])
    kept.add(Batches("sd .7, random"), 0, [3.5])
    assert list(kept.read(Batches("sd .5, random")).items()) == [(0, [2.5]), (2, [1.5])]
    assert kept.read(Batches("sd .9, random")) == {}


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path):
    kept, cell = KeptResults(tmp_path), Batches("a")
    kept.add(cell, 0, 1.0)
    (path,) = tmp_path.iterdir()
    with path.open("a") as file:
        file.write('{"number": 1, "res')
    kept.add(cell, 2, 3.0)
    assert kept.read(cell) == {0: 1.0, 2: 3.0}


def test_other_code_has_other_results(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks._kept.ROOT", tmp_path)
    monkeypatch.setenv("KEPT_DIR", str(tmp_path / "kept"))
    source = tmp_path / "worlds.py"
    source.write_text("SD = 1\n")
    before = KeptResults.of_code("honesty", ["worlds.py"])
    source.write_text("SD = 2\n")
    assert KeptResults.of_code("honesty", ["worlds.py"]) != before
    (tmp_path / "notes.txt").write_text("no code")
    folder = digest_code([tmp_path])
    (tmp_path / "notes.txt").write_text("other notes")
    assert digest_code([tmp_path]) == folder


@pytest.mark.parametrize(
    ("cells", "selected"), [(None, [0, 1, 2, 3]), ((1, 2), [1, 2]), ((2, 9), [2, 3]), ((7, 9), [])]
)
def test_parts_are_numbered_cells(cells, selected):
    assert list(Options(quick=False, json=None, cells=cells).selected(4)) == selected
