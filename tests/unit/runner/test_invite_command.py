"""`cj invite` against the API's own use cases."""

import json
from datetime import UTC, datetime

from typer.testing import CliRunner, Result

from runner.cli import app
from tests.unit.runner.api_server import FakeStack

BATCH = "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10"


def cj(stack: FakeStack, *arguments: str) -> Result:
    words = ["invite", BATCH, *arguments, "--api-url", stack.url]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, words)


def test_links_are_printed_once_and_progress_is_listed(stack: FakeStack) -> None:
    made = cj(stack, "Ann (Åberg)", "Bo", "--quota", "3")
    assert made.exit_code == 0, made.output
    rows = [line.split("  ") for line in made.stdout.splitlines()]
    assert [name for _, name in rows] == ["Ann (Åberg)", "Bo"]
    assert all(link.startswith(f"{stack.url}/app/#invitation=") for link, _ in rows)
    listed = json.loads(cj(stack, "--json").stdout)["invitations"]
    assert [(one["name"], one["quota"], one["n_judged"]) for one in listed] == [
        ("Ann (Åberg)", 3, 0), ("Bo", 3, 0),
    ]  # fmt: skip
    revoked = cj(stack, "--revoke", listed[0]["invitation_id"])
    assert revoked.exit_code == 0, revoked.output
    assert "revoked" in revoked.stdout
    assert f"{datetime.now(UTC):%Y}" in revoked.stdout
    unknown = cj(stack, "--revoke", "f" * 16)
    assert unknown.exit_code != 0
    assert "has no invitation" in unknown.stderr


def test_a_name_twice_is_refused_before_anything_is_sent(stack: FakeStack) -> None:
    refused = cj(stack, "Bo", "Bo")
    assert refused.exit_code == 2
    assert not stack.requests


def test_a_deadline_moves_to_the_end_of_a_day(stack: FakeStack) -> None:
    words = ["deadline", BATCH, "2030-01-15", "--api-url", stack.url]
    moved = CliRunner().invoke(app, words)
    assert moved.exit_code == 0, moved.output
    assert "until 2030-01-15 23:59" in moved.stderr
    assert "2 open invitations end before that" in moved.stderr
