"""Preparing and planning: each run twice is run once, wherever the first run died."""

from __future__ import annotations

import pytest

from assessment.domain.batch import BatchStatus
from assessment.domain.comparison import ComparisonStatus
from assessment.domain.errors import UnknownAssignmentError
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.wave_documents import load_plan
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.conftest import Started, plan_batch, submit_batch
from tests.unit.assessment.crashes import crash_everywhere

ANCHORS = [
    {"anchor_ref": f"r{i}", "grade": grade, "text": f"Simulated anchor r{i} of quality {i}.0"}
    for i, grade in enumerate("FDBA")
]


def test_preparing_brings_students_and_anchors_together(world: World) -> None:
    world.register(assignment_id="x", anchors=ANCHORS, judge_rubric="R")
    batch_id = world.request(4, assignment_id="x").batch_id
    batch = world.prepare(batch_id)
    spec = load_spec(batch_id, content=world.content)
    assert (batch.status, batch.essays, batch.anchors) == (BatchStatus.GENERATING_PAIRS, 4, 4)
    assert {anchor.grade for anchor in spec.anchors} == set("FDBA")
    assert all(anchor.essay_id.startswith("ANCHOR_r") for anchor in spec.anchors)
    assert spec.instructions.judge_rubric == "R"
    assert batch.spec_hash == spec.spec_hash


def test_later_registrations_do_not_reach_a_prepared_batch(world: World) -> None:
    world.register(assignment_id="x", anchors=ANCHORS)
    batch_id = world.request(4, assignment_id="x").batch_id
    prepared = world.prepare(batch_id)
    world.register(assignment_id="x", anchors=[{**ANCHORS[0], "grade": "E"}])
    assert world.prepare(batch_id) == prepared
    spec = load_spec(batch_id, content=world.content)
    assert {anchor.grade for anchor in spec.anchors} == set("FDBA")


def test_an_assignment_that_vanished_is_named(world: World) -> None:
    world.register(assignment_id="x", anchors=ANCHORS)
    batch_id = world.request(4, assignment_id="x").batch_id
    world.assignments.assignments.clear()
    with pytest.raises(UnknownAssignmentError, match="'x'"):
        world.prepare(batch_id)


def test_planning_twice_gives_the_stored_plan(planned: Started) -> None:
    world, batch_id = planned.world, planned.batch_id
    before = world.list_comparisons(batch_id)
    world.clock.forward(60)
    assert world.plan(batch_id) == planned.wave
    assert world.list_comparisons(batch_id) == before
    assert world.batches.get_batch(batch_id).wave == 1
    assert len(before) == planned.wave.n_planned == 12


def test_a_cancelled_batch_plans_nothing_and_stores_nothing(world: World) -> None:
    batch_id = world.request(6).batch_id
    world.cancel(batch_id)
    wave = world.plan(batch_id)
    assert (wave.n_planned, wave.wave) == (0, 1)
    assert not world.batches.waves
    prepared = plan_batch(world)
    world.cancel(prepared.batch_id)
    assert world.plan(prepared.batch_id).n_planned == 0


def second_wave(world: World) -> Started:
    """A batch that plans its second wave, with failures to be retried."""
    started = submit_batch(world, 6)
    for position, comparison in enumerate(world.list_comparisons(started.batch_id)):
        error = {"code": "overloaded", "message": "later"} if position < 3 else None
        body = callback_body(
            comparison,
            started.batch_id,
            winner=None if error else ("A" if position % 2 else "B"),
            error_detail=error,
        )
        world.record(body)
    # Three of twelve failed: the success rate is below its threshold, so the loop goes on.
    world.score(started.batch_id, 1)
    return started


@pytest.mark.parametrize("after", [False, True])
def test_preparing_survives_a_crash_at_any_call(*, after: bool) -> None:
    def start() -> tuple[World, str]:
        world = World()
        world.register(assignment_id="x", anchors=ANCHORS)
        return world, world.request(4, key="k", assignment_id="x").batch_id

    calm, batch_id = start()
    expected = calm.prepare(batch_id)
    for world, survived in crash_everywhere(
        start, lambda state, fault: state[0].prepare(state[1], fault), after=after
    ):
        assert world.batches.get_batch(survived) == expected
        assert world.content.documents == calm.content.documents


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wave", [1, 2])
def test_planning_survives_a_crash_at_any_call(wave: int, *, after: bool) -> None:
    def start() -> tuple[World, str]:
        world = World()
        if wave == 2:
            return world, second_wave(world).batch_id
        batch_id = world.request(6, key="first").batch_id
        world.prepare(batch_id)
        return world, batch_id

    calm, batch_id = start()
    expected = calm.plan(batch_id)
    assert bool(expected.n_retried) is (wave == 2)
    for world, survived in crash_everywhere(
        start, lambda state, fault: state[0].plan(state[1], fault), after=after
    ):
        assert world.batches.get_wave(survived, wave) == expected
        assert world.list_comparisons(survived) == calm.list_comparisons(batch_id)
        assert world.batches.get_batch(survived) == calm.batches.get_batch(batch_id)


def test_retried_comparisons_keep_pairing_and_order_and_count_one_attempt(world: World) -> None:
    started = second_wave(world)
    before = {c.comparison_id: c for c in world.list_comparisons(started.batch_id)}
    wave = world.plan(started.batch_id)
    retried = load_plan(wave, content=world.content).retried
    assert len(retried) == wave.n_retried == 3
    for comparison in world.list_comparisons(started.batch_id):
        earlier = before.get(comparison.comparison_id)
        if comparison.comparison_id in retried and earlier:
            assert (comparison.first, comparison.second) == (earlier.first, earlier.second)
            assert (comparison.attempt, comparison.submitted_wave) == (2, 2)
            assert comparison.status is ComparisonStatus.PENDING


def test_a_verdict_that_came_before_its_retry_is_kept(world: World) -> None:
    started = second_wave(world)
    failed = next(
        c for c in world.list_comparisons(started.batch_id) if c.status is ComparisonStatus.FAILED
    )
    wave_plan = world.plan(started.batch_id, None)
    world.record(callback_body(failed, started.batch_id))
    kept = world.comparisons.get_comparison(started.batch_id, 1, failed.comparison_id)
    assert failed.comparison_id in load_plan(wave_plan, content=world.content).retried
    assert kept.status is ComparisonStatus.RECORDED
    # Planning again does not put it back.
    world.plan(started.batch_id)
    again = world.comparisons.get_comparison(started.batch_id, 1, failed.comparison_id)
    assert again == kept


def test_caps_bound_the_plan(world: World) -> None:
    started = plan_batch(world, 6, max_pairwise_comparisons=5)
    assert started.wave.n_planned == 5


def test_an_exhausted_batch_plans_an_empty_wave_and_is_scored(world: World) -> None:
    started = submit_batch(world, 6, max_pairwise_comparisons=12)
    world.answer_all()
    while world.callback_queue.messages:
        world.clock.forward(1000)
        world.record(world.callback_queue.messages.pop(0).body)
    world.score(started.batch_id, 1)
    world.batches.transition(started.batch_id, BatchStatus.GENERATING_PAIRS, now=world.now)
    assert world.plan(started.batch_id).n_planned == 0
    assert world.batches.get_batch(started.batch_id).status is BatchStatus.SCORING
