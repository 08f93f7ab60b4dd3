"""What goes wrong on the way of a batch, and that it never hangs and never ends silently."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.dynamodb import Table
from assessment.contracts.events import EventType
from assessment.contracts.queue_messages import WaveDeadlineV1
from assessment.domain.errors import TransientError
from tests.workflow.requests import (
    ONE_WAVE,
    TWO_WAVES,
    event_types,
    progress,
    request_batch,
    results,
)


class WorkerDiedError(Exception):
    """Stands for whatever AWS reports of a worker that is gone."""


LENIENT = {**ONE_WAVE, "min_success_rate_threshold": 0.1}
N_FEW, N_FEW_PAIRS = 5, 10


def request_few(stack, config, **settings):
    """Ask for the batch of so few essays that each meets each other: one message to the judge."""
    return request_batch(stack, config, n_essays=N_FEW, **settings)


def waits_for_verdicts(stack, batch_id):
    """Whether the state machine waits for the wave's verdicts."""
    return lambda: stack.invocations["submit_wave"] > 0 and "SubmitWave" in stack.states(batch_id)


def all_delivered(stack):
    return lambda: stack.deliver() == 0


def overdue(stack, batch_id):
    """The message that a wave's deadline has passed, after its stored deadline was put so."""
    passed = datetime(2020, 1, 1, tzinfo=UTC)
    table = Table(stack.client("dynamodb"), stack.resources["AssessmentTable"])
    DynamoDBBatchStore(table).update_wave(batch_id, 1, deadline=passed)
    message = WaveDeadlineV1(batch_id=batch_id, wave=1, deadline=passed)
    return message.model_dump_json(by_alias=True)


def test_a_wave_that_times_out_is_scored_with_what_there_is(stack):
    stack.define(SubmitWave={"TimeoutSeconds": 5})
    stack.judge.silent_share = 0.3
    batch_id = request_batch(stack, LENIENT)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    counts = results(stack, batch_id)["comparisons"]
    assert counts["failed"] > 0
    assert counts["planned"] == counts["recorded"] + counts["failed"]
    assert progress(stack, batch_id)["waves"][0]["closed_by"] == "timeout"


def test_the_deadline_of_a_wave_closes_it_before_the_state_times_out(stack):
    stack.judge.silent_share = 0.3
    batch_id = request_batch(stack, LENIENT)
    stack.until(lambda: len(stack.judge.asked) == 16)
    stack.until(all_delivered(stack))
    assert stack.execution(batch_id)["status"] == "RUNNING"
    stack.send("CallbackQueue", overdue(stack, batch_id))
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    assert progress(stack, batch_id)["waves"][0]["closed_by"] == "deadline"


def test_a_judge_that_refuses_everything_ends_the_batch_with_a_reason(stack):
    stack.judge.refuse = True
    batch_id = request_few(stack, ONE_WAVE)
    execution = stack.run_to_the_end(batch_id)
    assert execution["status"] == "FAILED"
    assert execution["error"] == "judge_refused"
    assert stack.states(batch_id)[-2:] == ["WasFault", "BatchFailed"]
    assert progress(stack, batch_id)["status"] == "FAILED"
    assert event_types(stack)[EventType.FAILED] == 1
    assert stack.api("GET", f"/v1/batches/{batch_id}/results")[0] == 409


def test_a_refused_batch_says_what_to_do(stack):
    stack.judge.refuse = True
    batch_id = request_few(stack, ONE_WAVE)
    stack.run_to_the_end(batch_id)
    (failed,) = [e for e in stack.events() if e["detail-type"] == EventType.FAILED]
    information = failed["detail"]["data"]["error_info"]
    assert information["code"] == "judge_refused"
    assert information["what"]
    assert information["what_to_do"]


def test_an_error_that_nobody_foresaw_is_recorded_with_the_batch(stack):
    stack.judge.shuffle = True  # holds callbacks back
    batch_id = request_few(stack, ONE_WAVE)
    stack.until(lambda: len(stack.judge.asked) == N_FEW_PAIRS)
    assert stack.execution(batch_id)["status"] == "RUNNING"
    stack.client("s3").delete_object(
        Bucket=stack.resources["ContentBucket"], Key=f"batches/default/{batch_id}/spec.json"
    )
    # A warm function keeps the specification; a cold one has to read it.
    stack.start_cold()
    execution = stack.run_to_the_end(batch_id)
    assert execution["status"] == "FAILED"
    assert stack.states(batch_id)[-4:] == ["ScoreBatch", "FailBatch", "WasFault", "BatchFailed"]
    assert progress(stack, batch_id)["status"] == "FAILED"


def test_a_batch_that_nobody_knows_fails_without_a_record(stack):
    batch_id = str(uuid.uuid4())
    stack.start(batch_id)
    execution = stack.run_to_the_end(batch_id)
    assert execution["status"] == "FAILED"
    assert execution["error"] == "BatchFailedUnrecorded"
    assert execution["cause"].startswith("UnknownBatchError: ")
    assert stack.states(batch_id) == ["PrepareBatch", "FailBatch", "BatchFailedUnrecorded"]
    assert stack.invocations["prepare_batch"] == 1, "a refusal was repeated"


def test_a_failure_that_cannot_be_recorded_still_ends_the_execution(stack):
    stack.judge.refuse = True
    stack.define(FailBatch={"Retry": []})
    stack.fail_once("fail_batch", RuntimeError("the table is gone"))
    batch_id = request_few(stack, ONE_WAVE)
    execution = stack.run_to_the_end(batch_id)
    assert execution["error"] == "BatchFailedUnrecorded"
    assert "the table is gone" in execution["cause"]
    assert progress(stack, batch_id)["status"] != "FAILED"


@pytest.mark.parametrize(
    "step",
    ["prepare_batch", "plan_wave", "submit_wave", "score_batch", "finalise_batch"],
)
@pytest.mark.parametrize("after_work", [False, True], ids=["before its work", "after its work"])
def test_a_step_that_dies_once_changes_nothing(step, after_work, stack):
    stack.fail_once(step, TransientError("the connection broke"), after_work=after_work)
    batch_id = request_few(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    assert stack.invocations[step] == 2
    counts = results(stack, batch_id)["comparisons"]
    assert counts["planned"] == counts["recorded"] == len(stack.judge.asked)
    assert set(stack.judge.asked.values()) == {1}, "a verdict was paid for twice"


@pytest.mark.parametrize(
    "step",
    ["prepare_batch", "plan_wave", "submit_wave", "score_batch", "finalise_batch"],
)
def test_a_worker_that_dies_once_changes_nothing(step, stack):
    stack.fail_once(step, WorkerDiedError("signal: killed"))
    batch_id = request_few(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    assert stack.invocations[step] == 2
    assert set(stack.judge.asked.values()) == {1}, "a verdict was paid for twice"


@pytest.mark.parametrize("step", ["submit_wave", "score_batch", "finalise_batch"])
def test_a_batch_that_its_surroundings_brought_down_is_resumed(step, stack):
    waves = ("SubmitWave", "ScoreBatch", "FinaliseBatch")
    stack.define(**{state: {"Retry": []} for state in waves})
    stack.fail_once(step, WorkerDiedError("signal: killed"))
    batch_id = request_batch(stack, TWO_WAVES)
    assert stack.run_to_the_end(batch_id)["error"] == "WorkerDiedError"
    failure = progress(stack, batch_id)["failure"]
    assert "/v1/batches/{batch_id}/resume" in failure["remedy"]
    status, body = stack.api("POST", f"/v1/batches/{batch_id}/resume")
    assert (status, body["batch_id"]) == (202, batch_id)
    assert stack.run_to_the_end(f"{batch_id}-2")["status"] == "SUCCEEDED"
    counts = results(stack, batch_id)["comparisons"]
    assert counts["planned"] == counts["recorded"] == len(stack.judge.asked)
    assert set(stack.judge.asked.values()) == {1}, "a verdict was paid for twice"
    assert stack.api("POST", f"/v1/batches/{batch_id}/resume")[0] == 409


def test_a_refused_batch_is_not_resumed(stack):
    stack.judge.refuse = True
    batch_id = request_few(stack, ONE_WAVE)
    stack.run_to_the_end(batch_id)
    status, body = stack.api("POST", f"/v1/batches/{batch_id}/resume")
    assert (status, body["type"]) == (409, "urn:cj-assessment:problem:illegal-transition")


def test_an_execution_that_died_unseen_is_replaced_by_the_watch(stack):
    """The failure could not be recorded either: nobody but the watchdog can know."""
    stack.define(ScoreBatch={"Retry": []}, FailBatch={"Retry": []})
    stack.fail_once("score_batch", WorkerDiedError("signal: killed"))
    stack.fail_once("fail_batch", WorkerDiedError("signal: killed"))
    batch_id = request_few(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["error"] == "BatchFailedUnrecorded"
    assert stack.watch_later(minutes=3)["repairs"] == {batch_id: "restarted"}
    assert stack.run_to_the_end(f"{batch_id}-2")["status"] == "SUCCEEDED"
    assert set(stack.judge.asked.values()) == {1}, "a verdict was paid for twice"


def test_fail_batch_that_dies_once_announces_the_same_event(stack):
    stack.judge.refuse = True
    stack.fail_once("fail_batch", TransientError("the connection broke"), after_work=True)
    batch_id = request_few(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["error"] == "judge_refused"
    failed = [e for e in stack.events() if e["detail-type"] == EventType.FAILED]
    assert len({event["detail"]["event_id"] for event in failed}) == 1


def test_a_cancelled_batch_stops(stack):
    stack.judge.silent_share = 1.0
    batch_id = request_few(stack, ONE_WAVE)
    stack.until(waits_for_verdicts(stack, batch_id))
    status, body = stack.api("POST", f"/v1/batches/{batch_id}/cancel")
    assert (status, body["status"]) == (200, "CANCELLED")
    # Moto ends a waiting state only when it is woken; AWS ends it at once.
    stack.send("CallbackQueue", overdue(stack, batch_id))
    assert stack.run_to_the_end(batch_id)["status"] == "ABORTED"
    assert progress(stack, batch_id)["status"] == "CANCELLED"


def test_an_execution_whose_batch_has_ended_ends_quietly(stack):
    batch_id = request_few(stack, ONE_WAVE)
    ended = {"batch_id": batch_id, "wave": 1, "decision": "NO_OP", "reason": "batch_ended"}
    stack.answer_once("score_batch", ended)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    assert stack.states(batch_id)[-1] == "BatchEnded"


def test_a_wave_without_comparisons_is_not_awaited(stack):
    batch_id = request_few(stack, ONE_WAVE)
    stack.answer_once("plan_wave", {"batch_id": batch_id, "wave": 1, "planned": 0})
    stack.run_to_the_end(batch_id)
    assert "SubmitWave" not in stack.states(batch_id)
    assert "ScoreBatch" in stack.states(batch_id)


def test_a_refusal_that_is_right_is_no_failed_execution(stack):
    """A failed execution sets off an alarm, and here an operator has nothing to do."""
    batch_id = request_few(stack, ONE_WAVE)
    refused = {"decision": "FINALIZE_FAILURE", "reason": "judge_at_chance", "explanation": "a coin"}
    stack.answer_once("score_batch", {"batch_id": batch_id, "wave": 1, **refused})
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    assert stack.states(batch_id)[-3:] == ["FailBatch", "WasFault", "BatchRefused"]
    assert progress(stack, batch_id)["status"] == "FAILED"
    assert event_types(stack)[EventType.FAILED] == 1


def test_a_request_that_cannot_be_met_is_no_failed_execution(stack):
    judge = {"provider": "bedrock", "model": "m", "context_tokens": 1000, "max_output_tokens": 990}
    batch_id = request_few(stack, ONE_WAVE, judge=judge)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    assert stack.states(batch_id) == [
        "PrepareBatch", "WasRequestRefused", "FailBatch", "WasFault", "BatchRefused"
    ]  # fmt: skip
    failure = progress(stack, batch_id)["failure"]
    assert failure["code"] == "InvalidRequestError"
    assert "judge.context_tokens" in failure["message"]
    assert stack.invocations["prepare_batch"] == 1


def test_an_unknown_decision_fails_the_batch(stack):
    batch_id = request_few(stack, ONE_WAVE)
    odd = {"batch_id": batch_id, "wave": 1, "decision": "PERHAPS", "reason": "none"}
    stack.answer_once("score_batch", odd)
    execution = stack.run_to_the_end(batch_id)
    assert (execution["status"], execution["error"]) == ("FAILED", "UnknownDecision")
    assert "PERHAPS" in execution["cause"]
    assert progress(stack, batch_id)["status"] == "FAILED"


@pytest.mark.parametrize("body", ["this is not JSON", json.dumps({"schema": "Unknown"}), "[]"])
def test_a_callback_that_nobody_can_read_stays_in_the_queue_and_stops_nothing(body, stack):
    stack.send("CallbackQueue", body)
    batch_id = request_few(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    left = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resources["CallbackQueue"],
        AttributeNames=["ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert left["ApproximateNumberOfMessagesNotVisible"] == "1"
