"""Every other event through its handler, with the effect it is to have."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from pydantic import BaseModel

from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.contracts import list_protocol, llm_protocol, queue_messages
from assessment.contracts.tokens import sign_token
from assessment.domain.access import Caller, Role
from assessment.domain.batch import BatchStatus, Outcome
from assessment.domain.comparison import ComparisonStatus
from assessment.domain.errors import (
    GradeScaleMismatchError,
    IllegalTransitionError,
    UnknownBatchError,
)
from local.providers.replies import Reply
from local.providers.scripted_server import openai_reply, provider_server, verdict
from tests.handlers.conftest import BATCH_ID, EVENTS, SECRET, Stack, adapters, event, invoke
from tests.present import present

CHECKED: set[str] = set()


def checks(path: str, argument: str = "path") -> Callable[[Any], Any]:
    """Mark a test as the one of an event file."""
    CHECKED.add(path)
    return pytest.mark.parametrize(argument, [path])


@checks("accept_request/requested.json")
def test_an_event_starts_one_batch_however_often_it_comes(stack: Stack, path: str) -> None:
    first = invoke("accept_request", event(path))
    assert invoke("accept_request", event(path)) == first
    assert stack.executions("RUNNING") == [first["batch_id"]]
    stored = adapters().batches.get_batch(first["batch_id"])
    assert stored.correlation_id == event(path)["detail"]["correlation_id"]
    trail = adapters().audit_ports.trail.list_of_batch(first["batch_id"])
    assert [(e.phase, e.subject, e.status) for e in trail] == [
        ("ended", f"bus/{event(path)['source']}", 202)
    ] * 2


def test_an_event_names_the_organisation_of_its_batch(stack: Stack) -> None:
    given = event("accept_request/requested.json")
    given["detail"]["data"].pop("assignment_id", None)
    given["detail"]["organisation"] = "south"
    batch_id = invoke("accept_request", given)["batch_id"]
    assert adapters().select_batch(batch_id).organisation == "south"
    given["detail"]["organisation"] = "../south"
    assert invoke("accept_request", given) == {"refused": "invalid-request"}


@checks("accept_request/no_data.json")
def test_an_event_without_a_request_is_refused(stack: Stack, path: str) -> None:
    assert invoke("accept_request", event(path)) == {"refused": "invalid-request"}
    error_info = stack.published()["CJAssessmentFailed.v1"]["data"]["error_info"]
    assert "detail.data" in error_info["why"]
    assert error_info["problem"] == "invalid-request"
    assert error_info["remedy_code"] == "request_again"


@checks("accept_request/one_essay.json")
def test_an_event_with_a_bad_request_is_refused(stack: Stack, path: str) -> None:
    assert invoke("accept_request", event(path)) == {"refused": "invalid-request"}
    assert "essays" in stack.published()["CJAssessmentFailed.v1"]["data"]["error_info"]["why"]
    assert not stack.executions("RUNNING")


def bearer(**changes: Any) -> str:
    given: dict[str, Any] = {
        "secret": SECRET, "now": datetime.now(UTC), "lifetime": timedelta(minutes=5), **changes,
    }  # fmt: skip
    caller = Caller(subject="teacher", organisation="north", roles=frozenset({Role.ASSESSOR}))
    return sign_token(caller, **given)


@checks("authorize_request/bearer.json")
def test_a_signed_token_opens_every_route(stack: Stack, path: str) -> None:
    given = event(path)
    given["authorizationToken"] = given["authorizationToken"].replace("${TOKEN}", bearer())
    answer = invoke("authorize_request", given)
    [statement] = answer["policyDocument"]["Statement"]
    assert (answer["principalId"], statement["Effect"]) == ("teacher", "Allow")
    assert statement["Resource"].endswith("example/live/*")
    assert answer["context"] == {"organisation": "north", "roles": "assessor"}


def assert_denied(answer: dict[str, Any]) -> None:
    """No error, which would set off an alarm: a policy that denies the whole API."""
    [statement] = answer["policyDocument"]["Statement"]
    assert (answer["principalId"], statement["Effect"]) == ("refused", "Deny")
    assert statement["Resource"].endswith("example/live/*")


@checks("authorize_request/wrong_token.json")
def test_a_token_that_is_none_is_refused(stack: Stack, path: str) -> None:
    assert_denied(invoke("authorize_request", event(path)))


@checks("authorize_request/other_scheme.json")
def test_another_scheme_is_refused(stack: Stack, path: str) -> None:
    assert_denied(invoke("authorize_request", event(path)))


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another key that is also long enough for the algorithm"},
        {"lifetime": timedelta(minutes=-5)},
    ],
)
def test_a_forged_or_expired_token_is_refused(stack: Stack, changes: dict[str, Any]) -> None:
    given = event("authorize_request/bearer.json")
    given["authorizationToken"] = f"Bearer {bearer(**changes)}"
    assert_denied(invoke("authorize_request", given))


@checks("prepare_batch/batch.json")
def test_prepare(stack: Stack, path: str) -> None:
    stack.requested()
    expected = {"batch_id": BATCH_ID, "essays": 4, "anchors": 3}
    assert invoke("prepare_batch", event(path)) == expected
    assert invoke("prepare_batch", event(path)) == expected
    assert stack.status() is BatchStatus.GENERATING_PAIRS


@checks("prepare_batch/unknown_batch.json")
def test_prepare_nothing(stack: Stack, path: str) -> None:
    with pytest.raises(UnknownBatchError):
        invoke("prepare_batch", event(path))


def test_a_request_that_cannot_be_met_is_an_answer_and_no_failure_of_the_function(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.requested()
    refusal = GradeScaleMismatchError("the anchors have other grades", field="grade_scale")
    monkeypatch.setattr("functions.prepare_batch.app.prepare_batch", mock.Mock(side_effect=refusal))
    answer = invoke("prepare_batch", event("prepare_batch/batch.json"))
    assert answer == {
        "batch_id": BATCH_ID,
        "error": {
            "Error": "GradeScaleMismatchError",
            "Cause": "grade_scale: the anchors have other grades",
        },
    }
    ended = invoke("fail_batch", {"batch_id": BATCH_ID, "error": answer["error"]})
    assert (ended["error"], ended["is_fault"]) == ("GradeScaleMismatchError", False)
    failure = present(stack.batch().failure)
    assert (failure.code, failure.message) == ("GradeScaleMismatchError", str(refusal))


@checks("plan_wave/batch.json")
def test_plan(stack: Stack, path: str) -> None:
    stack.prepared()
    answer = invoke("plan_wave", event(path))
    assert (answer["batch_id"], answer["wave"]) == (BATCH_ID, 1)
    assert answer["planned"] == len(stack.list_comparisons()) == 14
    assert invoke("plan_wave", event(path)) == answer
    assert len(stack.list_comparisons()) == 14
    assert stack.status() is BatchStatus.WAITING_CALLBACKS


@checks("submit_wave/wave.json")
def test_submit(stack: Stack, path: str) -> None:
    stack.planned()
    invoke("submit_wave", event(path))
    invoke("submit_wave", event(path))
    ids = {comparison.comparison_id for comparison in stack.list_comparisons()}
    sent = stack.messages("judge")
    assert sorted(message["comparison_id"] for message in sent) == sorted(ids)
    assert set(adapters().comparisons.list_pending(BATCH_ID, 1)) == ids
    wave = adapters().batches.get_wave(BATCH_ID, 1)
    assert wave is not None
    assert wave.task_token == "example-task-token"


def find_status(index: int, stack: Stack) -> ComparisonStatus:
    return stack.list_comparisons()[index].status


@checks("call_judge/messages.json")
def test_call_judge(stack: Stack, path: str) -> None:
    stack.submitted()
    for _ in range(2):
        assert invoke("call_judge", event(path)) == {"batchItemFailures": []}
    # The messages of a batch are asked about side by side, in no order.
    asked = sorted(post["metadata"]["comparison_id"] for post in stack.judge.posted)
    assert asked == ["w001-00000", "w001-00001"]
    post = stack.judge.posted[0]
    assert post["callback"]["queue_url"] == stack.queues["callbacks"]
    assert post["essay_a"]["text"] in post["prompt_blocks"][1]["content"]


@checks("call_judge/partial_failure.json")
def test_call_judge_returns_only_what_failed(stack: Stack, path: str) -> None:
    stack.submitted()
    answer = invoke("call_judge", receivable(stack, path))
    failed = sorted(item["itemIdentifier"] for item in answer["batchItemFailures"])
    assert failed == ["message-1", "message-2"]
    assert len(stack.judge.posted) == 1


@checks("call_judge/unavailable.json")
def test_call_judge_gives_up_at_the_last_receive(stack: Stack, path: str) -> None:
    from starlette.responses import Response

    stack.submitted()
    stack.messages("callbacks")
    stack.judge.answer = lambda _: Response(status_code=503)
    given = receivable(stack, path)
    assert len(invoke("call_judge", given)["batchItemFailures"]) == 1
    assert stack.messages("callbacks") == []
    given["Records"][0]["attributes"]["ApproximateReceiveCount"] = "4"
    assert invoke("call_judge", given) == {"batchItemFailures": []}
    [error] = stack.messages("callbacks")
    assert error["error_detail"]["code"] == "judge-unavailable"
    assert error["error_detail"]["retryable"] is True


@checks("call_judge/provider_batch_look.json")
@checks("call_judge/provider_batch.json", "submission")
def test_call_judge_submits_a_providers_batch_and_brings_it_in(
    stack: Stack, submission: str, path: str
) -> None:
    with provider_server("openai") as provider:
        judge = {
            "provider": "openai", "model": "gpt-4.1-mini", "base_url": provider.url,
            "batching_mode": "provider_batch_api",
        }  # fmt: skip
        stack.submitted(judge=judge)
        stack.messages("judge")
        provider.script = [Reply({"id": "file-1"}), Reply({"id": "batch_1"})]
        for _ in range(2):
            assert invoke("call_judge", event(submission)) == {"batchItemFailures": []}
        assert [asked.path for asked in provider.requests] == ["/files", "/batches"]
        assert stack.messages("judge") == [], "the next look comes with a delay"
        lines = [openai_line(f"w001-0000{n}", winner) for n, winner in enumerate("AB")]
        ended = {"id": "batch_1", "status": "completed", "output_file_id": "file-2"}
        provider.script = [Reply(ended), Reply(ended), Reply("\n".join(lines)), Reply(ended)]
        assert invoke("call_judge", event(path)) == {"batchItemFailures": []}
    verdicts = [body for body in stack.messages("callbacks") if "winner" in body]
    assert sorted(body["winner"] for body in verdicts) == ["A", "B"]


def openai_line(comparison_id: str, winner: str) -> str:
    document = {"verdicts": [verdict(comparison_id, winner)]}
    response = {"status_code": 200, "body": openai_reply(document).body}
    return json.dumps({"custom_id": comparison_id, "response": response, "error": None})


def receivable(stack: Stack, path: str) -> dict[str, Any]:
    """The event with receipts of real messages, whose visibility the handler may change."""
    given = event(path)
    sqs, url = stack.client("sqs"), stack.queues["judge"]
    for record in given["Records"]:
        sqs.send_message(QueueUrl=url, MessageBody="{}")
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        record["receiptHandle"] = message["ReceiptHandle"]
    return given


@checks("record_callback/verdicts.json")
def test_record_verdicts(stack: Stack, path: str) -> None:
    stack.submitted()
    for _ in range(2):
        assert invoke("record_callback", event(path)) == {"batchItemFailures": []}
    one, tie = (comparison.pair_verdict for comparison in stack.list_comparisons()[:2])
    assert one is not None
    assert tie is not None
    assert (one.winner, one.degree, one.input_tokens) == ("first", "clear", 812)
    assert tie.winner == "tie"
    assert stack.tally().recorded == 2
    pending = adapters().comparisons.list_pending(BATCH_ID, 1)
    assert pending == [comparison.comparison_id for comparison in stack.list_comparisons()[2:]]


@checks("record_callback/duplicate.json")
def test_record_duplicate(stack: Stack, path: str) -> None:
    stack.submitted()
    assert invoke("record_callback", event(path)) == {"batchItemFailures": []}
    verdict = stack.list_comparisons()[0].pair_verdict
    assert verdict is not None
    assert verdict.winner == "first"
    assert stack.tally().recorded == 1


@checks("erase_data/removed_anchors.json")
def test_a_message_about_removed_anchors_is_done_with(stack: Stack, path: str) -> None:
    # tests/handlers/test_erasure.py says what goes and what stays.
    assert invoke("erase_data", event(path)) == {"batchItemFailures": []}


@checks("erase_data/batch.json")
def test_a_message_about_an_erasure_that_there_never_was_changes_nothing(
    stack: Stack, path: str
) -> None:
    stack.completed()
    assert invoke("erase_data", event(path)) == {"batchItemFailures": []}
    assert stack.status() is BatchStatus.COMPLETED


@checks("send_webhooks/published.json")
def test_an_event_that_nobody_wants_is_done_with(stack: Stack, path: str) -> None:
    assert invoke("send_webhooks", event(path)) == {"batchItemFailures": []}
    assert stack.messages("webhooks") == []


@checks("send_webhooks/delivery.json")
def test_a_delivery_to_a_removed_webhook_is_done_with(stack: Stack, path: str) -> None:
    assert invoke("send_webhooks", event(path)) == {"batchItemFailures": []}


@checks("send_webhooks/malformed.json")
def test_what_is_no_webhook_message_becomes_a_dead_letter(stack: Stack, path: str) -> None:
    (returned,) = invoke("send_webhooks", event(path))["batchItemFailures"]
    assert returned == {"itemIdentifier": event(path)["Records"][0]["messageId"]}


@checks("record_callback/errors.json")
def test_record_errors(stack: Stack, path: str) -> None:
    stack.submitted()
    assert invoke("record_callback", event(path)) == {"batchItemFailures": []}
    refused, unknown_winner = stack.list_comparisons()[2:4]
    assert refused.status is unknown_winner.status is ComparisonStatus.FAILED
    assert (refused.may_be_retried, unknown_winner.may_be_retried) == (False, True)
    assert unknown_winner.failure is not None
    assert "winner" in unknown_winner.failure.message


@checks("record_callback/partial_failure.json")
def test_record_returns_only_what_cannot_be_attributed(stack: Stack, path: str) -> None:
    stack.submitted()
    answer = invoke("record_callback", event(path))
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == [
        "message-1",
        "message-2",
        "message-3",
    ]
    assert stack.tally().recorded == 1


@checks("record_callback/deadline.json")
def test_record_deadline(stack: Stack, path: str) -> None:
    stack.submitted()
    (record,) = event(path)["Records"]
    deadline = datetime.fromisoformat(json.loads(record["body"])["deadline"])
    adapters().batches.update_wave(BATCH_ID, 1, deadline=deadline)
    assert invoke("record_callback", event(path)) == {"batchItemFailures": []}
    tally = stack.tally()
    assert (tally.failed, tally.pending) == (tally.planned, 0)
    wave = adapters().batches.get_wave(BATCH_ID, 1)
    assert wave is not None
    assert wave.closed_by == "deadline"


@checks("score_batch/wave.json")
def test_score(stack: Stack, path: str) -> None:
    stack.answered()
    answer = invoke("score_batch", event(path))
    assert answer["decision"] == "REQUEST_MORE_COMPARISONS"
    assert answer["explanation"]
    assert invoke("score_batch", event(path)) == answer
    assert stack.status() is BatchStatus.GENERATING_PAIRS
    assert stack.published()["CJWaveScored.v1"]["data"]["wave"] == 1


@checks("score_batch/cancelled.json")
def test_score_a_cancelled_batch(stack: Stack, path: str) -> None:
    stack.cancelled()
    assert invoke("score_batch", event(path))["decision"] == "NO_OP"
    assert stack.status() is BatchStatus.CANCELLED


@checks("finalise_batch/batch.json")
def test_finalise(stack: Stack, path: str) -> None:
    stack.scored()
    answer = invoke("finalise_batch", event(path))
    assert (answer["status"], stack.status()) == ("COMPLETED", BatchStatus.COMPLETED)
    assert invoke("finalise_batch", event(path)) == answer
    published = stack.published()
    rich = published["AssessmentResultPublished.v1"]["data"]
    assert rich["result_included"] is True
    assert rich["rankings"][0]["rank"] == 1
    assert published["CJAssessmentCompleted.v1"]["data"]["result_sha256"] == answer["result_sha256"]
    assert adapters().batches.list_active_batches() == []


@checks("finalise_batch/not_scored.json")
def test_finalise_too_early(stack: Stack, path: str) -> None:
    stack.submitted()
    with pytest.raises(IllegalTransitionError, match="WAITING_CALLBACKS"):
        invoke("finalise_batch", event(path))


@checks("fail_batch/decision.json")
def test_fail_by_decision(stack: Stack, path: str) -> None:
    stack.submitted()
    answer = invoke("fail_batch", event(path))
    assert (answer["error"], answer["is_fault"]) == ("judge_at_chance", False)
    assert isinstance(answer["cause"], str)
    assert stack.batch().outcome is Outcome.FAILED_BY_DECISION
    error_info = stack.published()["CJAssessmentFailed.v1"]["data"]["error_info"]
    assert error_info["what_to_do"]
    assert (error_info["problem"], error_info["remedy_code"]) == (None, "judge_at_chance")


@checks("fail_batch/error.json")
def test_fail_by_error_keeps_the_message_and_the_first_reason(stack: Stack, path: str) -> None:
    stack.submitted()
    answer = invoke("fail_batch", event(path))
    assert answer == {
        "batch_id": BATCH_ID,
        "error": "ScoringFailedError",
        "cause": "outcome row 3 is 7",
        "is_fault": True,
    }
    assert invoke("fail_batch", event("fail_batch/decision.json")) == answer
    error_info = stack.published()["CJAssessmentFailed.v1"]["data"]["error_info"]
    assert (error_info["problem"], error_info["remedy_code"]) == ("scoring-failed", "request_again")
    assert stack.batch().outcome is Outcome.FAILED_CRITICALLY


@checks("watch_batches/schedule.json")
def test_watch(stack: Stack, path: str) -> None:
    stack.submitted(batch_timeout_hours=1)
    assert invoke("watch_batches", event(path)) == {
        "batches": {"WAITING_CALLBACKS": 1},
        "repairs": {},
    }
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    adapters().table.update(
        {"PK": f"BATCH#{BATCH_ID}", "SK": "BATCH"}, ItemUpdate({"updated_at": long_ago})
    )
    assert invoke("watch_batches", event(path))["repairs"] == {BATCH_ID: "failed"}
    assert stack.status() is BatchStatus.FAILED
    assert stack.executions("ABORTED") == [BATCH_ID]
    assert invoke("watch_batches", event(path)) == {"batches": {}, "repairs": {}}


PROTOCOL: dict[str, type[BaseModel]] = {
    "compare_request.json": llm_protocol.CompareRequestV1,
    "result_verdict.json": llm_protocol.LLMComparisonResultV1,
    "result_tie.json": llm_protocol.LLMComparisonResultV1,
    "result_error.json": llm_protocol.LLMComparisonResultV1,
    "compare_request_v2.json": list_protocol.CompareRequestV2,
    "result_order.json": list_protocol.LLMComparisonResultV2,
    "judge_request.json": queue_messages.JudgeRequestV1,
    "wave_deadline.json": queue_messages.WaveDeadlineV1,
}


@pytest.mark.parametrize("name", PROTOCOL)
def test_examples_of_the_protocol_say_all_that_the_models_say(name: str) -> None:
    example = event(f"llm_protocol/{name}")
    parsed = PROTOCOL[name].model_validate(copy.deepcopy(example))
    written = parsed.model_dump_json(by_alias=True, exclude_none=True)
    assert PROTOCOL[name].model_validate_json(written) == parsed
    assert set(example) <= set(json.loads(written))


def test_every_event_file_has_its_test() -> None:
    files = {str(path.relative_to(EVENTS)) for path in EVENTS.rglob("*.json")}
    api = {path for path in files if path.startswith("handle_api/")}
    assert files - api == CHECKED | {f"llm_protocol/{name}" for name in PROTOCOL}


def test_every_function_has_an_event() -> None:
    functions = {path.parent.name for path in (EVENTS.parent / "functions").glob("*/app.py")}
    assert functions == {path.parent.name for path in EVENTS.rglob("*.json")} - {"llm_protocol"}
