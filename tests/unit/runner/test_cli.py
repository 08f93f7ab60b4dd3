"""The commands from their options to their output and exit code, against a stack over HTTP."""

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assessment.domain.access import Role
from runner.cli import app
from tests.fakes.tokens import read_caller
from tests.unit.runner import documents
from tests.unit.runner.api_server import SECRET, FakeStack

FINALISED, BATCH_FAILED, BAD_INPUT, NO_STACK = 0, 1, 2, 3


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "140"}).invoke(app, list(map(str, arguments)))


def execute(stack: FakeStack, folder: Path, *arguments: str | Path) -> Result:
    output = ("--output", folder.parent / "out" / "result.json")
    return cj("execute", folder, "--api-url", stack.url, *output, *arguments)


@pytest.fixture
def anchors(folder: Path) -> Path:
    return folder.parent / "anchors.csv"


@pytest.fixture
def batch_id(stack: FakeStack, folder: Path) -> str:
    """A batch that has been started."""
    started = execute(stack, folder, "--no-wait")
    assert started.exit_code == FINALISED, started.output
    return started.stdout.strip()


def test_a_folder_becomes_a_ranking_with_grades(stack: FakeStack, folder: Path, anchors: Path):
    result = execute(stack, folder, "--anchors", anchors, "--config", "seed=7")
    assert result.exit_code == FINALISED, result.output
    assert re.search(r"1 +ada +\+1\.25 ± 0\.40 .* A +HIGH", result.stdout)
    assert "wave 1 scored: 5 of 6 verdicts" in result.stderr
    written = json.loads((folder.parent / "out" / "result.json").read_text())
    (batch_id,) = stack.batches
    assert written == documents.result(batch_id=batch_id)
    (registration,) = stack.assignments.values()
    request = stack.batches[batch_id]
    assert request.assignment_id == registration.assignment_id
    assert request.config == {"seed": 7}
    assert [essay.essay_id for essay in request.essays] == ["ada", "ben"]


def test_without_anchors_nothing_is_registered(stack: FakeStack, folder: Path):
    assert execute(stack, folder).exit_code == FINALISED
    assert stack.assignments == {}


def test_a_failed_batch_says_why_and_what_to_do(stack: FakeStack, folder: Path):
    stack.script, stack.result = [documents.make_failed_batch()], None
    result = execute(stack, folder)
    assert result.exit_code == BATCH_FAILED
    assert "the verdicts carry no order" in result.stderr
    assert "What to do: use another judge" in result.stderr
    assert not (folder.parent / "out" / "result.json").exists()


def test_bad_input_costs_nothing(stack: FakeStack, folder: Path, anchors: Path):
    anchors.write_text("anchor_ref,grade,text\none,Q,A secret anchor\n")
    result = execute(stack, folder, "--anchors", anchors, "--config", "seeds=1")
    assert result.exit_code == BAD_INPUT
    assert "anchors.csv, row 2, grade: 'Q' is not on the scale" in result.stderr
    assert "--config seeds" in result.stderr
    assert "secret" not in result.output
    assert stack.requests == []


def test_the_judges_that_are_named_are_asked_for(stack: FakeStack, folder: Path):
    jury = ("--judge", "openai/gpt-4.1-mini,name=a", "--judge", "anthropic/claude-haiku-4-5")
    result = execute(stack, folder, *jury, "--no-wait")
    assert result.exit_code == FINALISED, result.output
    (request,) = stack.batches.values()
    assert [judge["provider"] for judge in request.judge] == ["openai", "anthropic"]
    assert request.judge[0]["name"] == "a"


def test_a_judge_that_cannot_be_asked_costs_nothing(stack: FakeStack, folder: Path):
    result = execute(stack, folder, "--judge", "openai/m,batching_mode=batch")
    assert result.exit_code == BAD_INPUT
    assert "--judge.batching_mode" in result.stderr
    assert stack.requests == []


def test_a_grade_that_only_the_stack_can_refuse_is_found_in_the_file(
    stack: FakeStack, folder: Path, anchors: Path
):
    anchors.write_text("anchor_ref,grade,text\none,Distinction,tides\n")
    result = execute(stack, folder, "--anchors", anchors, "--assignment", "unit")
    assert result.exit_code == BAD_INPUT
    assert "anchors.csv, row 2, grade: 'Distinction' is not on the scale" in result.stderr


def test_an_output_that_cannot_be_written_is_refused_first(stack: FakeStack, folder: Path):
    result = execute(stack, folder, "--output", folder)
    assert result.exit_code == BAD_INPUT
    assert "--output: is a folder" in result.stderr
    assert stack.requests == []


def test_an_unknown_assignment(stack: FakeStack, folder: Path):
    result = execute(stack, folder, "--assignment", "nowhere")
    assert result.exit_code == BAD_INPUT
    assert "nothing is registered for 'nowhere'" in result.stderr


def test_the_same_key_finds_the_same_batch(stack: FakeStack, folder: Path):
    first, second = (
        execute(stack, folder, "--no-wait", "--idempotency-key", "k").stdout for _ in range(2)
    )
    assert first == second
    assert execute(stack, folder, "--no-wait").stdout != first


def test_a_request_without_answer_says_how_to_find_the_batch(
    stack: FakeStack, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    stack.interruptions = [500]
    result = execute(stack, folder, "--idempotency-key", "mine")
    assert result.exit_code == NO_STACK
    assert "--idempotency-key mine" in result.stderr


def test_a_token_that_expires_on_the_way_leaves_the_batch(stack: FakeStack, folder: Path):
    stack.questions_before_expiry = 2
    result = execute(stack, folder)
    assert result.exit_code == NO_STACK
    (batch_id,) = stack.batches
    assert f"cj status {batch_id} --wait" in result.stderr


def test_no_stack(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CJ_TOKEN", "t")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = cj("execute", folder, "--api-url", f"http://127.0.0.1:{port}")
    assert result.exit_code == NO_STACK
    assert "does not answer" in result.stderr


@pytest.mark.parametrize("token", ["", "wrong.signed.token"])
def test_no_access(stack: FakeStack, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str):
    monkeypatch.setenv("CJ_TOKEN", token)
    result = execute(stack, folder)
    assert result.exit_code == NO_STACK
    assert "cj token" in result.stderr
    assert "wrong.signed.token" not in result.output


def test_the_laptop_cloud_needs_nothing_but_its_port(
    stack: FakeStack, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CJ_TOKEN")
    monkeypatch.setenv("CJ_PORT", str(stack.port))
    output = folder.parent / "result.json"
    # prior_sd is an administrator's: the token that --admin mints must say so.
    options = ("--local", "--output", output, "--config", "prior_sd=1.5")
    refused = cj("execute", folder, *options)
    assert refused.exit_code == NO_STACK
    assert "config.prior_sd" in refused.stderr
    assert "--admin" in refused.stderr
    result = cj("execute", folder, *options, "--admin")
    assert result.exit_code == FINALISED, result.output
    other = cj("execute", folder, *options, "--stack", "cj-other")
    assert other.exit_code == NO_STACK
    assert "there is no stack cj-other" in other.stderr


def test_status_of_a_running_and_an_ended_batch(stack: FakeStack, batch_id: str):
    at = ("--api-url", stack.url)
    assert "INITIALIZING: preparing the essays" in cj("status", batch_id, *at).stdout
    waited = cj("status", batch_id, "--wait", *at)
    assert waited.exit_code == FINALISED
    assert "outcome COMPLETE_STABLE" in waited.stdout
    stack.script = [documents.make_failed_batch()]
    assert cj("status", batch_id, *at).exit_code == FINALISED
    failed = cj("status", batch_id, "--wait", *at)
    assert failed.exit_code == BATCH_FAILED
    assert "use another judge" in failed.stderr


@pytest.mark.parametrize("command", ["status", "results", "cancel"])
def test_batches_that_do_not_exist(stack: FakeStack, command: str):
    unknown = cj(command, documents.BATCH_ID, "--api-url", stack.url)
    assert unknown.exit_code == BAD_INPUT
    assert f"there is no batch {documents.BATCH_ID}" in unknown.stderr
    malformed = cj(command, "not-a-uuid", "--api-url", stack.url)
    assert malformed.exit_code == BAD_INPUT
    assert "lower-case UUID" in malformed.stderr


def test_results_as_table_json_and_csv(stack: FakeStack, batch_id: str, tmp_path: Path):
    at = ("--api-url", stack.url)
    assert "+1.25 ± 0.40" in cj("results", batch_id, *at).stdout
    document = json.loads(cj("results", batch_id, *at, "--format", "json").stdout)
    assert document == documents.result(batch_id=batch_id)
    text = cj("results", batch_id, *at, "--format", "csv").stdout
    assert [row["rank"] for row in csv.DictReader(io.StringIO(text))] == list("1234")
    assert cj("results", batch_id, *at, "--output", tmp_path / "r.csv").exit_code == FINALISED
    assert (tmp_path / "r.csv").read_text() == text


def test_results_that_are_not_there_yet(stack: FakeStack, batch_id: str):
    stack.result = None
    result = cj("results", batch_id, "--api-url", stack.url)
    assert result.exit_code == BATCH_FAILED
    assert "ask again when its status is COMPLETED" in result.stderr


def test_cancelling(stack: FakeStack, batch_id: str):
    stack.result = None
    cancelled = cj("cancel", batch_id, "--api-url", stack.url)
    assert cancelled.exit_code == FINALISED
    assert "CANCELLED" in cancelled.stdout
    stack.result = documents.result()
    assert cj("cancel", batch_id, "--api-url", stack.url).exit_code == BATCH_FAILED


def test_registering_anchors_prints_the_assignment(stack: FakeStack, anchors: Path):
    options = ("--assignment", "tides", "--config", "max_waves=3", "--api-url", stack.url)
    result = cj("register-anchors", anchors, *options)
    assert result.exit_code == FINALISED
    assert result.stdout == "tides\n"
    registered = stack.assignments["tides"]
    assert [anchor.anchor_ref for anchor in registered.anchors] == ["one", "two"]
    assert registered.config == {"max_waves": 3}


def test_anchors_are_masked_where_a_roster_is_given(
    stack: FakeStack, anchors: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "names.txt"
    roster.write_text("Alma Quist\n\nBo Ek\n")
    options = ("--assignment", "tides", "--roster", roster, "--api-url", stack.url)
    assert cj("anchors", "register", anchors, *options).exit_code == FINALISED
    masking = stack.assignments["tides"].masking
    assert masking is not None
    assert list(masking.names) == ["Alma Quist", "Bo Ek"]


def test_the_rooms_are_opened_by_a_link_with_a_token(
    stack: FakeStack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CJ_PORT", str(stack.port))
    opened: list[str] = []

    def open_url(link: str) -> bool:
        opened.append(link)
        return True

    monkeypatch.setattr("webbrowser.open", open_url)
    result = cj("open", "b-1", "--local", "--subject", "ada", "--admin")
    assert result.exit_code == FINALISED, result.output
    link = result.stdout.strip()
    assert opened == [link]
    address, _, fragment = link.partition("#")
    assert address == f"{stack.url.rstrip('/')}/app/"
    token = fragment.removeprefix("token=").removesuffix("&open=/batch/b-1")
    caller = read_caller(token, SECRET)
    assert (caller.subject, caller.roles) == ("ada", frozenset({Role.ADMIN}))
    printed = cj("open", "--local", "--print")
    assert printed.stdout.strip().endswith("&open=/")
    assert len(opened) == 1


def test_a_token_is_all_that_is_printed(stack: FakeStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CJ_PORT", str(stack.port))
    result = cj("token", "--local", "--admin", "--subject", "ada")
    assert result.exit_code == FINALISED
    caller = read_caller(result.stdout.strip(), SECRET)
    assert (caller.subject, caller.roles, caller.organisation) == (
        "ada", frozenset({Role.ADMIN}), "default",
    )  # fmt: skip
    assert result.stderr == ""
    by_arn = cj("token", "--local", "--secret-arn", "any")
    assert read_caller(by_arn.stdout.strip(), SECRET).roles == {Role.ASSESSOR}
    of_a_school = ("--role", "judge", "--batch", "b-1", "--organisation", "north-school")
    judge = read_caller(cj("token", "--local", *of_a_school).stdout.strip(), SECRET)
    assert (judge.roles, judge.batch_id, judge.organisation) == (
        frozenset({Role.JUDGE}), "b-1", "north-school",
    )  # fmt: skip
    assert "--batch" in cj("token", "--local", "--role", "judge").stderr


def test_version_and_help():
    assert re.fullmatch(r"cj \d+\.\d+\.\d+\n", cj("--version").stdout)
    text = cj("--help").stdout
    commands = ("execute", "status", "results", "cancel", "register-anchors", "token", "fit")
    for command in commands:
        assert command in text
        assert cj(command, "--help").exit_code == FINALISED


def test_interrupting_leaves_the_batch_and_says_how_to_come_back(stack: FakeStack, folder: Path):
    stack.script = [documents.progress("SCORING")]
    # A shell's background process inherits an ignored SIGINT; a person's Ctrl-C never meets one.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from runner.cli import app; app()"
    )
    command = [sys.executable, "-c", code, "execute", str(folder)]
    command += ["--api-url", stack.url, "--output", str(folder.parent / "result.json")]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        try:
            assert stack.asked.wait(timeout=60)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    (batch_id,) = stack.batches
    assert process.returncode == 130
    assert f"cj status {batch_id} --wait --api-url {stack.url}" in stderr
    assert f"cj cancel {batch_id}" in stderr
    assert "Traceback" not in stderr
    assert stack.calls("POST", "/cancel") == []


def test_a_failed_batch_goes_on(stack: FakeStack, batch_id: str):
    stack.script = [documents.make_failed_batch()]
    resumed = cj("redrive", batch_id, "--api-url", stack.url)
    assert resumed.exit_code == FINALISED, resumed.output
    assert f"batch {batch_id} is SCORING" in resumed.stdout
    assert "cj status" in resumed.stderr
    assert cj("status", batch_id, "--wait", "--api-url", stack.url).exit_code == FINALISED
    refused = cj("redrive", batch_id, "--api-url", stack.url)
    assert refused.exit_code == BATCH_FAILED
    assert "cannot be resumed" in refused.stderr
