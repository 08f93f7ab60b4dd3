"""`cj content` and `cj files` over HTTP."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runner.cli import app
from runner.downloads import download
from runner.errors import StackNotReachableError
from tests.unit.runner.api_server import FakeStack
from tests.unit.runner.documents import BATCH_ID

DONE, BAD_INPUT, NO_STACK = 0, 2, 3


def cj(stack: FakeStack, *arguments: str | Path) -> Result:
    words = [*map(str, arguments), "--api-url", stack.url]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, words)


def test_texts_are_stored_and_their_ids_printed(stack: FakeStack, tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.md"
    one.write_text("The tide rises.")
    other.write_text("The tide falls.")
    stored = cj(stack, "content", "store", one, other)
    assert stored.exit_code == DONE, stored.output
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
    assert [line.split()[0] for line in stored.stdout.splitlines()] == hashes
    document = json.loads(cj(stack, "content", "store", one, "--json").stdout)
    assert document["contents"][0]["content_id"] == hashes[0]
    assert document["contents"][0]["file"] == str(one)


def test_nothing_is_stored_where_a_file_cannot_be_read(stack: FakeStack, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("The tide rises.")
    refused = cj(stack, "content", "store", tmp_path / "one.txt", tmp_path / "none.txt")
    assert refused.exit_code == BAD_INPUT
    assert "none.txt" in refused.stderr
    assert not stack.uploads


def test_files_are_listed_and_saved_without_showing_the_token(
    stack: FakeStack, tmp_path: Path
) -> None:
    stack.uploads = {"result.json": "{}", "comparisons.jsonl": '{"a": 1}\n'}
    listed = cj(stack, "files", BATCH_ID)
    assert listed.exit_code == DONE, listed.output
    assert "result.json" in listed.stdout
    document = json.loads(cj(stack, "files", BATCH_ID, "--json").stdout)
    assert [file["n_bytes"] for file in document["files"]] == [2, 9]
    saved = cj(stack, "files", BATCH_ID, "-o", tmp_path / "batch")
    assert saved.exit_code == DONE, saved.output
    assert (tmp_path / "batch" / "comparisons.jsonl").read_text() == '{"a": 1}\n'
    assert all("authorization" not in headers for headers in stack.calls("GET", ".jsonl"))
    refused = cj(stack, "files", BATCH_ID, "-o", tmp_path / "batch" / "result.json")
    assert refused.exit_code == BAD_INPUT


def test_a_link_that_does_not_open_keeps_the_old_file(stack: FakeStack, tmp_path: Path) -> None:
    stack.uploads = {"result.json": "{}"}
    (tmp_path / "result.json").write_text("old")
    link = f"http://127.0.0.1:{stack.port}/uploads/none"
    with pytest.raises(StackNotReachableError, match=r"result\.json could not be fetched"):
        download(link, tmp_path / "result.json")
    assert (tmp_path / "result.json").read_text() == "old"
