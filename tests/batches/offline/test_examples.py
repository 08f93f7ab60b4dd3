"""Every example in --help and every command of the tutorial runs, or is marked as needing a key."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner, Result

from assessment.contracts.request import BatchRequest
from runner.cli import app
from runner.offline.engine import Engine
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import Workspace

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "samples" / "plastic-bottles"
TUTORIAL = ROOT / "docs" / "workbench.md"
BATCH_ID = "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10"
DONE, BAD_INPUT = 0, 2
NEEDS_KEY = "# needs a key"


def cj(line: str) -> Result:
    assert line.startswith("cj ")
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, shlex.split(line)[1:])


def list_examples() -> list[str]:
    """The lines of all commands' help that are commands themselves."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return sorted(set(_collect(group)))


def _collect(group: TyperGroup) -> Iterator[str]:
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            yield from _collect(command)
        for line in (command.help or "").splitlines():
            if line.strip().startswith("cj ") and line.startswith(" "):
                yield line.strip()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Essays and anchors, a workspace with a batch, and its files, as the examples name them."""
    folder = tmp_path_factory.mktemp("examples")
    essays = folder / "essays"
    essays.mkdir()
    for source in sorted((SAMPLE / "essays").iterdir())[:8]:
        shutil.copy(source, essays)
    shutil.copy(SAMPLE / "anchors.csv", folder)
    shutil.copytree(SAMPLE / "anchors", folder / "anchors")
    request = BatchRequest.model_validate(
        {
            "essays": [
                {"essay_id": path.stem, "text": path.read_text()} for path in essays.iterdir()
            ],
            "config": {"max_waves": 2},
            "judge": {"provider": "surface"},
        }
    )
    with Workspace.open_folder(folder / ".cj", create=True) as workspace:
        client = WorkspaceClient(workspace)
        client.request_batch(request, idempotency_key="examples", batch_id=BATCH_ID)
        engine = Engine(workspace, BATCH_ID)
        with engine.running():
            engine.wait(120)
        (folder / "result.json").write_bytes(client.result_bytes(BATCH_ID))
        judged = (folder / ".cj" / "content").rglob("comparisons.jsonl")
        shutil.copy(next(judged), folder)
    return folder


@pytest.mark.parametrize("line", list_examples())
def test_an_example_of_the_help_runs(
    line: str, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prepared)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("CJ_JUDGE_KEY", raising=False)
    ended = cj(line)
    asks_model = line.startswith(("cj execute", "cj prompt-check"))
    if asks_model and ("openai/" in line or "--model" in line):
        # All that is missing is the key.
        assert ended.exit_code == BAD_INPUT
        assert re.search("set (OPENAI_API_KEY|CJ_JUDGE_KEY)", ended.stderr)
    else:
        assert ended.exit_code == DONE, ended.output


def list_commands() -> list[str]:
    """The tutorial's commands, in order."""
    blocks = re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), flags=re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    assert len(lines) > 10
    return lines


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_command_of_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shutil.copytree(SAMPLE / "essays", "class")
    shutil.copy(SAMPLE / "anchors.csv", "anchors.csv")
    shutil.copytree(SAMPLE / "anchors", "anchors")
    batch_id = ""
    for line in list_commands():
        if line.endswith(NEEDS_KEY):
            assert "openai/" in line
            continue
        ended = cj(line.replace("BATCH_ID", batch_id))
        assert ended.exit_code == DONE, (line, ended.output)
        found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", ended.stderr)
        batch_id = batch_id or (found.group() if found else "")
