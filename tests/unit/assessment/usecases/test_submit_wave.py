"""Submitting: token, marks, messages, in this order, and each once however often it is run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assessment.domain.batch import WaveStatus
from assessment.domain.errors import TransientError, UnplannedWaveError
from assessment.usecases.submit_wave import submit_or_report
from tests.fakes.faults import Fault
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.conftest import WAVE_TIMEOUT, Started, plan_batch
from tests.unit.assessment.crashes import crash_everywhere


def submit(started: Started, token: str = "t", fault: Fault | None = None) -> None:  # noqa: S107
    started.world.submit(started.batch_id, started.wave.wave, token, fault)


def test_everything_planned_is_marked_and_queued_by_ids_only(planned: Started) -> None:
    world, batch_id = planned.world, planned.batch_id
    submit(planned)
    ids = [c.comparison_id for c in world.list_comparisons(batch_id)]
    assert world.comparisons.list_pending(batch_id, 1) == ids
    assert sorted(request.comparison_id for request in world.judge_queue.requests) == ids
    assert not any("essay" in message.body for message in world.judge_queue.messages)
    stored = world.batches.get_wave(batch_id, 1)
    assert stored is not None
    assert (stored.status, stored.task_token) == (WaveStatus.SUBMITTED, "t")
    assert stored.deadline == world.now + timedelta(seconds=WAVE_TIMEOUT)


def test_submitting_again_replaces_the_token_and_nothing_else(planned: Started) -> None:
    world, batch_id = planned.world, planned.batch_id
    submit(planned, "one")
    first = world.batches.get_wave(batch_id, 1)
    sent = list(world.judge_queue.messages), list(world.callback_queue.messages)
    world.clock.forward(30)
    submit(planned, "two")
    assert (world.judge_queue.messages, world.callback_queue.messages) == sent
    assert first is not None
    assert world.batches.get_wave(batch_id, 1) == first.model_copy(update={"task_token": "two"})


def test_a_second_token_is_woken_when_all_verdicts_came_before_it(submitted: Started) -> None:
    world, batch_id = submitted.world, submitted.batch_id
    world.workflow.tokens.pop(submitted.token)  # the first attempt of the state is gone
    for comparison in world.list_comparisons(batch_id):
        world.record(callback_body(comparison, batch_id))
    world.workflow.issue("second")
    submit(submitted, "second")
    assert world.workflow.tokens["second"].output == {
        "batch_id": batch_id,
        "wave": 1,
        "closed_by": "callbacks",
    }


def test_a_wave_that_was_never_planned_is_a_defect(world: World) -> None:
    started = plan_batch(world)
    with pytest.raises(UnplannedWaveError):
        world.submit(started.batch_id, 7, "t")


def test_a_cancelled_batch_is_let_go_and_nothing_is_paid(planned: Started) -> None:
    world = planned.world
    world.cancel(planned.batch_id)
    world.workflow.issue("t")
    submit(planned)
    assert world.workflow.tokens["t"].settled
    assert not world.judge_queue.messages
    assert not world.comparisons.list_pending(planned.batch_id, 1)


def test_an_error_while_submitting_fails_the_waiting_state_by_its_token(world: World) -> None:
    world.workflow.issue("t")
    with (
        pytest.raises(TransientError, match="throttled"),
        submit_or_report("t", world.workflow),
    ):
        raise TransientError("throttled")
    assert world.workflow.tokens["t"].failure == ("TransientError", "throttled")


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_call_loses_and_doubles_nothing(*, after: bool) -> None:
    def start() -> Started:
        started = plan_batch(World())
        started.world.workflow.issue("t")
        return started

    for started in crash_everywhere(
        start, lambda state, fault: submit(state, "t", fault), after=after
    ):
        world, batch_id = started.world, started.batch_id
        ids = {c.comparison_id for c in world.list_comparisons(batch_id)}
        assert set(world.comparisons.list_pending(batch_id, 1)) == ids
        assert {request.comparison_id for request in world.judge_queue.requests} == ids
        world.answer_all()
        # A message sent twice is judged once: the lease and the sent mark see to that.
        assert sorted(world.judge.asked) == sorted(ids)
        for message in list(world.callback_queue.messages):
            world.record(message.body)
        assert world.tally(batch_id).recorded == len(ids)
        assert world.workflow.tokens["t"].settled
