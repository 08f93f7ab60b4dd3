"""`cj webhooks` against the API's own use cases."""

import json

from typer.testing import CliRunner, Result

from runner.cli import app
from tests.unit.runner.api_server import FakeStack

URL = "https://school.example/events"


def cj(stack: FakeStack, *arguments: str) -> Result:
    words = ["webhooks", *arguments, "--api-url", stack.url]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, words)


def test_a_webhook_is_added_listed_replayed_and_removed(stack: FakeStack) -> None:
    made = cj(stack, "add", URL, "--event", "AssessmentReleased.v1")
    assert made.exit_code == 0, made.output
    webhook_id, secret = made.stdout.split()
    assert stack.webhooks.secrets == {webhook_id: (secret,)}
    (shown,) = json.loads(cj(stack, "list", "--json").stdout)["webhooks"]
    assert (shown["url"], shown["event_types"]) == (URL, ["AssessmentReleased.v1"])
    table = cj(stack, "list").stdout
    assert URL in table
    assert secret not in table
    rotated = cj(stack, "rotate", webhook_id)
    assert rotated.stdout.split() == [webhook_id, stack.webhooks.secrets[webhook_id][0]]
    assert rotated.stdout.split()[1] != secret
    stack.webhooks.n_dead = 3
    replayed = cj(stack, "replay", webhook_id)
    assert "3 sent again" in replayed.stderr
    assert "run it again" in replayed.stderr
    assert cj(stack, "remove", webhook_id).exit_code == 0
    assert not stack.webhooks.stored
    assert not stack.webhooks.secrets
    unknown = cj(stack, "remove", webhook_id)
    assert unknown.exit_code != 0
    assert "no webhook" in unknown.stderr


def test_one_url_is_added_once(stack: FakeStack) -> None:
    assert cj(stack, "add", URL).exit_code == 0
    again = cj(stack, "add", URL)
    assert again.exit_code != 0
    assert "has this url" in again.stderr


def test_an_event_that_there_is_not_is_refused_before_anything_is_sent(stack: FakeStack) -> None:
    refused = cj(stack, "add", URL, "--event", "Nothing.v1")
    assert refused.exit_code == 2
    assert not stack.requests
