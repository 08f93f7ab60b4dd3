"""Waves as batches of a provider: submitted once, looked after, brought in, never paid twice."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1, read_judge_message
from assessment.domain.config import Source
from assessment.domain.decision import Decision, DecisionKind, Reason
from assessment.domain.document_keys import comparisons_key
from assessment.domain.errors import ComparisonLeasedError, InvalidRequestError
from assessment.domain.judge import BatchingMode, Price
from assessment.domain.judge_errors import (
    JudgeDeferredError,
    JudgeRefusedError,
    JudgeUnavailableError,
    QueueFullError,
)
from assessment.domain.provider_batch import (
    GIVE_UP,
    SETTLING,
    WAVE_SECONDS,
    WINDOW,
    next_look_seconds,
    split_submission,
)
from assessment.usecases.bundles import Delivery
from assessment.usecases.judge_messages import judge_messages
from assessment.usecases.submission import HELD_SECONDS
from assessment.usecases.tend_provider_batch import SubmissionStep
from assessment.usecases.wave_documents import load_plan
from tests.fakes.event_loop import run_async
from tests.fakes.loop import Loop
from tests.fakes.world import World
from tests.unit.assessment.crashes import crash_everywhere

JUDGE = {"provider": "openai", "model": "gpt-4.1-mini", "batching_mode": "provider_batch_api"}


def submit_world(world=None, *, essays=8, judge=JUDGE, **config):
    """A world whose first wave is queued."""
    world = world or World()
    batch = world.request(essays, judge=judge, config={"seed": 1, **config})
    world.prepare(batch.batch_id)
    wave = world.plan(batch.batch_id)
    world.submit(batch.batch_id, wave.wave, world.workflow.issue("token"))
    return world, batch.batch_id


def provider_batch(body: str) -> ProviderBatchV1:
    """A message that is a part of a wave."""
    message = read_judge_message(body)
    assert isinstance(message, ProviderBatchV1)
    return message


def single_request(body: str) -> JudgeRequestV1:
    """A message that is one comparison."""
    message = read_judge_message(body)
    assert isinstance(message, JudgeRequestV1)
    return message


def take(world):
    """The next message of the judge queue, the clock moved to when it is to be seen."""
    message = min(world.judge_queue.messages, key=lambda each: each.visible_at)
    world.judge_queue.messages.remove(message)
    world.clock.now = max(world.now, message.visible_at)
    return read_judge_message(message.body)


def tend_to_the_end(world):
    """Handle every message until none is left; what each did."""
    steps = []
    while world.judge_queue.messages:
        steps.append(world.tend(take(world)))
        assert len(steps) < 2000, "the submission is never done with"
    return steps


def handle_all(world, kind):
    """Handle every message of this kind; what each did."""
    steps = []
    while any(isinstance(read_judge_message(m.body), kind) for m in world.judge_queue.messages):
        steps.append(world.tend(take(world)))
    return steps


def record_all(world):
    for message in list(world.callback_queue.messages):
        if "WaveDeadlineV1" not in message.body:
            world.record(message.body)


def results(world):
    found = [json.loads(message.body) for message in world.callback_queue.messages]
    return [body for body in found if body["schema"] == "LLMComparisonResultV1"]


def everything_recorded(world, batch_id):
    record_all(world)
    known = world.list_comparisons(batch_id)
    assert all(comparison.verdict for comparison in known)
    return known


# --- the way of a submission ---------------------------------------------------------------------


def test_a_wave_is_one_submission_and_the_comparisons_of_a_call_share_a_prompt():
    world, batch_id = submit_world()
    (message,) = [provider_batch(each.body) for each in world.judge_queue.messages]
    assert isinstance(message, ProviderBatchV1)
    assert len(message.comparisons) == len(world.list_comparisons(batch_id)) == 16
    steps = tend_to_the_end(world)
    assert steps[0] is SubmissionStep.SUBMITTED
    assert steps[-1] is SubmissionStep.DONE
    assert set(steps[1:-1]) == {SubmissionStep.WAITING}
    (submission,) = world.batch_judge.submissions.values()
    assert [len({each.metadata.prompt_sha256 for each in call}) for call in submission.order] == (
        [1] * len(submission.order)
    )
    assert len({request.metadata.prompt_sha256 for request in submission.requests}) == 2
    known = everything_recorded(world, batch_id)
    assert all(comparison.sent and comparison.calls == 1 for comparison in known)
    assert world.workflow.tokens["token"].output["closed_by"] == "callbacks"


def test_the_provider_is_asked_seldom_and_lets_go_of_the_essays_at_the_end():
    world, _ = submit_world()
    steps = tend_to_the_end(world)
    assert len(steps) <= 20, "half an hour is not polled by the second"
    assert world.batch_judge.deleted_ids == ["batch-1"]


def test_a_large_wave_goes_in_even_parts():
    world, batch_id = submit_world(judge={**JUDGE, "provider_batch_size": 7})
    sizes = [len(provider_batch(each.body).comparisons) for each in world.judge_queue.messages]
    assert sizes == [6, 5, 5]
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert set(world.batch_judge.n_accepted.values()) == {1}


@pytest.mark.parametrize(("n", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (201, 200), (1000, 7)])
def test_parts_are_few_even_and_whole(n, most):
    parts = split_submission(range(n), most)
    assert [each for part in parts for each in part] == list(range(n))
    assert len(parts) == -(-n // most)
    sizes = [len(part) for part in parts]
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)


@pytest.mark.parametrize(("n", "sizes"), [(99, [99]), (199, [199]), (250, [125, 125])])
def test_parts_are_larger_rather_than_too_small_for_the_provider(n, sizes):
    assert [len(part) for part in split_submission(range(n), 100, least=100)] == sizes


def test_looks_grow_rare_but_never_rarer_than_five_minutes():
    ages = [timedelta(0), timedelta(minutes=2), timedelta(hours=3)]
    assert [next_look_seconds(age) for age in ages] == [5, 60, 300]


def test_a_jury_submits_its_members_parts_to_their_own_providers():
    jury = [{**JUDGE, "name": "one"}, {**JUDGE, "name": "two", "batching_mode": "per_request"}]
    world, batch_id = submit_world(judge=jury)
    messages = [read_judge_message(each.body) for each in world.judge_queue.messages]
    (together,) = [each for each in messages if isinstance(each, ProviderBatchV1)]
    singly = {each.comparison_id for each in messages if isinstance(each, JudgeRequestV1)}
    in_batch = {each.comparison_id for each in together.comparisons}
    assert together.judge == "one"
    assert in_batch.isdisjoint(singly)
    assert in_batch | singly == {each.comparison_id for each in world.list_comparisons(batch_id)}


def test_a_whole_batch_of_waves_ends_as_it_does_call_by_call():
    def abilities(judge):
        world = World()
        batch = world.request(10, judge=judge, config={"seed": 3, "max_waves": 3})
        run = Loop(world).run(batch.batch_id)
        assert run.batch.status == "COMPLETED"
        result = json.loads(world.content.documents[f"batches/{batch.batch_id}/result.json"])
        return {each["essay_id"]: each["bradley_terry_score"] for each in result["rankings"]}

    assert abilities(JUDGE) == abilities({**JUDGE, "batching_mode": "serial_bundle"})


def test_a_submission_of_one_request_for_each_comparison_is_read_as_it_was_made():
    world, batch_id = submit_world()
    message = take(world)
    assert isinstance(message, ProviderBatchV1)
    world.tend(message.model_copy(update={"calls": ()}))
    take(world)
    (submission,) = world.batch_judge.submissions.values()
    assert list(map(len, submission.order)) == [1] * 16
    world.clock.now += timedelta(hours=1)
    world.tend(message.model_copy(update={"look": 1}))
    assert len({each["request_metadata"]["prompt_sha256"] for each in results(world)}) == 16
    everything_recorded(world, batch_id)


def test_a_comparison_that_is_settled_is_in_no_call_and_leaves_the_others_together():
    world, batch_id = submit_world()
    (message,) = [provider_batch(each.body) for each in world.judge_queue.messages]
    (settled, *others) = message.planned_calls[0]
    assert others
    world.comparisons.mark_sent(settled)
    tend_to_the_end(world)
    (submission,) = world.batch_judge.submissions.values()
    assert [each.metadata.comparison_id for each in submission.order[0]] == [
        each.comparison_id for each in others
    ]
    asked = {each.metadata.comparison_id: each for each in submission.requests}
    answered = results(world)
    assert {each["request_metadata"]["comparison_id"] for each in answered} == asked.keys()
    for each in answered:
        metadata = each["request_metadata"]
        asked_about = asked[metadata["comparison_id"]].metadata
        assert metadata["prompt_sha256"] == asked_about.prompt_sha256
    assert len(asked) == len(world.list_comparisons(batch_id)) - 1


def test_texts_that_do_not_fit_together_are_asked_in_several_calls():
    judge = {**JUDGE, "context_tokens": 5000}
    world, batch_id = submit_world(judge=judge, essays=8)
    tend_to_the_end(world)
    (submission,) = world.batch_judge.submissions.values()
    together, _ = submit_world()
    (message,) = [provider_batch(each.body) for each in together.judge_queue.messages]
    assert len(submission.order) > len(message.calls)
    everything_recorded(world, batch_id)


def test_what_a_batch_left_unanswered_is_tried_again_with_a_later_wave():
    world = World()
    world.batch_judge.unanswered_ids = frozenset({"w001-00003"})
    world, batch_id = submit_world(world, retry_pool_threshold=1)
    tend_to_the_end(world)
    record_all(world)
    world.batch_judge.unanswered_ids = frozenset()
    world.score(batch_id, 1)
    wave = world.plan(batch_id)
    assert load_plan(wave, content=world.content).retried == ("w001-00003",)
    world.submit(batch_id, wave.wave, world.workflow.issue("second"))
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert world.batch_judge.n_accepted["w001-00003/2"] == 1


# --- what providers cannot do --------------------------------------------------------------------


def test_a_wave_too_small_for_the_provider_is_asked_singly():
    bedrock = {"provider": "bedrock", "model": "m"}
    world, _ = submit_world(judge=[{**bedrock, "name": "a"}, {**JUDGE, "name": "b"}])
    batch = next(iter(world.batches.batches.values()))
    # The stack's mode applies to Bedrock here, and half of 16 comparisons are no batch for it.
    assert batch.judges[0].batching_mode is None
    kinds = [type(read_judge_message(each.body)) for each in world.judge_queue.messages]
    assert kinds.count(ProviderBatchV1) == 1
    assert kinds.count(JudgeRequestV1) > 0


def test_what_the_size_check_leaves_too_small_for_the_provider_is_asked_singly():
    essays = [{"essay_id": f"e{n}", "text": f"Essay {n}. " + "word " * 20} for n in range(24)]
    essays.append({"essay_id": "long", "text": "Essay 99. " + "word " * 1340})
    judge = {**JUDGE, "provider": "bedrock", "context_tokens": 3000}
    world, batch_id = submit_world(essays=essays, judge=judge, comparisons_per_essay_per_wave=8)
    (message,) = [provider_batch(each.body) for each in world.judge_queue.messages]
    assert len(message.comparisons) == 100
    assert handle_all(world, ProviderBatchV1) == [SubmissionStep.DONE]
    assert not world.batch_judge.submissions
    singly = [single_request(each.body) for each in world.judge_queue.messages]
    with_long = {
        c.comparison_id for c in world.list_comparisons(batch_id) if "long" in (c.first, c.second)
    }
    asked = {each.comparison_id for each in singly}
    assert asked == {c.comparison_id for c in world.list_comparisons(batch_id)} - with_long
    for request in singly:
        assert world.comparisons.lease(request, now=world.now, seconds=60), "free to be asked"


def test_a_price_is_halved_in_a_batch_unless_it_says_otherwise():
    assert Price(input_usd=2, output_usd=8).compute(1000, 100, in_batch=True) == pytest.approx(
        0.0014
    )
    own = Price(input_usd=2, output_usd=8, batch_share=0.8)
    assert own.compute(1000, 100, in_batch=True) == pytest.approx(0.00224)
    assert own.compute(1000, 100) == pytest.approx(0.0028)


def test_essays_beyond_the_context_fail_alone_before_anything_is_paid():
    essays = [{"essay_id": f"e{n}", "text": f"Essay {n}. " + "word " * 20} for n in range(5)]
    essays.append({"essay_id": "long", "text": "Essay 9. " + "word " * 1340})
    world, batch_id = submit_world(essays=essays, judge={**JUDGE, "context_tokens": 3000})
    world.judge.give_verdict = lambda request: pytest.fail("not needed")
    world.tend(take(world))
    (submission,) = world.batch_judge.submissions.values()
    asked = {request.metadata.comparison_id for request in submission.requests}
    with_long = {
        c.comparison_id for c in world.list_comparisons(batch_id) if "long" in (c.first, c.second)
    }
    assert with_long
    assert asked == {c.comparison_id for c in world.list_comparisons(batch_id)} - with_long
    assert {body["error_detail"]["code"] for body in results(world)} == {"oversize"}


# --- deadlines -----------------------------------------------------------------------------------


def test_waves_wait_for_the_providers_day_and_the_configuration_says_why():
    world = World()
    batch = world.request(8, judge=JUDGE)
    assert batch.config.wave_timeout_seconds == WAVE_SECONDS == 25 * 3600
    assert batch.config.batch_timeout_hours == 26
    assert batch.config_sources["wave_timeout_seconds"] is Source.JUDGE
    longer = world.request(
        8, judge=JUDGE, config={"wave_timeout_seconds": 93_000, "batch_timeout_hours": 27}
    )
    assert longer.config.wave_timeout_seconds == 93_000
    alone = world.request(8, judge=JUDGE, config={"wave_timeout_seconds": 93_600})
    assert alone.config.batch_timeout_hours == 27, "who may set the one need not set the other"
    assert alone.config_sources["batch_timeout_hours"] is Source.REQUEST
    with pytest.raises(InvalidRequestError, match=r"wave_timeout_seconds.*24 hours"):
        world.request(8, judge=JUDGE, config={"wave_timeout_seconds": 3600})


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
