"""Asking the judge: paid once, under a lease, and never left without an end."""

from __future__ import annotations

import json

import pytest

from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.errors import ComparisonLeasedError
from assessment.domain.judge_errors import JudgeUnavailableError
from tests.fakes.faults import CrashError, Fault
from tests.fakes.judges import Habits
from tests.fakes.world import LEASE_SECONDS, World
from tests.unit.assessment.conftest import Started, submit_batch


def start_wave(habits: Habits) -> tuple[Started, JudgeRequestV1]:
    started = submit_batch(World(habits=habits))
    started.world.callback_queue.messages.clear()  # the deadline
    return started, started.world.judge_queue.requests[0]


def test_a_queued_answer_is_marked_and_not_asked_for_again() -> None:
    started, request = start_wave(Habits())
    started.world.ask(request)
    started.world.ask(request)
    assert started.world.judge.asked == [request.comparison_id]
    assert len(started.world.callback_queue.messages) == 1


def test_an_answer_at_once_goes_through_the_callback_queue() -> None:
    started, request = start_wave(Habits(at_once=1.0))
    started.world.ask(request)
    [message] = started.world.callback_queue.messages
    assert json.loads(message.body)["request_metadata"]["comparison_id"] == request.comparison_id
    started.world.record(message.body)
    assert started.world.tally(started.batch_id).recorded == 1


def test_an_unavailable_judge_may_be_asked_again_at_once() -> None:
    started, request = start_wave(Habits(unavailable=1.0))
    for _ in range(3):
        with pytest.raises(JudgeUnavailableError):
            started.world.ask(request)
    assert not started.world.callback_queue.messages
    assert len(started.world.judge.asked) == 3


@pytest.mark.parametrize(
    ("habits", "last", "retryable"),
    [
        (Habits(unavailable=1.0), True, True),
        (Habits(refusing=1.0), True, False),
        (Habits(refusing=1.0), False, False),
    ],
)
def test_the_last_failure_becomes_an_error_callback(
    habits: Habits, *, last: bool, retryable: bool
) -> None:
    started, request = start_wave(habits)
    started.world.ask(request, last_receive=last)
    [message] = started.world.callback_queue.messages
    assert json.loads(message.body)["error_detail"]["retryable"] is retryable
    started.world.record(message.body)
    assert started.world.tally(started.batch_id).failed == 1


def test_only_one_delivery_asks_at_a_time() -> None:
    started, request = start_wave(Habits())
    world = started.world
    world.comparisons.lease(request, now=world.now, seconds=LEASE_SECONDS)
    with pytest.raises(ComparisonLeasedError):
        world.ask(request)
    world.clock.forward(LEASE_SECONDS + 1)
    world.ask(request)
    assert len(world.judge.asked) == 1


def test_a_settled_or_outdated_request_is_not_paid() -> None:
    started, request = start_wave(Habits(at_once=1.0))
    world = started.world
    world.ask(request)
    world.record(world.callback_queue.messages.pop().body)
    world.ask(request)
    world.ask(request.model_copy(update={"attempt": 2}))
    assert len(world.judge.asked) == 1


def test_the_question_shows_the_first_essay_first_and_names_both() -> None:
    started, request = start_wave(Habits(at_once=1.0))
    started.world.ask(request)
    comparison = started.world.list_comparisons(started.batch_id)[0]
    body = json.loads(started.world.callback_queue.messages[0].body)
    assert body["request_metadata"]["essay_a_id"] == comparison.first
    assert body["request_metadata"]["essay_b_id"] == comparison.second
    assert len(body["request_metadata"]["prompt_sha256"]) == 64


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("habits", [Habits(), Habits(at_once=1.0), Habits(refusing=1.0)])
def test_a_crash_at_any_call_repeats_only_the_call_in_flight(
    habits: Habits, *, after: bool
) -> None:
    for at in range(1, 50):
        started, request = start_wave(habits)
        world, fault = started.world, Fault(at, after)
        try:
            world.ask(request, fault=fault)
        except CrashError:
            pass
        else:
            assert at > 4
            return
        asked_before = len(world.judge.asked)
        sent = world.list_comparisons(started.batch_id)[0].sent
        world.clock.forward(LEASE_SECONDS + 1)
        world.ask(request)
        # Asked again only if the crash came before the comparison was marked as sent.
        assert len(world.judge.asked) == asked_before + (0 if sent else 1)
        assert len(world.judge.asked) <= 2
        for message in world.callback_queue.messages:
            world.record(message.body)
        tally = world.tally(started.batch_id)
        assert tally.recorded + tally.failed == 1
    pytest.fail("the question never got through")
