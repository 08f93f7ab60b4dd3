"""The deadline of a wave: too early, at its time, and verdicts that come after it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from assessment.usecases.record_callback import CallbackEffect
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.conftest import WAVE_TIMEOUT, Started, submit_batch
from tests.unit.assessment.usecases.callbacks import PERMANENT, S, again, find_first, take_deadline


def test_an_early_deadline_is_postponed_and_closes_nothing(submitted: Started) -> None:
    world = submitted.world
    body = take_deadline(submitted)
    world.clock.forward(WAVE_TIMEOUT - 100)
    assert world.record(body).effect is CallbackEffect.DEADLINE_POSTPONED
    assert not submitted.closed
    [postponed] = [m for m in world.callback_queue.messages if "WaveDeadlineV1" in m.body]
    left = (postponed.visible_at - world.now).total_seconds()
    assert 100 <= left <= 102


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_deadline_that_is_not_the_stored_one_closes_nothing(
    submitted: Started, hours: int
) -> None:
    world = submitted.world
    forged = json.loads(take_deadline(submitted))
    forged["deadline"] = (world.now + timedelta(hours=hours)).isoformat()
    before, waiting = world.list_comparisons(submitted.batch_id), len(world.callback_queue.messages)
    assert world.record(json.dumps(forged)).effect is CallbackEffect.DEADLINE_POSTPONED
    assert world.list_comparisons(submitted.batch_id) == before
    assert len(world.callback_queue.messages) == waiting
    assert not submitted.closed


def test_a_kept_deadline_settles_what_is_outstanding(submitted: Started) -> None:
    world, known = submitted.world, submitted.world.list_comparisons(submitted.batch_id)
    for comparison in known[:5]:
        world.record(callback_body(comparison, submitted.batch_id))
    world.clock.forward(WAVE_TIMEOUT + 1)
    assert world.record(take_deadline(submitted)).effect is CallbackEffect.DEADLINE_KEPT
    tally = world.tally(submitted.batch_id)
    assert (tally.recorded, tally.failed, tally.pending) == (5, len(known) - 5, 0)
    assert again(submitted, known[-1]).status is S.TIMED_OUT
    output = world.workflow.tokens[submitted.token].output
    assert output is not None
    assert output["closed_by"] == "deadline"


def test_a_deadline_of_a_wave_that_is_scored_or_unknown_does_nothing(
    submitted: Started,
) -> None:
    world, known = submitted.world, submitted.world.list_comparisons(submitted.batch_id)
    body = take_deadline(submitted)
    for comparison in known:
        world.record(callback_body(comparison, submitted.batch_id))
    world.score(submitted.batch_id, 1)
    before = (
        world.list_comparisons(submitted.batch_id),
        world.batches.get_wave(submitted.batch_id, 1),
    )
    world.record(body)  # early: it is not sent round again
    assert not world.callback_queue.messages
    world.clock.forward(WAVE_TIMEOUT + 1)
    world.record(body)
    world.record(json.dumps({**json.loads(body), "wave": 9}))
    assert (
        world.list_comparisons(submitted.batch_id),
        world.batches.get_wave(submitted.batch_id, 1),
    ) == before


def test_a_verdict_after_its_time_out_is_recorded_and_spares_the_retry(
    submitted: Started,
) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.clock.forward(WAVE_TIMEOUT + 1)
    world.record(take_deadline(submitted))
    world.score(submitted.batch_id, 1)
    world.plan(submitted.batch_id)
    world.workflow.issue("second")
    world.submit(submitted.batch_id, 2, "second")
    assert comparison.comparison_id in world.comparisons.list_pending(submitted.batch_id, 2)
    recorded = world.record(callback_body(comparison, submitted.batch_id))
    assert recorded.effect is CallbackEffect.VERDICT_RECORDED
    assert comparison.comparison_id not in world.comparisons.list_pending(submitted.batch_id, 2)
    world.judge_queue.messages = [
        m for m in world.judge_queue.messages if comparison.comparison_id in m.body
    ]
    world.answer_all()
    assert world.judge.asked == []


def test_a_late_verdict_between_marking_and_submitting_leaves_no_mark(world: World) -> None:
    started = submit_batch(world)
    comparison = find_first(started)
    world.clock.forward(WAVE_TIMEOUT + 1)
    world.record(take_deadline(started))
    world.score(started.batch_id, 1)
    world.plan(started.batch_id)
    put = world.comparisons.put_pending

    def late(*args: Any) -> None:
        world.record(callback_body(comparison, started.batch_id))
        put(*args)

    world.comparisons.put_pending = late  # type: ignore[method-assign, assignment]
    world.workflow.issue("second")
    world.submit(started.batch_id, 2, "second")
    assert comparison.comparison_id not in world.comparisons.list_pending(started.batch_id, 2)


def test_a_failure_of_an_earlier_attempt_says_nothing(submitted: Started) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.clock.forward(WAVE_TIMEOUT + 1)
    world.record(take_deadline(submitted))
    world.score(submitted.batch_id, 1)
    world.plan(submitted.batch_id)
    old = callback_body(comparison, submitted.batch_id, winner=None, error_detail=PERMANENT)
    assert world.record(old).effect is CallbackEffect.DUPLICATE
    assert again(submitted, comparison).status is S.PENDING
