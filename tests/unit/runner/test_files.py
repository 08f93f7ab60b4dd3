"""Files are replaced whole, and refused before any work when they cannot be written."""

from pathlib import Path

import pytest

from runner.errors import BadInputError
from runner.files import require_writable, write_whole


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path):
    path = tmp_path / "result.json"
    path.write_text("old")
    write_whole(path, "å\n")
    assert path.read_bytes() == "å\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_content(tmp_path: Path):
    path = tmp_path / "result.json"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(BadInputError, match=r"result\.json, --output: cannot be written"):
        write_whole(path, "new")
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "old").read_text() == "old"


def test_folders_on_the_way_are_made(tmp_path: Path):
    require_writable(tmp_path / "a" / "b" / "result.json")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="its folder cannot be made"):
        require_writable(tmp_path / "file" / "result.json")
