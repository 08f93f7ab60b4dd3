"""Deliveries into calls: bundles, deferrals, refusals, and workers that die in the middle."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest

from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model_judge import ModelJudge
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.llm_protocol import LLMComparisonResultV1, TokenUsage
from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.backoff import retry_delay
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import (
    AccountSpentError,
    BrokenGenerationError,
    ContentRefusedError,
    CredentialsRefusedError,
    JudgeDeferredError,
    JudgeRefusedError,
    JudgeUnavailableError,
    RequestTooLargeError,
)
from assessment.domain.shared_calls import group_comparisons
from assessment.ports.groups import JudgePorts
from assessment.ports.judging import BatchJudge
from assessment.usecases.bundles import Delivery
from assessment.usecases.call_judge import call_judges
from tests.fakes.calls import count_texts
from tests.fakes.event_loop import run_async
from tests.fakes.faults import Fault, faulty
from tests.fakes.judges import COMPARISON_HEADING
from tests.fakes.world import World

OPENAI = {"provider": "openai", "model": "gpt-4.1-mini"}


class ScriptedModel:
    """A model that answers as it is told, and remembers which comparisons were in each call."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls: list[list[str]] = []

    async def complete(self, judge, blocks, *, max_tokens, request_key=""):
        ids = COMPARISON_HEADING.findall(blocks[1].content)
        self.calls.append(ids)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        verdicts = [{"comparison_id": name, "winner": "A", "confidence": 3} for name in ids]
        document = step(verdicts) if step else verdicts
        return Completion({"verdicts": document}, usage=TokenUsage(input_tokens=100))


class ModelJudges:
    def __init__(self, model):
        self.model = model

    def get_judge(self, judge: JudgeSpec) -> ModelJudge:
        return ModelJudge(judge, self.model)

    def get_batch_judge(self, judge: JudgeSpec) -> BatchJudge:
        raise AssertionError("these judges take no batches")


class ClosedGate:
    def admit(self, judge, *, tokens, now):
        raise JudgeDeferredError("its circuit is open", retry_after=30)


def submit_world(judge=OPENAI, *, essays=8, **config):
    """A world whose first wave waits for its verdicts."""
    world = World()
    batch = world.request(essays, judge=judge, config={"seed": 1, **config})
    world.prepare(batch.batch_id)
    wave = world.plan(batch.batch_id)
    world.submit(batch.batch_id, wave.wave, world.workflow.issue("token"))
    return world, batch.batch_id


def deliver(world, model, *, last=False, gate=None, fault=None, size=1):
    """So many messages together, taken off the queue; those that fail are put back."""
    taken, rest = world.judge_queue.messages[:size], world.judge_queue.messages[size:]
    world.judge_queue.messages = rest
    names = (
        "comparisons", "content", "judge_queue", "callback_queue", "batches", "provider_batches",
    )  # fmt: skip
    ports = {name: getattr(world, name) for name in names}
    ports["gate"] = gate or world.gate
    judges = ModelJudges(model if fault is None else faulty(model, fault))
    if fault is not None:
        ports = {name: faulty(port, fault) for name, port in ports.items()}
    deliveries = [
        Delivery(JudgeRequestV1.model_validate_json(m.body), last_receive=last) for m in taken
    ]
    made = JudgePorts(judges=judges, prompts=JinjaPrompts(), **ports)
    try:
        report = run_async(call_judges(deliveries, ports=made, now=world.now))
    except Died:
        world.judge_queue.messages += taken
        raise
    failed = [m for m, error in zip(taken, report.errors, strict=True) if error is not None]
    world.judge_queue.messages += failed
    return report


def results(world):
    found = [json.loads(message.body) for message in world.callback_queue.messages]
    return [body for body in found if body["schema"] == "LLMComparisonResultV1"]


class Died(BaseException):
    """The worker is gone: nothing of it runs any more."""


class Death(Fault):
    """Kills the worker at a port call, so that no handler of ours sees an exception."""

    def begin(self) -> bool:
        self.calls += 1
        due = self.calls >= self.at > 0
        if due and (not self.after or self.calls > self.at):
            raise Died
        return due

    def end(self, *, due: bool) -> None:
        if due:
            raise Died


def test_a_message_about_ten_comparisons_is_one_call_and_ten_results():
    world, _ = submit_world()
    model = ScriptedModel()
    report = deliver(world, model)
    assert [len(call) for call in model.calls] == [10]
    assert report.n_calls == 1
    assert len(results(world)) == 10
    assert {body["token_usage"]["input_tokens"] for body in results(world)} == {10}


def test_every_verdict_carries_the_hash_of_the_prompt_that_brought_it():
    world, _ = submit_world(judge={**OPENAI, "bundle_size": 5})
    deliver(world, ScriptedModel(), size=2)
    hashes = Counter(body["request_metadata"]["prompt_sha256"] for body in results(world))
    assert sorted(hashes.values()) == [5, 5]


@pytest.mark.parametrize(
    ("judge", "sizes"),
    [({"bundle_size": 4}, [4] * 4), ({"batching_mode": "per_request"}, [1] * 10)],
)
def test_a_call_holds_as_many_comparisons_as_its_judge_takes(judge, sizes):
    world, _ = submit_world({**OPENAI, **judge})
    model = ScriptedModel()
    deliver(world, model, size=10)
    assert sorted((len(call) for call in model.calls), reverse=True) == sizes


def test_pairs_beside_lists_are_asked_together_where_every_list_is_a_call():
    judge = {**OPENAI, "batching_mode": "per_request", "list_size": 6}
    world, batch_id = submit_world(judge, essays=16, list_pair_share=0.5)
    known = {each.comparison_id: each for each in world.list_comparisons(batch_id)}
    model = ScriptedModel()
    world.judge_queue.messages = [
        message
        for message in world.judge_queue.messages
        if not known[JudgeRequestV1.model_validate_json(message.body).comparison_id].is_list
    ]
    deliver(world, model, size=10)
    asked = [[known[name] for name in call] for call in model.calls]
    assert max(map(len, asked)) == 3, "as many texts as a list of six"
    for call in asked:
        essays = [essay for each in call for essay in each.essay_ids]
        assert len(essays) == len(set(essays))


def test_a_planned_call_is_divided_where_its_texts_do_not_fit():
    essays = [{"essay_id": f"e{n}", "text": f"Essay {n}. " + "word " * 60} for n in range(8)]
    world, batch_id = submit_world({**OPENAI, "bundle_tokens": 500}, essays=essays)
    model = ScriptedModel()
    deliver(world, model)
    pairs = {c.comparison_id: {c.first, c.second} for c in world.list_comparisons(batch_id)}
    texts = [len(set().union(*(pairs[name] for name in call))) for call in model.calls]
    # An essay has about 105 estimated tokens, so four of them fill 500.
    assert max(texts) == 4
    assert sum(map(len, model.calls)) == 10
    assert len(model.calls) < 5, "as many as without sharing"


def test_comparisons_of_a_call_share_essays():
    world, batch_id = submit_world()
    model = ScriptedModel()
    deliver(world, model, size=2)
    pairs = {c.comparison_id: {c.first, c.second} for c in world.list_comparisons(batch_id)}
    texts = [len(set().union(*(pairs[name] for name in call))) for call in model.calls]
    assert sorted(map(len, model.calls)) == [6, 10]
    assert sum(texts) <= 14, "32 where each pair brings its own"


def test_a_message_comes_back_whole_and_pays_only_for_what_is_not_settled():
    world, batch_id = submit_world()
    model = ScriptedModel()
    (message, *_) = world.judge_queue.messages
    deliver(world, model)
    world.judge_queue.messages.insert(0, message)
    deliver(world, model)
    assert len(model.calls) == 1
    assert all(comparison.calls <= 1 for comparison in world.list_comparisons(batch_id))


def test_a_malformed_verdict_fails_alone_and_is_asked_alone_the_next_time():
    world, batch_id = submit_world(retry_pool_threshold=1)
    deliver(world, ScriptedModel(lambda verdicts: verdicts[1:]))
    failed = [body for body in results(world) if body.get("error_detail")]
    assert len(failed) == 1
    assert failed[0]["error_detail"]["retryable"] is True
    while world.judge_queue.messages:
        deliver(world, ScriptedModel())
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    world.callback_queue.messages.clear()
    world.score(batch_id, 1)
    wave = world.plan(batch_id)
    world.submit(batch_id, wave.wave, world.workflow.issue("second"))
    model = ScriptedModel()
    again = failed[0]["request_metadata"]["comparison_id"]
    while world.judge_queue.messages:
        deliver(world, model)
    assert [again] in model.calls


def test_answers_that_were_no_verdicts_are_counted_in_what_was_spent():
    world, batch_id = submit_world()
    deliver(world, ScriptedModel(lambda verdicts: verdicts[1:]))
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    known = world.list_comparisons(batch_id)
    assert world.tally(batch_id).failed == 1
    assert sum(comparison.spent.input_tokens for comparison in known) == 100


def test_an_outage_puts_all_back_and_leaves_no_lease():
    world, batch_id = submit_world()
    report = deliver(world, ScriptedModel(JudgeUnavailableError("503")))
    assert all(isinstance(error, JudgeUnavailableError) for error in report.errors)
    assert not results(world)
    deliver(world, ScriptedModel())
    waiting = [JudgeRequestV1.model_validate_json(m.body) for m in world.judge_queue.messages]
    n_waiting = sum(len(message.requests) for message in waiting)
    assert n_waiting + len(results(world)) == len(world.list_comparisons(batch_id))
    assert all(comparison.calls <= 1 for comparison in world.list_comparisons(batch_id))


def test_an_outage_at_the_last_receive_is_a_retryable_failure():
    world, _ = submit_world()
    report = deliver(world, ScriptedModel(JudgeUnavailableError("503")), last=True)
    assert not any(report.errors)
    assert {body["error_detail"]["retryable"] for body in results(world)} == {True}


def test_refused_content_of_a_bundle_is_asked_again_one_by_one():
    world, batch_id = submit_world()
    model = ScriptedModel(ContentRefusedError("policy"))
    deliver(world, model)
    assert results(world) == [], "nothing is final before each was asked alone"
    world.judge_queue.messages = world.judge_queue.messages[-10:]
    deliver(world, model, size=10)
    assert [len(call) for call in model.calls] == [10] + [1] * 10
    assert all(body["winner"] for body in results(world))
    assert {comparison.attempt for comparison in world.list_comparisons(batch_id)} == {1}, (
        "no attempt is used up"
    )
    single, _ = submit_world({**OPENAI, "bundle_size": 1})
    deliver(single, ScriptedModel(*[ContentRefusedError("policy")] * 10), size=10)
    assert {body["error_detail"]["retryable"] for body in results(single)} == {False}


@pytest.mark.parametrize(
    ("error", "final"),
    [(JudgeRefusedError("no"), True), (RequestTooLargeError("no"), True),
     (BrokenGenerationError("no"), False)],
)  # fmt: skip
def test_what_may_be_one_members_fault_is_asked_alone_before_it_is_final(error, final):
    world, _ = submit_world()
    model = ScriptedModel(*[error] * 11)
    deliver(world, model)
    assert results(world) == []
    world.judge_queue.messages = world.judge_queue.messages[-10:]
    deliver(world, model, size=10)
    assert {body["error_detail"]["code"] for body in results(world)} == {error.code}
    assert {body["error_detail"]["retryable"] for body in results(world)} == {not final}


@pytest.mark.parametrize("error", [CredentialsRefusedError("no"), AccountSpentError("no")])
def test_what_no_smaller_call_can_mend_is_final_at_once(error):
    world, _ = submit_world()
    model = ScriptedModel(error)
    deliver(world, model)
    assert {body["error_detail"]["retryable"] for body in results(world)} == {False}
    assert len(model.calls) == 1


def test_a_wait_beyond_the_waves_deadline_is_told_and_a_shorter_one_is_kept():
    world, _ = submit_world(wave_timeout_seconds=3600)
    kept = JudgeUnavailableError("busy", retry_after=3000, busy=True)
    report = deliver(world, ScriptedModel(kept))
    assert {type(error) for error in report.errors} == {JudgeUnavailableError}
    assert retry_delay(kept, receives=1, spread_by="x") == 3000
    deliver(world, ScriptedModel(JudgeUnavailableError("busy", retry_after=86_400, busy=True)))
    (told,) = {body["error_detail"]["message"] for body in results(world)}
    assert "asks to wait 86400 s" in told
    assert "wave_timeout_seconds" in told
    assert {body["error_detail"]["retryable"] for body in results(world)} == {True}


def test_oversize_essays_are_refused_before_anything_is_paid():
    # Each text leaves room for another one, but not for one as long as itself.
    essays = [{"essay_id": f"e{n}", "text": f"Essay {n}. " + "word " * 1340} for n in range(4)]
    world, _ = submit_world({**OPENAI, "context_tokens": 3000}, essays=essays)
    model = ScriptedModel()
    deliver(world, model)
    deliver(world, model, size=10)  # each alone, before it is given up
    assert model.calls == []
    assert {body["error_detail"]["code"] for body in results(world)} == {"oversize"}
    assert {body["error_detail"]["retryable"] for body in results(world)} == {False}


def test_a_deferred_message_goes_back_new_and_uncounted():
    world, batch_id = submit_world()
    before = len(world.judge_queue.messages)
    model = ScriptedModel()
    report = deliver(world, model, gate=ClosedGate())
    assert not any(report.errors), "the old messages are done with"
    assert report.n_deferred == 10
    assert model.calls == []
    assert len(world.judge_queue.messages) == before
    assert all(message.receives == 0 for message in world.judge_queue.messages)
    deferred = world.judge_queue.messages[-1]
    assert deferred.visible_at == world.now + timedelta(seconds=31)
    assert len(JudgeRequestV1.model_validate_json(deferred.body).requests) == 10
    assert all(comparison.calls == 0 for comparison in world.list_comparisons(batch_id))


def test_a_batch_that_is_refused_whole_ends_with_the_providers_message():
    world, batch_id = submit_world()
    refusal = JudgeRefusedError("openai answered 401: no such key")
    while world.judge_queue.messages:
        deliver(world, ScriptedModel(*[refusal] * 10))
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    decision = world.score(batch_id, 1)
    assert decision.reason == "judge_refused"
    assert "openai answered 401: no such key" in decision.explanation


def test_one_result_that_cannot_be_handed_over_keeps_no_other_back():
    world, _ = submit_world()
    send = world.callback_queue.send_result
    refused: list[LLMComparisonResultV1] = []

    def sometimes(result):
        if not refused:
            refused.append(result)
            raise ConnectionError("SQS")
        send(result)

    world.callback_queue.send_result = sometimes
    report = deliver(world, ScriptedModel())
    assert sum(error is not None for error in report.errors) == 1
    assert len(results(world)) == 9


def test_a_call_that_a_death_made_useless_is_counted_when_its_wave_goes_on_without_it():
    world, batch_id = submit_world(retry_pool_threshold=1, wave_timeout_seconds=600)
    model = ScriptedModel()
    at = next(at for at in range(1, CALLS) if _count_calls_before_death(at))
    with pytest.raises(Died):
        deliver(world, model, fault=Death(at=at))
    in_flight = set(model.calls[0])
    world.clock.forward(601)
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    world.callback_queue.messages.clear()
    world.judge_queue.messages.clear()
    world.score(batch_id, 1)
    wave = world.plan(batch_id)
    world.submit(batch_id, wave.wave, world.workflow.issue("second"))
    while world.judge_queue.messages:
        deliver(world, model)
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    known = world.list_comparisons(batch_id)
    assert {c.comparison_id for c in known if c.paid_again} == in_flight
    assert sum(c.paid_again for c in known) == len(in_flight)


def calls_of_a_whole_delivery():
    world, _ = submit_world()
    counter = Death()
    deliver(world, ScriptedModel(), fault=counter)
    return counter.calls


CALLS = calls_of_a_whole_delivery()


def _count_calls_before_death(at):
    world, _ = submit_world()
    model = ScriptedModel()
    with pytest.raises(Died):
        deliver(world, model, fault=Death(at=at))
    return model.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS + 1))
def test_a_worker_that_dies_anywhere_loses_nothing_and_repeats_one_call_at_most(at, after):
    world, batch_id = submit_world()
    model = ScriptedModel()
    with pytest.raises(Died):
        deliver(world, model, fault=Death(at=at, after=after))
    in_flight = len(model.calls)
    assert in_flight <= 1
    world.clock.forward(61)
    while world.judge_queue.messages:
        report = deliver(world, model)
        assert not any(report.errors)
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    known = world.list_comparisons(batch_id)
    assert all(comparison.verdict for comparison in known), "nothing is lost"
    asked = Counter(name for call in model.calls for name in call)
    repeated = {name for name, times in asked.items() if times > 1}
    assert max(asked.values()) <= 2
    assert repeated <= set(model.calls[0] if in_flight else [])
    counted = {c.comparison_id for c in known if c.paid_again}
    assert repeated <= counted, "what was paid twice is counted"


def share_texts(judge):
    """Texts for a comparison of a first wave, in calls of ten."""
    world, batch_id = submit_world(judge, essays=30)
    pairs = [(c.first, c.second) for c in world.list_comparisons(batch_id)]
    return count_texts(pairs, group_comparisons(pairs, most=10)) / len(pairs)


def test_only_a_judge_that_is_asked_together_gets_pairs_that_share_essays():
    single = {**OPENAI, "batching_mode": "per_request"}
    assert share_texts({}) == share_texts(single)
    assert share_texts(OPENAI) < 0.9 * share_texts(single)
