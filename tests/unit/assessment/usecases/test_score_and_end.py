"""Scoring, finalising, failing and cancelling: decided once, published, and ended once."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from assessment.contracts.queue_messages import JudgeRequestV1, read_judge_message
from assessment.domain.batch import BatchStatus, Outcome
from assessment.domain.decision import Decision, DecisionKind, Reason
from assessment.domain.document_keys import comparisons_key, result_key
from assessment.domain.errors import (
    STEP_REFUSALS,
    IllegalTransitionError,
    ResultNotReadyError,
    TransientError,
    UnknownBatchError,
)
from assessment.domain.judge_errors import JudgeUnavailableError
from assessment.domain.not_assessed import NotAssessed, NotAssessedReason
from assessment.ports.groups import FailPorts, ProgressPorts
from assessment.statistics.engine import ScoringStatistics
from assessment.usecases.fail_batch import (
    REMEDIES,
    fail_batch,
    is_fault,
    make_stalled_failure,
    read_failure,
)
from assessment.usecases.read_batch import read_batch, read_result
from assessment.usecases.wave_documents import store_not_assessed
from tests.fakes.faults import Fault, faulty
from tests.fakes.judges import Habits, callback_body
from tests.fakes.loop import Loop
from tests.fakes.world import World
from tests.unit.assessment.conftest import Started, submit_batch
from tests.unit.assessment.crashes import crash_everywhere


def answer_wave(**config: Any) -> Started:
    """A batch whose wave has all its verdicts."""
    started = submit_batch(World(), **config)
    for position, comparison in enumerate(started.world.list_comparisons(started.batch_id)):
        winner = "A" if position % 3 else "B"
        started.world.record(callback_body(comparison, started.batch_id, winner=winner))
    return started


def last_wave() -> Started:
    """A batch whose decision is to finalise."""
    started = answer_wave(max_waves=1)
    started.world.score(started.batch_id, 1)
    return started


def test_scoring_again_returns_the_stored_decision_and_publishes_the_same_event() -> None:
    started = answer_wave()
    world, batch_id = started.world, started.batch_id
    decision = world.score(batch_id, 1)
    stored = world.batches.get_wave(batch_id, 1)
    world.clock.forward(60)
    assert world.score(batch_id, 1) == decision
    assert world.batches.get_wave(batch_id, 1) == stored
    assert len(world.events.published) == 2
    assert len(world.events.by_type["CJWaveScored.v1"]) == 1
    assert stored is not None
    assert stored.context is not None
    assert stored.context.successes == 12


def test_a_decision_notes_what_the_batch_has_cost() -> None:
    started = answer_wave(max_cost_usd=3.0)
    started.world.score(started.batch_id, 1)
    wave = started.world.batches.get_wave(started.batch_id, 1)
    assert wave is not None
    assert wave.context is not None
    assert wave.context.cost_usd > 0
    cost = started.world.batches.get_batch(started.batch_id).cost_usd
    assert cost == pytest.approx(wave.context.cost_usd)


def test_scoring_again_keeps_the_essays_that_were_set_aside_at_the_decision() -> None:
    started = answer_wave()
    world, batch_id = started.world, started.batch_id
    world.score(batch_id, 1)
    entry = NotAssessed(essay_id="essay-01", reason=NotAssessedReason.DECLINED, detail="no")
    key = store_not_assessed(batch_id, 1, [entry], content=world.content)
    world.batches.update_wave(batch_id, 1, not_assessed_key=key)
    # What the repeat would find by itself is not what was decided upon.
    world.comparisons.comparisons[batch_id].clear()
    world.score(batch_id, 1)
    assert world.batches.get_batch(batch_id).not_assessed == (entry,)


def test_an_ended_batch_is_left_alone() -> None:
    started = answer_wave()
    started.world.cancel(started.batch_id)
    assert started.world.score(started.batch_id, 1).decision is DecisionKind.NO_OP
    assert not started.world.events.published


def test_scoring_after_the_states_own_time_out_settles_the_rest() -> None:
    started = submit_batch(World())
    world = started.world
    [first, *_] = world.list_comparisons(started.batch_id)
    world.record(callback_body(first, started.batch_id))
    world.clock.forward(14_400)
    world.score(started.batch_id, 1)
    tally = world.tally(started.batch_id)
    assert (tally.recorded, tally.failed, tally.pending) == (1, 11, 0)
    wave = world.batches.get_wave(started.batch_id, 1)
    assert wave is not None
    assert wave.closed_by == "timeout"


@pytest.mark.parametrize("after", [False, True])
def test_scoring_survives_a_crash_at_any_call(*, after: bool) -> None:
    calm = answer_wave()
    decision = calm.world.score(calm.batch_id, 1)
    expected = calm.world.batches.get_wave(calm.batch_id, 1)
    for started in crash_everywhere(
        answer_wave, lambda state, fault: state.world.score(state.batch_id, 1, fault), after=after
    ):
        assert started.world.batches.get_wave(started.batch_id, 1) == expected
        batch = started.world.batches.get_batch(started.batch_id)
        assert (batch.status, batch.decision) == (BatchStatus.GENERATING_PAIRS, decision)
        assert len(started.world.events.by_type["CJWaveScored.v1"]) == 1


@pytest.mark.parametrize("after", [False, True])
def test_finalising_survives_a_crash_at_any_call(*, after: bool) -> None:
    calm = last_wave()
    expected = calm.world.finalise(calm.batch_id)
    document = calm.world.content.documents[result_key(calm.batch_id)]
    for started in crash_everywhere(
        last_wave, lambda state, fault: state.world.finalise(state.batch_id, fault), after=after
    ):
        assert started.world.batches.get_batch(started.batch_id) == expected
        assert started.world.content.documents[result_key(started.batch_id)] == document
        for kind in ("CJAssessmentCompleted.v1", "AssessmentResultPublished.v1"):
            assert len(started.world.events.by_type[kind]) == 1
        assert started.world.batches.list_active_batches() == []


def test_a_verdict_after_the_decision_is_kept_but_not_in_the_result() -> None:
    def result(*, late_before: bool) -> tuple[str, World]:
        started = submit_batch(World(), max_waves=1, min_success_rate_threshold=0.5)
        world, [late, *rest] = started.world, started.world.list_comparisons(started.batch_id)
        for position, comparison in enumerate(rest):
            winner = "A" if position % 3 else "B"
            world.record(callback_body(comparison, started.batch_id, winner=winner))
        world.clock.forward(14_400)
        world.score(started.batch_id, 1)
        if late_before:
            world.record(callback_body(late, started.batch_id))
        world.finalise(started.batch_id)
        return world.content.documents[result_key(started.batch_id)], world

    without, _ = result(late_before=False)
    with_late, world = result(late_before=True)
    assert with_late == without
    [batch_id] = world.batches.batches
    assert world.tally(batch_id).recorded == 12
    assert json.loads(without)["comparisons"]["recorded"] == 11


@pytest.mark.parametrize("shuffle", range(4))
def test_the_same_verdicts_give_the_same_bytes_in_any_order(shuffle: int) -> None:
    def run(order: int) -> str:
        # Statistics that remember would hide whether they calculate the same again.
        habits = Habits(duplicating=0.3, contradictory=0.0)
        world = World(habits=habits, statistics=ScoringStatistics())
        batch_id = world.request(8, key="same", config={"max_comparisons_per_essay": 8}).batch_id
        assert Loop(world, shuffle=order).run(batch_id).batch.status is BatchStatus.COMPLETED
        return world.content.documents[result_key(batch_id)]

    assert run(shuffle + 100) == run(0)


@pytest.mark.parametrize("status", ["waiting", "cancelled"])
def test_finalising_at_the_wrong_time_is_refused(status: str) -> None:
    started = answer_wave()
    if status == "cancelled":
        started.world.cancel(started.batch_id)
    with pytest.raises(IllegalTransitionError):
        started.world.finalise(started.batch_id)
    assert not started.world.events.published


def reading(world: World) -> ProgressPorts:
    return ProgressPorts(
        batches=world.batches,
        comparisons=world.comparisons,
        content=world.content,
        gate=world.gate,
    )


def test_a_judge_that_does_not_answer_is_told_while_it_is_awaited() -> None:
    world = World(habits=Habits(unavailable=1.0))
    started = submit_batch(world)
    assert read_batch(started.batch_id, ports=reading(world)).judge_troubles == []
    message = read_judge_message(world.judge_queue.messages[0].body)
    assert isinstance(message, JudgeRequestV1)
    with pytest.raises(JudgeUnavailableError):
        world.ask(message)
    (trouble,) = read_batch(started.batch_id, ports=reading(world)).judge_troubles
    assert (trouble.message, trouble.failing_since) == ("simulated: 503", world.now)
    world.judge.habits = Habits(at_once=1.0)
    world.ask(message)
    assert read_batch(started.batch_id, ports=reading(world)).judge_troubles == []


def fail(world: World, batch_id: str, message: str = "m", fault: Fault | None = None) -> None:
    fail_batch(
        batch_id,
        make_stalled_failure(message),
        by_decision=False,
        ports=FailPorts(
            batches=world.batches if fault is None else faulty(world.batches, fault),
            events=world.events if fault is None else faulty(world.events, fault),
        ),
        now=world.now,
    )


def test_failing_twice_keeps_the_first_reason_and_one_event() -> None:
    started = answer_wave()
    fail(started.world, started.batch_id, "first")
    fail(started.world, started.batch_id, "second")
    batch = started.world.batches.get_batch(started.batch_id)
    assert batch.failure is not None
    assert batch.failure.message == "first"
    assert batch.outcome is Outcome.FAILED_CRITICALLY
    assert len(started.world.events.by_type["CJAssessmentFailed.v1"]) == 1


@pytest.mark.parametrize("after", [False, True])
def test_failing_survives_a_crash_at_any_call(*, after: bool) -> None:
    for started in crash_everywhere(
        answer_wave,
        lambda state, fault: fail(state.world, state.batch_id, "m", fault),
        after=after,
    ):
        assert started.world.batches.get_batch(started.batch_id).status is BatchStatus.FAILED
        assert len(started.world.events.by_type["CJAssessmentFailed.v1"]) == 1


def test_a_refused_publication_leaves_the_batch_to_be_failed_again() -> None:
    started = answer_wave()
    started.world.events.refuse_next = 1
    with pytest.raises(TransientError):
        fail(started.world, started.batch_id)
    assert started.world.batches.list_active_batches() == [started.batch_id]
    fail(started.world, started.batch_id)
    assert started.world.events.by_type["CJAssessmentFailed.v1"]


def test_a_completed_batch_cannot_fail_or_be_cancelled() -> None:
    started = last_wave()
    started.world.finalise(started.batch_id)
    published = len(started.world.events.published)
    for step in (fail, lambda world, batch_id: world.cancel(batch_id)):
        with pytest.raises(IllegalTransitionError):
            step(started.world, started.batch_id)
    assert len(started.world.events.published) == published


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"Error": "X", "Cause": '{"errorMessage": "m", "stackTrace": []}'}, "X", "m"),
        ({"Error": "X", "Cause": "plain"}, "X", "plain"),
        ({"Error": "X", "Cause": "[1]"}, "X", "[1]"),
        ({}, "unknown", ""),
    ],
)
def test_causes_without_their_stack_trace(error: dict[str, str], code: str, message: str) -> None:
    failure = read_failure(None, error)
    assert (failure.code, failure.message) == (code, message)
    assert failure.remedy


@pytest.mark.parametrize(
    ("name", "problem", "remedy_code"),
    [
        ("GradeScaleMismatchError", "grade-scale-mismatch", "request_again"),
        ("CorruptStoreError", "corrupt-store", "resume"),
        ("States.Timeout", None, "resume"),
    ],
)
def test_a_failure_has_the_kind_of_its_error_and_a_code_of_its_remedy(
    name: str, problem: str | None, remedy_code: str
) -> None:
    failure = read_failure(None, {"Error": name, "Cause": "{}"})
    assert (failure.problem, failure.remedy_code) == (problem, remedy_code)
    assert failure.remedy == REMEDIES[remedy_code]


def test_cancelling_keeps_what_is_recorded_and_is_repeatable() -> None:
    started = answer_wave()
    first = started.world.cancel(started.batch_id)
    assert started.world.cancel(started.batch_id) == first
    assert first.outcome is Outcome.CANCELLED
    assert started.world.tally(started.batch_id).recorded == 12
    assert not started.world.workflow.is_running(started.batch_id)
    kept = started.world.content.documents[comparisons_key(started.batch_id)]
    lines = [json.loads(line) for line in kept.splitlines()]
    assert sum(line["verdict"] is not None for line in lines) == 12
    with pytest.raises(UnknownBatchError):
        started.world.cancel("nobody")


@pytest.mark.parametrize("reason", list(Reason))
def test_a_judge_without_verdicts_is_a_fault_and_verdicts_without_order_are_none(
    reason: Reason,
) -> None:
    decision = Decision(decision=DecisionKind.FINALIZE_FAILURE, reason=reason, explanation="so")
    right = {Reason.JUDGE_AT_CHANCE, Reason.ALL_TIES, Reason.DISCONNECTED}
    assert is_fault(read_failure(decision, None)) is (reason not in right)


@pytest.mark.parametrize("name", [*sorted(STEP_REFUSALS), "Lambda.Unknown", "TransientError", ""])
def test_an_error_is_a_fault_unless_the_request_cannot_be_met(name: str) -> None:
    requests = {
        "InvalidRequestError", "UnknownGradeError", "GradeScaleMismatchError",
        "UnknownAssignmentError",
    }  # fmt: skip
    assert is_fault(read_failure(None, {"Error": name, "Cause": "so"})) is (name not in requests)


def count_kept_verdicts(started: Started) -> int:
    kept = started.world.content.documents[comparisons_key(started.batch_id)]
    return sum(json.loads(line)["verdict"] is not None for line in kept.splitlines())


def test_verdicts_that_come_after_the_cancellation_are_kept_with_the_rest() -> None:
    started = submit_batch(World())
    world, batch_id = started.world, started.batch_id
    first, second, third, *_ = world.list_comparisons(batch_id)
    world.record(callback_body(first, batch_id))
    world.cancel(batch_id)
    assert count_kept_verdicts(started) == 1
    world.record(callback_body(second, batch_id))
    assert count_kept_verdicts(started) == 2
    put = world.content.put_document

    def put_late(*arguments: Any, **options: Any) -> None:
        """Another worker writes between our reading and our writing."""
        world.content.put_document = put  # type: ignore[method-assign]
        world.record(callback_body(world.list_comparisons(batch_id)[3], batch_id))
        put(*arguments, **options)

    world.content.put_document = put_late  # type: ignore[method-assign]
    world.record(callback_body(third, batch_id))
    assert count_kept_verdicts(started) == 4


def test_lines_of_a_result_stay_those_that_it_is_made_of() -> None:
    started = last_wave()
    world, batch_id = started.world, started.batch_id
    world.finalise(batch_id)
    before = world.content.documents[comparisons_key(batch_id)]
    world.record(callback_body(world.list_comparisons(batch_id)[0], batch_id))
    assert world.content.documents[comparisons_key(batch_id)] == before


def test_reading_tells_why_it_stopped_and_why_there_is_no_result() -> None:
    started = last_wave()
    world, batch_id = started.world, started.batch_id
    with pytest.raises(ResultNotReadyError, match="SCORING"):
        read_result(batch_id, ports=reading(world))
    world.finalise(batch_id)
    progress = read_batch(batch_id, ports=reading(world))
    assert progress.decision is not None
    assert progress.decision["reason"] == Reason.WAVES_EXHAUSTED
    assert progress.decision["explanation"]
    assert [(w.wave, w.recorded, w.closed_by) for w in progress.waves] == [(1, 12, "callbacks")]
    body = read_result(batch_id, ports=reading(world))
    assert json.loads(body)["decision"] == progress.decision
    assert progress.waves[-1].cost_usd == json.loads(body)["cost_usd"]
    assert progress.result_sha256 == hashlib.sha256(body.encode()).hexdigest()
    failed = answer_wave()
    fail(failed.world, failed.batch_id, "nothing moved")
    with pytest.raises(ResultNotReadyError, match="nothing moved"):
        read_result(failed.batch_id, ports=reading(failed.world))


def test_a_batch_that_is_being_finalised_cannot_be_cancelled() -> None:
    started = last_wave()
    started.world.score(started.batch_id, 1)
    with pytest.raises(IllegalTransitionError, match="being finalised"):
        started.world.cancel(started.batch_id)
    assert started.world.finalise(started.batch_id).status is BatchStatus.COMPLETED
