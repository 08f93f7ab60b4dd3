"""`--offline`: batches in a folder, from the command line, with endpoints on real HTTP."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assessment.contracts.result import ResultDocument
from assessment.domain.masking import MaskKind
from runner.cli import app
from runner.offline.workspace import DATABASE, Workspace
from tests.unit.runner.counting_judge import CountingJudge, serving_judge

DONE, BAD_INPUT = 0, 2
QUICK = ("--config", "max_waves=2")


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "140"}).invoke(app, list(map(str, arguments)))


@pytest.fixture
def essays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six texts of growing length, below the folder in which commands run."""
    folder = tmp_path / "essays"
    folder.mkdir()
    for number in range(1, 7):
        sentence = f"Text {number} says that the tide rises because the moon pulls at the sea. "
        (folder / f"e{number}.txt").write_text(sentence * (2 * number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CJ_JUDGE_URL", raising=False)
    return folder


def read_result(path: Path = Path("result.json")) -> ResultDocument:
    return ResultDocument.model_validate_json(path.read_bytes())


def run_execute(judge: CountingJudge, essays: Path, *arguments: str | Path) -> Result:
    return cj(
        "execute", essays, "--offline", *QUICK,
        "--judge", f"callback_endpoint,base_url={judge.url}", *arguments,
    )  # fmt: skip


def test_a_folder_becomes_a_ranking_without_stack_key_or_name_of_a_judge(essays: Path) -> None:
    result = cj("execute", essays, "--offline", *QUICK)
    assert result.exit_code == DONE, result.output
    assert "a baseline, not an assessment" in result.stderr
    document = read_result()
    assert document.judges == ["surface/features-1"]
    assert document.n_students == 6
    assert {ranking.essay_id for ranking in document.rankings} == {f"e{n}" for n in range(1, 7)}


def test_a_roster_is_masked_and_counted_and_kept_nowhere(essays: Path) -> None:
    (essays / "e1.txt").write_text("Torvald Quist (torvald@skola.se) says that Quists moon pulls.")
    Path("names.txt").write_text("Torvald Quist\n")
    result = cj("execute", essays, "--offline", *QUICK, "--roster", "names.txt", "--mask")
    assert result.exit_code == DONE, result.output
    masking = read_result().masking
    assert masking is not None
    assert masking.n_names == 1
    assert masking.masked_passages == {"e1": {MaskKind.NAME: 2, MaskKind.EMAIL: 1}}
    stored = [path.read_bytes() for path in Path(".cj").rglob("*") if path.is_file()]
    assert any(b"[name 1] ([e-mail 1]) says that [name 1]s moon" in content for content in stored)
    assert not any(b"uist" in content or b"orvald" in content for content in stored)


def test_the_commands_of_a_stack_read_a_workspace(essays: Path) -> None:
    assert cj("execute", essays, "--offline", *QUICK).exit_code == DONE
    listed = json.loads(cj("list", "--offline", "--json").stdout)["batches"]
    (batch_id,) = [batch["batch_id"] for batch in listed]
    assert json.loads(cj("results", batch_id, "--offline", "--json").stdout)["judges"]
    assert "COMPLETED" in cj("status", batch_id, "--offline").stdout
    lines = cj("comparisons", batch_id, "--offline", "--format", "jsonl").stdout.splitlines()
    assert len(lines) == read_result().comparisons.planned
    assert cj("attention", batch_id, "--offline").exit_code == DONE
    watched = cj("watch", "--offline", "-o", "again.json")
    assert watched.exit_code == DONE, watched.output
    assert Path("again.json").read_bytes() == Path("result.json").read_bytes()
    unknown = cj("status", "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10", "--offline")
    assert unknown.exit_code == BAD_INPUT


def test_the_same_key_is_the_same_batch_and_asks_nobody_again(essays: Path) -> None:
    with serving_judge() as judge:
        first = run_execute(judge, essays, "--idempotency-key", "monday")
        assert first.exit_code == DONE, first.output
        n_calls, body = len(judge.keys), Path("result.json").read_bytes()
        assert n_calls == read_result().comparisons.recorded
        again = run_execute(judge, essays, "--idempotency-key", "monday")
        assert again.exit_code == DONE, again.output
        assert len(judge.keys) == n_calls
    assert Path("result.json").read_bytes() == body


def test_an_endpoint_that_answers_later_is_told_where_and_must_sign(essays: Path) -> None:
    with serving_judge(calls_back=True, workspace=Path(".cj")) as judge:
        result = run_execute(judge, essays)
        assert result.exit_code == DONE, result.output
        assert read_result().comparisons.recorded == len(judge.keys)
        assert judge.refusals == {"unsigned": 401, "elsewhere": 404}


def test_all_essays_are_sent_however_few_comparisons_there_may_be(essays: Path) -> None:
    result = cj("execute", essays, "--offline", "--max-comparisons", "4")
    assert result.exit_code in (DONE, 1), result.output
    (batch,) = json.loads(cj("list", "--offline", "--json").stdout)["batches"]
    assert batch["essays"] == 6
    twice = cj("execute", essays, "--max-comparisons", "4", "--config", "max_comparisons=5")
    assert twice.exit_code == BAD_INPUT
    assert "--max-comparisons: is given by --config, too" in twice.stderr


def test_anchors_that_cannot_be_registered_end_the_command_before_a_batch(essays: Path) -> None:
    Path("anchors.csv").write_text("anchor_ref,grade,text\none,A,A graded text of some words.\n")
    assert cj("register-anchors", "anchors.csv", "--offline", "--assignment", "x").exit_code == (
        BAD_INPUT
    )
    first = cj("execute", essays, "--offline", *QUICK)
    assert first.exit_code == DONE, first.output
    registered = cj("register-anchors", "anchors.csv", "--offline", "--assignment", "x")
    assert registered.exit_code == DONE, registered.output
    Path("anchors.csv").write_text("anchor_ref,grade,text\ntwo,good,Another graded text.\n")
    refused = cj(
        "execute", essays, "--offline", *QUICK, "--anchors", "anchors.csv",
        "--assignment", "x", "--scale", "bad,good",
    )  # fmt: skip
    assert refused.exit_code == BAD_INPUT
    assert "register it again with a grade of this scale" in refused.stderr
    assert len(json.loads(cj("list", "--offline", "--json").stdout)["batches"]) == 1


WRONG_JUDGES = [
    ("person", "leave out --offline"),
    ("openai/gpt-4.1-mini", "set OPENAI_API_KEY"),
    ("openai/m,api_key_secret=my.key", "set CJ_KEY_MY_KEY"),
    ("callback_endpoint", "base_url, or CJ_JUDGE_URL"),
    ("bedrock/amazon.nova-lite-v1:0,batching_mode=provider_batch_api", "choose serial_bundle"),
]


@pytest.mark.parametrize(("judge", "fix"), WRONG_JUDGES)
def test_a_judge_that_cannot_be_asked_is_refused_with_what_to_do(
    essays: Path, monkeypatch: pytest.MonkeyPatch, judge: str, fix: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = cj("execute", essays, "--offline", "--judge", judge)
    assert result.exit_code == BAD_INPUT
    assert fix in result.stderr
    assert json.loads(cj("list", "--offline", "--json").stdout) == {"batches": []}


def test_a_folder_without_batches_is_named(essays: Path) -> None:
    result = cj("list", "--offline", "--workspace", "elsewhere")
    assert result.exit_code == BAD_INPUT
    assert "elsewhere: holds no batches" in result.stderr
    assert not Path("elsewhere").exists()


def test_a_workspace_keeps_texts_to_its_owner_and_out_of_repositories(essays: Path) -> None:
    cj("execute", essays, "--offline", "--no-wait")
    assert Path(".cj").stat().st_mode & 0o777 == 0o700
    assert Path(".cj/.gitignore").read_text() == "*\n"
    # No text and no key of a provider is in the database, only hashes.
    database = sqlite3.connect(Path(".cj") / DATABASE)
    dump = "\n".join(database.iterdump())
    database.close()
    assert "the tide rises" not in dump


def test_a_batch_that_was_only_requested_runs_when_it_is_watched(essays: Path) -> None:
    requested = cj("execute", essays, "--offline", "--no-wait", *QUICK)
    batch_id = requested.stdout.strip()
    assert f"cj watch {batch_id} --offline" in requested.stderr
    assert "INITIALIZING" in cj("status", batch_id, "--offline").stdout
    watched = cj("watch", batch_id, "--offline")
    assert watched.exit_code == DONE, watched.output
    assert "COMPLETED" in cj("status", batch_id, "--offline").stdout


def test_a_cancelled_batch_keeps_what_it_has_and_ends(essays: Path) -> None:
    batch_id = cj("execute", essays, "--offline", "--no-wait", *QUICK).stdout.strip()
    assert cj("cancel", batch_id, "--offline").exit_code == DONE
    watched = cj("watch", batch_id, "--offline")
    assert watched.exit_code == 1
    assert "was cancelled" in watched.stderr


def test_two_processes_never_drive_one_batch(essays: Path) -> None:
    batch_id = cj("execute", essays, "--offline", "--no-wait", *QUICK).stdout.strip()
    with Workspace.open_folder(Path(".cj")) as workspace, workspace.driving(batch_id):
        result: Any = cj("execute", essays, "--offline", "--idempotency-key", "x", *QUICK)
        assert result.exit_code == DONE, "another batch of the workspace may run"
        with pytest.raises(Exception, match="run by another process"), workspace.driving(batch_id):
            pass
