"""Profiles, environment and flags; completion; output that pipes and other programs can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner, Result

from runner.cli import app

DONE, BAD_INPUT, NO_STACK = 0, 2, 3

CONFIG = """
profile = "study"

[profiles.study]
offline = true
workspace = "one"
judge = ["surface"]
config = ["max_waves=1"]

[profiles.other]
offline = true
workspace = "two"
named-after = "path"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with essays, and a configuration of its own."""
    essays = tmp_path / "essays"
    essays.mkdir()
    for number in range(1, 4):
        (essays / f"e{number}.txt").write_text("The tide rises as the moon pulls. " * 2 * number)
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CJ_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


def cj(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner(env={"COLUMNS": "140", **environment}).invoke(app, list(map(str, arguments)))


def count_batches(folder: str, *arguments: str) -> int:
    listed = cj("list", "--offline", "--workspace", folder, "--json", *arguments)
    return len(json.loads(listed.stdout)["batches"])


def test_flags_win_over_the_environment_and_that_over_the_profile(folder: Path) -> None:
    assert cj("execute", "essays", "--no-wait").exit_code == DONE
    assert count_batches("one") == 1
    assert cj("--profile", "other", "execute", "essays", "--no-wait").exit_code == DONE
    assert count_batches("two") == 1
    assert cj("execute", "essays", "--no-wait", CJ_WORKSPACE="three").exit_code == DONE
    assert count_batches("three") == 1
    flagged = cj("execute", "essays", "--no-wait", "--workspace", "four", CJ_WORKSPACE="three")
    assert flagged.exit_code == DONE
    assert (count_batches("three"), count_batches("four")) == (1, 1)
    # A flag also takes back what the profile switches on.
    assert cj("list", "--no-offline", "--local", CJ_PORT="9").exit_code == NO_STACK


def test_without_a_configuration_nothing_changes(folder: Path) -> None:
    listed = cj("list", "--offline", CJ_CONFIG="nowhere.toml")
    assert listed.exit_code == BAD_INPUT
    assert ".cj: holds no batches" in listed.stderr


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("[profiles.a]\nofline = true\n", ["--profile", "a"], "did you mean offline?"),
        ("[profiles.a]\n", ["--profile", "b"], "has no profile 'b'; known are a"),
        ("", ["--profile", "b"], "has no profile 'b'; there are none"),
        ("profile = [", [], "cannot be read"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(
    folder: Path, text: str, arguments: list[str], message: str
) -> None:
    (folder / "config.toml").write_text(text)
    refused = cj(*arguments, "list")
    assert refused.exit_code == BAD_INPUT
    assert message in refused.stderr


def test_the_shell_completes_commands(folder: Path) -> None:
    completed = CliRunner().invoke(
        app,
        prog_name="cj",
        env={"_CJ_COMPLETE": "complete_bash", "COMP_WORDS": "cj wat", "COMP_CWORD": "1"},
    )
    assert completed.stdout.split() == ["watch"]


def test_results_alone_go_to_standard_output_and_nothing_is_coloured_in_a_pipe(
    folder: Path,
) -> None:
    ended = cj("execute", "essays", "--json")
    assert ended.exit_code == DONE, ended.output
    assert json.loads(ended.stdout)["n_students"] == 3
    assert "\x1b" not in ended.output
    batch_id = json.loads(ended.stdout)["batch_id"]
    for command in ("watch", "attention", "status", "results", "comparisons"):
        told = cj(command, batch_id, "--json")
        assert told.exit_code == DONE, told.output
        json.loads(told.stdout)


def test_every_ending_of_a_command_is_documented() -> None:
    told = cj("--help").stdout
    for code in ("0 done", "1 the batch failed", "2 bad input", "3 no stack", "130 interrupted"):
        assert code in " ".join(told.split())


def list_commands(group: TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    """Every command with its name, those of groups too."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from ((f"{name} {inner}", each) for inner, each in list_commands(command))
        elif isinstance(command, TyperCommand):
            yield name, command


def test_every_command_has_json() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    without = [
        name
        for name, command in list_commands(group)
        if not any("--json" in parameter.opts for parameter in command.params)
    ]
    assert without == []
