"""`cj instructions`, `cj prompts`, `cj anchors` and `cj batches`."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from assessment.domain.essay import Anchor
from runner.cli import app
from tests.unit.runner.api_server import FakeStack

DONE, REFUSED = 0, 1


def cj(stack: FakeStack, *arguments: str | Path) -> Result:
    words = [*map(str, arguments), "--api-url", stack.url]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, words)


def test_instructions_are_set_shown_listed_and_deleted(stack: FakeStack, tmp_path: Path) -> None:
    rubric = tmp_path / "rubric.txt"
    rubric.write_text("Prefer the better argued text.")
    for name in ("uppsats:åk9", "zebra"):
        done = cj(stack, "instructions", "set", name, "--rubric", rubric, "--config", "max_waves=3")
        assert done.exit_code == DONE, done.output
    shown = json.loads(cj(stack, "instructions", "show", "uppsats:åk9").stdout)
    assert (shown["judge_rubric"], shown["config"]) == (rubric.read_text(), {"max_waves": 3})
    listed = json.loads(cj(stack, "instructions", "list", "--json").stdout)["assignments"]
    assert [one["assignment_id"] for one in listed] == ["uppsats:åk9", "zebra"]
    assert cj(stack, "instructions", "delete", "zebra").exit_code == DONE
    table = cj(stack, "instructions", "list").stdout
    assert "uppsats:åk9" in table
    assert "zebra" not in table
    gone = cj(stack, "instructions", "show", "zebra")
    assert gone.exit_code != DONE
    assert "nothing is registered for 'zebra'" in gone.stderr


def test_a_prompt_waits_for_its_assignment(stack: FakeStack, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Should bottles be banned?")
    refused = cj(stack, "prompts", "set", "x", prompt)
    assert refused.exit_code != DONE
    assert "nothing is registered for 'x'" in refused.stderr
    assert cj(stack, "instructions", "set", "x").exit_code == DONE
    assert cj(stack, "prompts", "set", "x", prompt).exit_code == DONE
    assert cj(stack, "prompts", "show", "x").stdout.strip() == prompt.read_text()


def test_anchors_are_listed_and_removed(stack: FakeStack) -> None:
    assert cj(stack, "instructions", "set", "x").exit_code == DONE
    known = stack.registry.assignments["x"]
    anchors = [Anchor(anchor_ref=ref, grade="C", text_sha256=ref * 64) for ref in ("a", "b")]
    stack.registry.put_assignment(known.model_copy(update={"anchors": anchors}))
    listed = json.loads(cj(stack, "anchors", "list", "x", "--json").stdout)["anchors"]
    assert [(one["anchor_ref"], one["grade"]) for one in listed] == [("a", "C"), ("b", "C")]
    assert cj(stack, "anchors", "remove", "x", "a").exit_code == DONE
    table = cj(stack, "anchors", "list", "x").stdout
    assert "a" * 64 not in table
    assert "b" * 64 in table
    again = cj(stack, "anchors", "remove", "x", "a")
    assert again.exit_code != DONE
    assert "has no anchor 'a'" in again.stderr


def test_batches_have_their_commands_under_one_name(stack: FakeStack) -> None:
    assert json.loads(cj(stack, "batches", "list", "--json").stdout) == {"batches": []}
    help_text = CliRunner().invoke(app, ["batches", "--help"]).stdout
    assert all(name in help_text for name in ("list", "status", "results", "cancel", "redrive"))
