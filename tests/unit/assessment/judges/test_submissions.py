"""A submission to a provider's batches meets outages, cancellations and deaths of workers."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from assessment.domain.decision import Decision, DecisionKind, Reason
from assessment.domain.document_keys import comparisons_key
from assessment.domain.errors import ComparisonLeasedError
from assessment.domain.judge import BatchingMode
from assessment.domain.judge_errors import (
    JudgeDeferredError,
    JudgeRefusedError,
    JudgeUnavailableError,
    QueueFullError,
)
from assessment.domain.provider_batch import GIVE_UP, SETTLING, WINDOW
from assessment.usecases.bundles import Delivery
from assessment.usecases.judge_messages import judge_messages
from assessment.usecases.submission import HELD_SECONDS
from assessment.usecases.tend_provider_batch import SubmissionStep
from tests.fakes.event_loop import run_async
from tests.fakes.world import World
from tests.unit.assessment.crashes import crash_everywhere
from tests.unit.assessment.judges.provider_submissions import (
    JUDGE,
    everything_recorded,
    provider_batch,
    record_all,
    results,
    submit_world,
    take,
    tend_to_the_end,
)


def test_nothing_is_submitted_when_the_wave_would_end_before_the_provider_must():
    world, _ = submit_world()
    world.clock.forward(2 * 3600)
    assert world.tend(take(world)) is SubmissionStep.DONE
    assert not world.batch_judge.submissions
    assert {body["error_detail"]["retryable"] for body in results(world)} == {True}


def test_a_cancelled_batch_submits_nothing():
    world, batch_id = submit_world()
    world.cancel(batch_id)
    assert world.tend(take(world)) is SubmissionStep.DONE
    assert not world.batch_judge.submissions


def test_cancelling_a_batch_cancels_it_at_the_provider_and_keeps_what_was_answered():
    world, batch_id = submit_world()
    world.tend(take(world))
    world.cancel(batch_id)
    tend_to_the_end(world)
    assert world.batch_judge.submissions["batch-1"].is_cancelled
    everything_recorded(world, batch_id)
    lines = world.content.documents[comparisons_key(batch_id)].splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"RECORDED"}


def test_a_wave_decided_without_them_cancels_what_the_provider_has_not_begun():
    world, batch_id = submit_world()
    world.tend(take(world))
    decision = Decision(
        decision=DecisionKind.REQUEST_MORE_COMPARISONS,
        reason=Reason.RETRY_FAILED_COMPARISONS,
        explanation="the wave's time was over",
    )
    world.batches.update_wave(batch_id, 1, decision=decision)
    tend_to_the_end(world)
    assert world.batch_judge.submissions["batch-1"].is_cancelled
    everything_recorded(world, batch_id)


def test_a_batch_that_the_provider_never_ends_is_given_up_after_its_time():
    world = World()
    world.batch_judge.duration = timedelta(days=9)
    world, _ = submit_world(world)
    start = world.now
    steps = tend_to_the_end(world)
    assert steps[-1] is SubmissionStep.DONE
    assert WINDOW < GIVE_UP <= world.now - start < GIVE_UP + timedelta(minutes=10)
    assert world.batch_judge.submissions["batch-1"].is_cancelled
    assert {body["error_detail"]["code"] for body in results(world)} == {"provider-batch"}


# --- trouble -------------------------------------------------------------------------------------


def test_a_provider_that_is_busy_is_asked_later_and_no_lease_is_left():
    world = World()
    world.batch_judge.errors_before = [JudgeUnavailableError("429", retry_after=90, busy=True)]
    world, batch_id = submit_world(world)
    start = world.now
    assert world.tend(take(world)) is SubmissionStep.DEFERRED
    assert all(comparison.calls == 0 for comparison in world.list_comparisons(batch_id))
    following = take(world)
    assert (world.now - start).total_seconds() > 90
    assert world.tend(following) is SubmissionStep.SUBMITTED
    tend_to_the_end(world)
    assert all(each.calls == 1 for each in everything_recorded(world, batch_id))


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by answers"])
def test_a_submission_whose_answer_was_lost_is_found_and_not_paid_again(named):
    world = World()
    world.batch_judge.keeps_names = named
    world.batch_judge.errors_after = [JudgeUnavailableError("the connection broke")]
    world, batch_id = submit_world(world)
    assert world.tend(take(world)) is SubmissionStep.DEFERRED
    assert len(world.batch_judge.submissions) == 1
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert len(world.batch_judge.submissions) == 1
    assert set(world.batch_judge.n_accepted.values()) == {1}


def test_a_submission_that_never_arrived_is_made_again_once_that_is_certain():
    world = World()
    world.batch_judge.errors_before = [JudgeUnavailableError("the connection broke")]
    world, batch_id = submit_world(world)
    start = world.now
    steps = tend_to_the_end(world)
    (submission,) = world.batch_judge.submissions.values()
    assert submission.ends_at - world.batch_judge.duration - start >= SETTLING
    assert steps.count(SubmissionStep.SUBMITTED) == 1
    everything_recorded(world, batch_id)


def test_a_submission_of_another_wave_is_not_taken_for_a_lost_one():
    world = World()
    world.batch_judge.keeps_names = False
    world, _ = submit_world(world, judge={**JUDGE, "provider_batch_size": 8})
    first, second = take(world), take(world)
    assert len(first.comparisons) == len(second.comparisons)
    world.tend(first)
    world.batch_judge.errors_before = [JudgeUnavailableError("the connection broke")]
    world.tend(second)
    tend_to_the_end(world)
    assert len(world.batch_judge.submissions) == 2
    assert set(world.batch_judge.n_accepted.values()) == {1}


def test_a_refused_submission_ends_the_batch_with_the_providers_words():
    world = World()
    world.batch_judge.errors_before = [JudgeRefusedError("openai answered 401: no such key")]
    world, batch_id = submit_world(world)
    assert world.tend(take(world)) is SubmissionStep.DONE
    record_all(world)
    decision = world.score(batch_id, 1)
    assert decision.reason == "judge_refused"
    assert "no such key" in decision.explanation


def test_a_provider_that_refuses_to_be_asked_keeps_its_verdicts_until_it_does_not(monkeypatch):
    world, batch_id = submit_world()
    world.tend(take(world))

    async def refuse(_):
        raise JudgeRefusedError("openai answered 401: the key was withdrawn")

    with monkeypatch.context() as patched:
        patched.setattr(world.batch_judge, "has_ended", refuse)
        for _ in range(20):
            assert world.tend(take(world)) is SubmissionStep.DEFERRED
    assert not results(world)
    tend_to_the_end(world)
    everything_recorded(world, batch_id)


def test_a_full_queue_is_waited_for_and_nothing_is_counted_twice(monkeypatch):
    world, batch_id = submit_world()
    tend_once = world.tend
    assert tend_once(take(world)) is SubmissionStep.SUBMITTED
    read_results = world.batch_judge.read_results
    refusals = [QueueFullError("no room")]

    async def refuse_first(provider_batch_id, requests):
        if refusals:
            raise refusals.pop()
        return await read_results(provider_batch_id, requests)

    monkeypatch.setattr(world.batch_judge, "read_results", refuse_first)
    tend_to_the_end(world)
    known = everything_recorded(world, batch_id)
    assert len(world.batch_judge.submissions) == 2
    assert {(each.calls, each.repeated_calls, each.attempt) for each in known} == {(1, 0, 1)}


def test_an_open_circuit_defers_and_counts_no_try():
    class ClosedGate:
        def admit(self, judge, *, tokens, now):
            raise JudgeDeferredError("its circuit is open", retry_after=30)

    world, batch_id = submit_world()
    world.gate, gate = ClosedGate(), world.gate
    assert world.tend(take(world)) is SubmissionStep.DEFERRED
    assert all(comparison.calls == 0 for comparison in world.list_comparisons(batch_id))
    world.gate = gate
    tend_to_the_end(world)
    everything_recorded(world, batch_id)


# --- twice, and never ----------------------------------------------------------------------------


def test_a_message_that_comes_twice_leaves_one_chain():
    world, batch_id = submit_world()
    message = take(world)
    world.tend(message)
    assert world.tend(message) is SubmissionStep.STALE
    assert len(world.judge_queue.messages) == 1
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert set(world.batch_judge.n_accepted.values()) == {1}


def test_two_deliveries_at_once_are_one_at_a_time():
    world, batch_id = submit_world()
    message = take(world)
    world.provider_batches.take(batch_id, message.name, now=world.now, seconds=HELD_SECONDS)
    with pytest.raises(ComparisonLeasedError):
        world.tend(message)
    world.clock.forward(HELD_SECONDS + 1)
    assert world.tend(message) is SubmissionStep.SUBMITTED


def handle_together(world, messages, *, last=False, fault=None):
    """What becomes of messages that one worker receives together."""
    ports = world.judge_ports(fault)
    return run_async(
        judge_messages(
            [Delivery(message, last) for message in messages],
            ports_of=lambda _: ports,
            mode=BatchingMode.SERIAL_BUNDLE,
            now=world.now,
        )
    )


def test_one_worker_tends_two_submissions_and_sends_on_the_others():
    world, batch_id = submit_world(judge={**JUDGE, "provider_batch_size": 3})
    messages = [take(world) for _ in range(6)]
    report = handle_together(world, messages)
    assert report.errors == [None] * 6
    assert len(world.batch_judge.submissions) == 2
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert set(world.batch_judge.n_accepted.values()) == {1}


@pytest.mark.parametrize("last", [False, True])
def test_a_submission_is_not_lost_where_its_message_fails_for_the_last_time(last):
    world, batch_id = submit_world()
    world.tend(take(world))
    message = take(world)
    world.provider_batches.take(message.batch_id, message.name, now=world.now, seconds=50)
    (error,) = handle_together(world, [message], last=last).errors
    if last:
        assert error is None, "the message is sent anew instead"
        tend_to_the_end(world)
        everything_recorded(world, batch_id)
    else:
        assert isinstance(error, ComparisonLeasedError)


def test_a_wave_that_is_submitted_again_has_the_same_submissions():
    world, batch_id = submit_world(judge={**JUDGE, "provider_batch_size": 5})
    world.batch_judge.duration = timedelta(minutes=10)
    messages = [provider_batch(each.body) for each in world.judge_queue.messages]
    world.tend(take(world))
    world.clock.forward(600)
    world.tend(messages[0].model_copy(update={"look": 1}))
    record_all(world)
    assert world.tally(batch_id).recorded == 4
    world.tend(messages[1])
    world.batches.update_wave(batch_id, 1, messages_sent=False)
    # Also where every message was lost: the new ones take over once nobody can be on the way.
    world.judge_queue.messages.clear()
    world.submit(batch_id, 1, world.workflow.issue("again"))
    again = [provider_batch(each.body) for each in world.judge_queue.messages]
    assert [message.name for message in again] == [message.name for message in messages]
    assert world.tend(again[1]) is SubmissionStep.STALE
    world.clock.forward(1000)
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert set(world.batch_judge.n_accepted.values()) == {1}


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by answers"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("stage", ["submitting", "bringing in"])
def test_a_worker_that_dies_anywhere_loses_nothing_and_pays_nothing_twice(stage, after, named):
    def start():
        world = World()
        world.batch_judge.keeps_names = named
        world, batch_id = submit_world(world, essays=4)
        if stage == "bringing in":
            world.tend(take(world))
            world.clock.forward(3600)
        return world, batch_id, take(world)

    def step(state, fault):
        world, _, message = state
        if fault is None:
            # The message was not deleted: it comes back when its visibility ends.
            world.clock.forward(HELD_SECONDS + 1)
        world.tend(message, fault=fault)

    survivors = crash_everywhere(start, step, after=after)
    assert len(survivors) > 10
    for world, batch_id, _ in survivors:
        tend_to_the_end(world)
        everything_recorded(world, batch_id)
        assert set(world.batch_judge.n_accepted.values()) == {1}
