"""Stamps of measured tables: what makes one stale."""

from __future__ import annotations

import pytest

from benchmarks._stamps import digest_meaning, list_stale, make_stamp


@pytest.mark.parametrize(
    ("source", "is_same"),
    [
        ('"""Words."""\nSD = 1  # a reason\n', True),
        ("def f():\n    '''Words.'''\n    return 1\n\nSD = 1\n", False),
        ("SD = 2\n", False),
    ],
)
def test_only_what_is_computed_makes_other_code(tmp_path, source, is_same):
    path = tmp_path / "worlds.py"
    path.write_text("SD = 1\n")
    before = digest_meaning([path])
    path.write_text(source)
    assert (digest_meaning([path]) == before) is is_same


def test_a_table_of_other_code_is_named_and_one_of_this_code_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks._stamps.ROOT", tmp_path)
    (tmp_path / "worlds.py").write_text("SD = 1\n")
    code = {"grades": ["worlds.py"]}
    page = tmp_path / "results.md"
    stamp = make_stamp("grades", code["grades"])
    page.write_text(f"A table:\n\n{stamp}\n| a |\n\n<!-- measured: grades 0123456789ab -->\n")
    (stale,) = list_stale(tmp_path, code.__getitem__)
    assert (stale.path, stale.line, stale.benchmark) == (page, 6, "grades")
    (tmp_path / "worlds.py").write_text("SD = 2\n")
    assert [table.line for table in list_stale(tmp_path, code.__getitem__)] == [3, 6]
