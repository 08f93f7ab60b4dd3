"""The first commands after the demo: who judges, with which key, and what is said if nobody can."""

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runner.cli import app
from tests.unit.runner.api_server import FakeStack

BAD_INPUT, NO_STACK = 2, 3


def cj(*arguments: str | Path, standard_input: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "140"}).invoke(
        app, list(map(str, arguments)), input=standard_input
    )


@pytest.fixture
def laptop(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    """A laptop cloud with the demo's judge, as `make demo` leaves it."""
    monkeypatch.setenv("CJ_PORT", str(stack.port))
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    stack.judge_url = f"http://127.0.0.1:{stack.port}/judge"
    stack.known_texts = ["A sample text.", "Another sample text."]
    return stack


def execute(folder: Path, *arguments: str | Path) -> Result:
    return cj("execute", folder, "--local", "-o", folder.parent / "result.json", *arguments)


def test_texts_that_the_demos_judge_cannot_know_are_refused_before_anything_is_stored(
    laptop: FakeStack, folder: Path
):
    refused = execute(folder, "--anchors", folder.parent / "anchors.csv")
    assert refused.exit_code == BAD_INPUT
    assert "knows only its 2 sample texts; 4 of these 4 are others" in refused.stderr
    for choice in ("openai/gpt-4.1-mini", "anthropic/", "cj key set openai --local", "person"):
        assert choice in refused.stderr
    assert (laptop.assignments, laptop.batches) == ({}, {})


def test_the_samples_texts_need_no_judge(laptop: FakeStack, folder: Path):
    laptop.known_texts = [path.read_text() for path in folder.iterdir()]
    assert execute(folder).exit_code == 0


def test_another_endpoint_on_this_machine_judges_what_it_likes(laptop: FakeStack, folder: Path):
    laptop.judge_url = f"http://127.0.0.1:{laptop.port}/elsewhere"
    assert execute(folder).exit_code == 0


def test_an_own_judge_that_does_not_answer_is_told_at_once(laptop: FakeStack, folder: Path):
    laptop.judge_url = "http://127.0.0.1:9"
    refused = execute(folder)
    assert refused.exit_code == BAD_INPUT
    assert "at http://127.0.0.1:9 does not answer (ConnectError)" in refused.stderr


def test_a_key_in_the_environment_is_given_to_the_laptop_cloud(
    laptop: FakeStack, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    done = execute(folder, "--judge", "openai/gpt-4.1-mini")
    assert done.exit_code == 0, done.output
    assert laptop.keys == {"cj-local/judge/openai": "sk-secret"}
    assert "the key of OPENAI_API_KEY" in done.stderr
    assert "sk-secret" not in done.output
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    assert execute(folder, "--judge", "openai/gpt-4.1-mini").exit_code == 0
    assert laptop.keys == {"cj-local/judge/openai": "sk-other"}


def test_a_key_is_not_given_to_a_judge_that_has_its_own(
    laptop: FakeStack, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    judge = "openai/llama3.1:8b,base_url=http://127.0.0.1:11434/v1"
    assert execute(folder, "--judge", judge).exit_code == 0
    assert laptop.keys == {}


@pytest.mark.parametrize("name", ["openai", "anthropic", "my-azure"])
def test_a_key_is_set_from_standard_input(laptop: FakeStack, name: str):
    stored = cj("key", "set", name, "--local", standard_input="sk-from-a-file\n")
    assert stored.exit_code == 0, stored.output
    assert laptop.keys == {f"cj-local/judge/{name}": "sk-from-a-file"}
    assert "sk-from" not in stored.output


def test_a_key_is_set_from_the_environment(laptop: FakeStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant")
    assert cj("key", "set", "anthropic", "--local").exit_code == 0
    assert laptop.keys == {"cj-local/judge/anthropic": "sk-ant"}


def test_an_empty_key_is_refused(laptop: FakeStack):
    assert cj("key", "set", "openai", "--local", standard_input="\n").exit_code == BAD_INPUT
    assert laptop.keys == {}


def test_what_is_saved_has_the_hash_that_is_announced(laptop: FakeStack, folder: Path):
    laptop.known_texts = [path.read_text() for path in folder.iterdir()]
    done = execute(folder)
    saved = (folder.parent / "result.json").read_bytes()
    assert f"SHA-256 {hashlib.sha256(saved).hexdigest()}" in done.stderr.replace("\n", "")
    announced = "0" * 64
    laptop.script = [laptop.script[-1].model_copy(update={"result_sha256": announced})]
    refused = execute(folder)
    assert refused.exit_code == NO_STACK
    assert announced in refused.stderr
