"""Essays that no judge will judge, through whole batches: the class keeps its grades."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from assessment.contracts.events import EventType
from assessment.domain.batch import BatchStatus
from assessment.domain.document_keys import result_key
from assessment.domain.judge import estimate_tokens
from assessment.ports.groups import ProgressPorts
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.read_batch import read_batch
from tests.fakes.judges import Habits, make_text
from tests.fakes.loop import Loop, Run
from tests.fakes.world import World, make_essays, spread

DECLINED = "simulated: the provider declined the content"
EXPECTED = [{"essay_id": "essay-01", "reason": "declined_by_provider", "detail": DECLINED}]


def run(world: World, n: int) -> Run:
    batch = world.request(n, config={"max_comparisons_per_essay": 8})
    return Loop(world).run(batch.batch_id)


def read_result(world: World, batch_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(world.content.get_frozen_document(result_key(batch_id)))
    return document


@pytest.mark.parametrize("n", [3, 4, 5, 8, 12, 24])
def test_one_declined_essay_costs_nobody_else_a_result(n: int) -> None:
    world = World(habits=Habits(declines=frozenset({"essay-01"})))
    outcome = run(world, n)
    assert outcome.batch.status is BatchStatus.COMPLETED
    result = read_result(world, outcome.batch.batch_id)
    assert result["not_assessed"] == EXPECTED
    ranked = {ranking["essay_id"] for ranking in result["rankings"]}
    assert ranked == {f"essay-{k:02d}" for k in range(n)} - {"essay-01"}
    assert result["n_students"] == n - 1


def test_no_more_comparisons_are_planned_for_it() -> None:
    world = World(habits=Habits(declines=frozenset({"essay-01"})))
    outcome = run(world, 24)
    known = world.list_comparisons(outcome.batch.batch_id)
    waves = Counter(c.wave for c in known if "essay-01" in (c.first, c.second))
    assert set(waves) == {1}
    others = Counter(e for c in known if c.verdict for e in (c.first, c.second))
    assert min(others.values()) >= 6


def test_everybody_is_told_by_name() -> None:
    world = World(habits=Habits(declines=frozenset({"essay-01"})))
    batch_id = run(world, 12).batch.batch_id
    ports = ProgressPorts(
        batches=world.batches,
        comparisons=world.comparisons,
        content=world.content,
        gate=world.gate,
    )
    progress = read_batch(batch_id, ports=ports)
    assert [entry.model_dump() for entry in progress.not_assessed] == EXPECTED
    for kind in (EventType.COMPLETED, EventType.RESULT_PUBLISHED):
        (event,) = world.events.by_type[kind]
        assert event.data["not_assessed"] == EXPECTED


def test_several_declined_essays_do_not_end_a_class_by_its_success_rate() -> None:
    declined = frozenset({"essay-01", "essay-05", "essay-09", "essay-11"})
    world = World(habits=Habits(declines=declined))
    outcome = run(world, 16)
    assert outcome.batch.status is BatchStatus.COMPLETED
    result = read_result(world, outcome.batch.batch_id)
    assert {entry["essay_id"] for entry in result["not_assessed"]} == declined


def test_an_anchor_is_set_aside_alike() -> None:
    world = World()
    anchors = [
        {"anchor_ref": f"a{k}{copy}", "text": make_text(k - 2.5, f"a{k}{copy}"), "grade": grade}
        for k, grade in enumerate(["F", "E", "D", "C", "B", "A"])
        for copy in "xy"
    ]
    world.register(assignment_id="task", anchors=anchors, grade_scale="swedish_8_anchor")
    batch = world.request(10, assignment_id="task", config={"max_comparisons_per_essay": 8})
    world.prepare(batch.batch_id)
    spec = load_spec(batch.batch_id, content=world.content)
    declined = min(essay.essay_id for essay in spec.anchors)
    world.judge.habits = Habits(declines=frozenset({declined}))
    outcome = Loop(world).run(batch.batch_id)
    assert outcome.batch.status is BatchStatus.COMPLETED
    result = read_result(world, batch.batch_id)
    assert [entry["essay_id"] for entry in result["not_assessed"]] == [declined]
    assert result["n_anchors"] == len(anchors) - 1


def test_a_text_that_fits_no_judge_is_set_aside_before_anything_is_paid() -> None:
    world = World()
    long = "Simulated words without end. " * 1800
    essays = [*make_essays(spread(6)), {"essay_id": "long", "text": long}]
    judge = {"provider": "openai", "model": "small", "context_tokens": 8000}
    batch = world.request(essays, judge=judge)
    prepared = world.prepare(batch.batch_id)
    (entry,) = prepared.not_assessed
    assert (entry.essay_id, entry.reason) == ("long", "does_not_fit")
    assert str(estimate_tokens(long)) in entry.detail
    assert prepared.n_essays == 6
    spec = load_spec(batch.batch_id, content=world.content)
    assert "long" not in {essay.essay_id for essay in spec.essays}


@pytest.mark.parametrize(
    ("habits", "reason"),
    [
        (Habits(refuses=frozenset({"essay-01"})), "request_refused"),
        (Habits(breaks=frozenset({"essay-01"})), "no_verdict"),
        (Habits(silences=frozenset({"essay-01"})), "no_verdict"),
    ],
)
@pytest.mark.parametrize("n", [4, 12])
def test_whatever_keeps_one_essay_from_being_judged_costs_nobody_else(
    n: int, habits: Habits, reason: str
) -> None:
    world = World(habits=habits)
    outcome = run(world, n)
    assert outcome.batch.status is BatchStatus.COMPLETED
    result = read_result(world, outcome.batch.batch_id)
    assert [(e["essay_id"], e["reason"]) for e in result["not_assessed"]] == [("essay-01", reason)]
    assert result["n_students"] == n - 1


def test_a_refusal_of_every_request_is_told_as_the_judges() -> None:
    names = frozenset(f"essay-{k:02d}" for k in range(12))
    world = World(habits=Habits(refuses=names))
    outcome = run(world, 12)
    assert outcome.batch.status is BatchStatus.FAILED
    assert outcome.batch.failure is not None
    assert outcome.batch.failure.code == "judge_refused"
    assert outcome.batch.not_assessed == ()
