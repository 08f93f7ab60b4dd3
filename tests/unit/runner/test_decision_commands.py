"""`cj attention`, `cj decide` and `cj release` against the product's own use cases over HTTP."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from runner.cli import app
from tests.unit.runner.api_server import FakeStack
from tests.unit.runner.documents import BATCH_ID
from tests.unit.runner.office import make_finished_batch

DONE, FAILED, BAD_INPUT = 0, 1, 2


@pytest.fixture
def office(stack: FakeStack) -> FakeStack:
    stack.office = make_finished_batch()
    return stack


def cj(stack: FakeStack, command: str, *arguments: str) -> Result:
    options = ["--api-url", stack.url]
    return CliRunner(env={"COLUMNS": "140"}).invoke(app, [command, BATCH_ID, *arguments, *options])


def test_what_needs_a_person_is_shown(office: FakeStack) -> None:
    shown = cj(office, "attention")
    assert shown.exit_code == DONE, shown.output
    assert "ben" in shown.stdout
    assert "flagged 1: instruction_like" in shown.stdout
    assert "1 of 1 essays" in shown.stderr


def test_a_class_is_decided_on_and_released(office: FakeStack) -> None:
    early = cj(office, "release")
    assert early.exit_code == FAILED
    assert "2 of 2 essays wait for a decision" in early.stderr
    assert "essays[ada]: decide on it" in early.stderr
    confirmed = cj(office, "decide", "ada", "A")
    assert "essay ada: A (A was proposed)" in confirmed.stdout
    refused = cj(office, "decide", "ben", "A")
    assert (refused.exit_code, "reason" in refused.stderr) == (BAD_INPUT, True)
    changed = cj(office, "decide", "ben", "--no-grade", "--reason", "Blank page")
    assert "essay ben: no grade (C was proposed)" in changed.stdout
    released = cj(office, "release")
    assert released.exit_code == DONE, released.output
    assert "is released by tests" in released.stdout
    again = cj(office, "release")
    assert (again.exit_code, "tests released the grades" in again.stderr) == (FAILED, True)


def test_a_release_without_decisions_is_asked_for_by_name(office: FakeStack) -> None:
    assert cj(office, "release", "--without-decisions").exit_code == DONE


@pytest.mark.parametrize("arguments", [("ada",), ("ada", "A", "--no-grade")])
def test_a_decision_is_a_grade_or_none(office: FakeStack, arguments: tuple[str, ...]) -> None:
    assert cj(office, "decide", *arguments).exit_code == BAD_INPUT


@pytest.mark.parametrize("essay_id", ["zoe", "o'neil, pat (2)", "Åsa Öberg", "a/b"])
def test_an_unknown_essay_or_grade_is_named(office: FakeStack, essay_id: str) -> None:
    unknown = cj(office, "decide", essay_id, "A")
    assert unknown.exit_code == BAD_INPUT, unknown.output
    assert cj(office, "decide", "ada", "Z").exit_code == BAD_INPUT


def test_the_second_of_two_assessors_is_awaited(
    stack: FakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.office = make_finished_batch(two_assessors=True)
    assert "waits for a second assessor" in cj(stack, "decide", "ada", "A").stdout
    monkeypatch.setenv("CJ_TOKEN", stack.token(subject="bo"))
    disagreed = cj(stack, "decide", "ada", "C", "--reason", "Too long")
    assert "its assessors disagree" in disagreed.stdout
