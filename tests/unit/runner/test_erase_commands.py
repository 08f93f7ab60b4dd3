"""`cj delete` and `cj export-essay` over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assessment.contracts.erasure import ErasureView
from assessment.domain.access import Role
from assessment.domain.erasure import ErasureScope, ErasureState
from runner.cli import app
from runner.offline.workspace import Workspace
from tests.unit.runner.api_server import FakeStack
from tests.unit.runner.documents import BATCH_ID

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DONE, BAD_INPUT = 0, 2


def erasure(state: ErasureState, *, n_provider_files: int = 0) -> ErasureView:
    return ErasureView(
        erasure_id="e",
        batch_id=BATCH_ID,
        scope=ErasureScope.BATCH,
        state=state,
        requested_at=NOW,
        erased_at=None,
        checked_at=None,
        documents=[],
        n_provider_files=n_provider_files,
    )


@pytest.fixture
def office(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    """A stack that is still erasing when it is asked first."""
    monkeypatch.setenv("CJ_TOKEN", stack.token(Role.ADMIN))
    monkeypatch.setattr("runner.commands.erase._SECONDS", 0.0)
    erased = erasure(ErasureState.ERASED, n_provider_files=1)
    stack.erasures = [erasure(ErasureState.ERASING), erasure(ErasureState.ERASING), erased]
    return stack


def cj(stack: FakeStack, *arguments: str, answer: str = "") -> Result:
    options = ["--api-url", stack.url]
    return CliRunner(env={"COLUMNS": "140"}).invoke(app, [*arguments, *options], input=answer)


def test_a_batch_is_erased_after_a_yes_and_waited_for(office: FakeStack) -> None:
    refused = cj(office, "delete", BATCH_ID, answer="n\n")
    assert refused.exit_code != DONE
    assert not office.calls("DELETE", BATCH_ID)
    erased = cj(office, "delete", BATCH_ID, answer="y\n")
    assert erased.exit_code == DONE, erased.output
    assert f"batch {BATCH_ID} is erased" in erased.stdout
    assert "1 batches at providers could not be deleted" in erased.stderr


def test_one_essay_is_erased_without_waiting(office: FakeStack) -> None:
    begun = cj(office, "delete", BATCH_ID, "--essay", "anna o", "--yes", "--no-wait")
    assert begun.exit_code == DONE, begun.output
    assert f"essay anna o of batch {BATCH_ID} is being erased" in begun.stdout
    assert office.calls("DELETE", "/essays/anna o") or office.calls("DELETE", "/essays/anna%20o")


def test_an_assessor_may_not_erase(office: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CJ_TOKEN", office.token(Role.ASSESSOR))
    refused = cj(office, "delete", BATCH_ID, "--yes")
    assert (refused.exit_code != DONE, "admin" in refused.stderr) == (True, True)


def test_what_is_kept_of_an_essay_is_printed(office: FakeStack) -> None:
    exported = cj(office, "export-essay", BATCH_ID, "anna")
    assert json.loads(exported.stdout) == {"essay_id": "anna"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a batch of three essays that the surface judge has judged."""
    folder = tmp_path / "essays"
    folder.mkdir()
    for name in ("anna", "ben", "carl"):
        text = f"{name.upper()}-SECRET wrote of the tide that rises as the moon pulls. " * len(name)
        (folder / f"{name}.txt").write_text(text)
    monkeypatch.chdir(tmp_path)
    ended = offline("execute", "essays", "--judge", "surface", "--config", "max_waves=1")
    assert ended.exit_code == DONE, ended.output
    return tmp_path


def offline(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "140"}).invoke(app, [*arguments, "--offline"])


def read_files(place: Path) -> bytes:
    """All that the workspace's files hold, the free pages of the database too."""
    return b"".join(path.read_bytes() for path in (place / ".cj").rglob("*") if path.is_file())


def test_an_essay_and_a_batch_are_erased_from_a_workspace(place: Path) -> None:
    batch_id = json.loads((place / "result.json").read_text())["batch_id"]
    exported = json.loads(offline("export-essay", batch_id, "anna").stdout)
    assert exported["text"].startswith("ANNA-SECRET")
    assert b"ANNA-SECRET" in read_files(place)
    gone = offline("delete", batch_id, "--essay", "anna", "--yes", "--json")
    assert gone.exit_code == DONE, gone.output
    told = json.loads(gone.stdout)
    assert (told["state"], told["checked_at"] is not None) == ("erased", True)
    left = read_files(place)
    assert b"anna" not in left
    assert b"ANNA-SECRET" not in left
    assert b"BEN-SECRET" in left
    assert "ben" in offline("results", batch_id).stdout
    assert offline("export-essay", batch_id, "anna").exit_code == BAD_INPUT
    assert offline("delete", batch_id, "--yes").exit_code == DONE
    left = read_files(place)
    assert b"BEN-SECRET" not in left
    assert b"rankings" not in left
    assert batch_id not in offline("list").stdout
    assert offline("status", batch_id).exit_code != DONE


def test_a_batch_that_another_process_runs_is_not_erased(place: Path) -> None:
    batch_id = json.loads((place / "result.json").read_text())["batch_id"]
    with Workspace.open_folder(place / ".cj") as workspace, workspace.driving(batch_id):
        refused = offline("delete", batch_id, "--yes")
    assert refused.exit_code == BAD_INPUT
    assert "run by another process" in refused.stderr
    assert b"ANNA-SECRET" in read_files(place)
