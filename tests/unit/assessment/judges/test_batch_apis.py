"""Providers' batches over a real socket: what goes out, and everything that can come back.

Shapes: platform.openai.com/docs/api-reference/batch (and .../files), docs.anthropic.com/en/api/
creating-message-batches (and its neighbours), docs.aws.amazon.com/bedrock/latest/APIReference/
API_CreateModelInvocationJob.html and .../userguide/batch-inference-results.html.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest

from assessment.domain.document_keys import provider_batch_key
from assessment.domain.judge import Price
from assessment.domain.judge_errors import (
    JudgeDeferredError,
    JudgeRefusedError,
    JudgeUnavailableError,
)
from assessment.domain.provider_batch import SubmissionAttempt, submission_name
from local.providers.replies import Reply
from local.providers.scripted_server import (
    anthropic_reply,
    bedrock_reply,
    openai_reply,
    provider_error,
    provider_server,
    verdict,
)
from tests.unit.assessment.judges.conftest import KEY, make_asking, questions

NAME = submission_name("batch", 1, "openai/model-1", 0)
TRIED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def openai():
    with provider_server("openai") as server:
        yield make_asking("openai", server, timeout_seconds=20)


@pytest.fixture
def anthropic():
    with provider_server("anthropic") as server:
        yield make_asking("anthropic", server, timeout_seconds=20)


@pytest.fixture
def bedrock():
    with provider_server("bedrock") as server:
        yield make_asking("bedrock", server, timeout_seconds=20)


def submit(asking, ids=("c1", "c2")):
    return asking.in_batch(lambda judge: judge.submit(NAME, make_questions(asking, ids)))


def make_questions(asking, ids):
    """Each with a prompt of its own."""
    return [questions([name], asking.judge) for name in ids]


def results(asking, ids=("c1", "c2"), batch="batch_1"):
    """Results by comparison."""
    found = asking.in_batch(lambda judge: judge.read_results(batch, make_questions(asking, ids)))
    assert [each.request_metadata.comparison_id for each in found] == list(ids)
    return dict(zip(ids, found, strict=True))


def find(asking, *, claimed=()):
    attempt = SubmissionAttempt(NAME, TRIED, n_requests=2)
    return asking.in_batch(
        lambda judge: judge.find(attempt, is_claimed=lambda each: each in claimed)
    )


def lines(*documents):
    return Reply("".join(json.dumps(document) + "\n" for document in documents))


def list_errors(found):
    return {
        name: (result.error_detail.code, result.error_detail.retryable)
        for name, result in found.items()
        if result.error_detail
    }


# --- OpenAI --------------------------------------------------------------------------------------


def openai_batch(status="completed", **changes):
    return Reply(
        {
            "id": "batch_1",
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": None,
            "input_file_id": "file-in",
            "completion_window": "24h",
            "status": status,
            "output_file_id": "file-out",
            "error_file_id": None,
            "created_at": int(TRIED.timestamp()),
            "request_counts": {"total": 2, "completed": 2, "failed": 0},
            "metadata": {"submission": NAME},
            **changes,
        }
    )


def openai_line(name, reply, status=200):
    response = {"status_code": status, "request_id": "req_1", "body": reply.body}
    return {"id": "batch_req_1", "custom_id": name, "response": response, "error": None}


def openai_verdict(name, winner="A"):
    return openai_line(name, openai_reply({"verdicts": [verdict(name, winner)]}))


def test_openai_takes_a_file_of_requests_and_a_batch_of_the_file(openai):
    openai.server.script = [Reply({"id": "file-in", "object": "file"}), openai_batch("validating")]
    assert submit(openai) == "batch_1"
    upload, order = openai.server.requests
    assert (upload.path, order.path) == ("/files", "/batches")
    assert {each.headers["authorization"] for each in openai.server.requests} == {f"Bearer {KEY}"}
    head = f"Content-Type: {upload.headers['content-type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + upload.content).get_payload()
    purpose, file = parts
    assert purpose.get_payload() == "batch"
    sent = [json.loads(line) for line in file.get_payload().splitlines()]
    assert [line["custom_id"] for line in sent] == ["c1", "c2"]
    assert {(line["method"], line["url"]) for line in sent} == {("POST", "/v1/chat/completions")}
    assert sent[0]["body"]["response_format"]["type"] == "json_schema"
    assert "first of c1" in sent[0]["body"]["messages"][1]["content"]
    assert "first of c2" not in sent[0]["body"]["messages"][1]["content"]
    assert order.body == {
        "input_file_id": "file-in",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"submission": NAME},
    }


def test_openai_is_known_not_to_have_what_was_never_ordered(openai):
    openai.server.script = [provider_error("openai", 500, "no disk")]
    with pytest.raises(JudgeUnavailableError) as upload:
        submit(openai)
    assert upload.value.busy, "there is no batch to look for"
    openai.server.script = [Reply({"id": "file-in"}), provider_error("openai", 500, "oh")]
    with pytest.raises(JudgeUnavailableError) as order:
        submit(openai)
    assert not order.value.busy, "there may be one"


def test_openai_that_does_not_answer_the_order_may_have_taken_it(openai):
    openai.judge = openai.judge.model_copy(update={"timeout_seconds": 2})
    openai.server.script = [Reply({"id": "file-in"}), Reply({"id": "batch_1"}, delay=2.5)]
    with pytest.raises(JudgeUnavailableError, match="ReadTimeout") as caught:
        submit(openai)
    assert not caught.value.busy


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("validating", False), ("in_progress", False), ("finalizing", False),
        ("cancelling", False), ("completed", True), ("failed", True), ("expired", True),
        ("cancelled", True), ("something new", False),
    ],
)  # fmt: skip
def test_openai_batches_end_in_four_ways(openai, status, ended):
    openai.server.script = [openai_batch(status)]
    assert openai.in_batch(lambda judge: judge.has_ended("batch_1")) is ended


def test_openai_verdicts_come_in_any_order_and_cost_half(openai):
    openai.judge = openai.judge.model_copy(update={"price": Price(input_usd=2, output_usd=8)})
    openai.server.script = [
        openai_batch(),
        lines(openai_verdict("c2", "B"), openai_verdict("c9"), openai_verdict("c1", "tie")),
    ]
    found = results(openai)
    assert [found[name].winner for name in ("c1", "c2")] == ["tie", "B"]
    assert found["c1"].cost_usd == pytest.approx((1000 * 2 + 101 * 8) / 1e6 / 2)
    assert [each.path for each in openai.server.requests] == [
        "/batches/batch_1",
        "/files/file-out/content",
    ]


def test_openai_lines_fail_alone_each_for_its_reason(openai):
    ids = ("good", "busy", "refused", "policy", "expired", "cut", "talk", "never")
    talk = openai_line("talk", openai_reply("I prefer essay A."))
    cut = json.dumps(openai_verdict("cut"))[:60]
    expired = {
        "id": "batch_req_2",
        "custom_id": "expired",
        "response": None,
        "error": {"code": "batch_expired", "message": "This request could not be executed."},
    }
    output = lines(openai_verdict("good"), talk)
    output.body += cut
    failing = lines(
        openai_line("busy", provider_error("openai", 429, "slow down"), 429),
        openai_line("refused", provider_error("openai", 400, "bad request"), 400),
        openai_line("policy", provider_error("openai", 400, "content_policy_violation"), 400),
        expired,
    )
    openai.server.script = [openai_batch("expired", error_file_id="file-err"), output, failing]
    found = results(openai, ids)
    assert found["good"].winner == "A"
    assert list_errors(found) == {
        "busy": ("judge-unavailable", True),
        "refused": ("judge-refused", False),
        "policy": ("content-refused", False),
        "expired": ("provider-batch", True),
        "cut": ("provider-batch", True),
        "talk": ("malformed_verdict", True),
        "never": ("provider-batch", True),
    }
    assert "batch_expired" in found["expired"].error_detail.message


def test_openai_that_knows_no_schemas_is_asked_without_the_next_time(openai):
    refusal = provider_error("openai", 400, "response_format json_schema is not supported")
    openai.server.script = [
        openai_batch(output_file_id=None, error_file_id="file-err"),
        lines(openai_line("c1", refusal, 400), openai_line("c2", refusal, 400)),
    ]
    assert list_errors(results(openai)) == {
        "c1": ("provider-batch", True),
        "c2": ("provider-batch", True),
    }
    openai.server.requests.clear()
    openai.server.script = [Reply({"id": "file-in"}), openai_batch("validating")]
    submit(openai)
    assert b'{"type": "json_object"}' in openai.server.requests[0].content
    assert b"json_schema" not in openai.server.requests[0].content


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_json_line", ("judge-refused", False)),
        ("rate_limit_exceeded", ("provider-batch", True)),
    ],
)
def test_openai_refuses_a_batch_whole_with_a_reason(openai, code, expected):
    problem = {"code": code, "message": "not like this", "param": None, "line": 2}
    openai.server.script = [
        openai_batch("failed", output_file_id=None, errors={"object": "list", "data": [problem]})
    ]
    found = results(openai)
    assert list_errors(found) == {"c1": expected, "c2": expected}
    assert f"{code}: not like this (line 2)" in found["c1"].error_detail.message


def openai_page(*batches, has_more=False):
    data = [batch.body for batch in batches]
    return Reply({"object": "list", "data": data, "has_more": has_more})


def test_openai_batches_are_found_by_their_name_on_any_page(openai):
    others = [openai_batch(id=f"batch_{n}", metadata=None) for n in (9, 8)]
    openai.server.script = [
        openai_page(*others, has_more=True),
        openai_page(openai_batch(id="batch_7")),
    ]
    assert find(openai) == "batch_7"
    assert openai.server.requests[0].path == "/batches?limit=100"
    assert openai.server.requests[1].path == "/batches?limit=100&after=batch_8"


def test_openai_is_not_searched_beyond_the_time_of_the_try(openai):
    long_ago = int((TRIED - timedelta(minutes=10)).timestamp())
    openai.server.script = [
        openai_page(openai_batch(metadata={}), openai_batch(created_at=long_ago), has_more=True)
    ]
    assert find(openai) is None
    assert len(openai.server.requests) == 1


def test_openai_lets_go_of_files_even_where_some_are_gone(openai):
    gone = provider_error("openai", 404, "no such file")
    openai.server.script = [openai_batch(), gone, Reply({"deleted": True})]
    openai.in_batch(lambda judge: judge.delete("batch_1"))
    assert [(each.method, each.path) for each in openai.server.requests[1:]] == [
        ("DELETE", "/files/file-in"),
        ("DELETE", "/files/file-out"),
    ]


# --- Anthropic -----------------------------------------------------------------------------------

MARK = NAME[-24:]


def anthropic_batch(status="ended", *, size=2, created=TRIED, **changes):
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    counts["succeeded" if status == "ended" else "processing"] = size
    return Reply(
        {
            "id": "msgbatch_1",
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "created_at": created.isoformat().replace("+00:00", "Z"),
            "expires_at": (created + timedelta(days=1)).isoformat(),
            "ended_at": None,
            "results_url": "https://attacker.example.org/results",
            **changes,
        }
    )


def anthropic_line(name, kind="succeeded", mark=MARK, **result):
    return {"custom_id": f"{mark}-{name}", "result": {"type": kind, **result}}


def anthropic_verdict(name, winner="A", mark=MARK):
    reply = anthropic_reply({"verdicts": [verdict(name, winner)]})
    return anthropic_line(name, mark=mark, message=reply.body)


def anthropic_error(name, kind):
    error = {"type": "error", "error": {"type": kind, "message": f"{kind} it is"}}
    return anthropic_line(name, "errored", error=error)


def test_anthropic_takes_all_requests_in_one(anthropic):
    anthropic.server.script = [anthropic_batch("in_progress")]
    assert submit(anthropic, ("w001-00000", "w001-00001")) == "msgbatch_1"
    (order,) = anthropic.server.requests
    assert order.path == "/v1/messages/batches"
    assert order.headers["x-api-key"] == KEY
    assert order.headers["anthropic-version"] == "2023-06-01"
    first, second = order.body["requests"]
    assert first["custom_id"] == f"{MARK}-w001-00000"
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", second["custom_id"])
    assert first["params"]["tool_choice"] == {"type": "tool", "name": "record_verdicts"}
    assert "first of w001-00000" in first["params"]["messages"][0]["content"]


def test_anthropic_results_come_in_any_order_and_fail_alone(anthropic):
    ids = ("good", "other", "busy", "bad", "key", "expired", "canceled", "never")
    refused = anthropic_reply({}, stop="refusal")
    quoting = anthropic_error("key", "invalid_request_error")
    quoting["result"]["error"]["error"]["message"] = f"no such key: {KEY}"
    anthropic.server.script = [
        lines(
            anthropic_error("busy", "overloaded_error"),
            anthropic_verdict("good", "B"),
            anthropic_error("bad", "invalid_request_error"),
            quoting,
            anthropic_line("expired", "expired"),
            anthropic_line("canceled", "canceled"),
            anthropic_line("other", message=refused.body),
        )
    ]
    found = results(anthropic, ids, "msgbatch_1")
    assert found["good"].winner == "B"
    assert list_errors(found) == {
        "other": ("content-refused", False),
        "busy": ("provider-batch", True),
        "bad": ("judge-refused", False),
        "key": ("judge-refused", False),
        "expired": ("provider-batch", True),
        "canceled": ("provider-batch", True),
        "never": ("provider-batch", True),
    }
    assert "invalid_request_error it is" in found["bad"].error_detail.message
    assert "sk-" not in found["key"].error_detail.message


def test_anthropic_models_that_take_no_forced_tool_are_asked_without_the_next_time(anthropic):
    forced = anthropic_error("c1", "invalid_request_error")
    forced["result"]["error"]["error"]["message"] = "tool_choice: forced tool use is not supported"
    anthropic.server.script = [lines(forced)]
    assert list_errors(results(anthropic, ("c1",))) == {"c1": ("provider-batch", True)}
    anthropic.server.script = [anthropic_batch("in_progress")]
    submit(anthropic)
    params = anthropic.server.requests[-1].body["requests"][0]["params"]
    assert "tool_choice" not in params
    assert params["output_config"]["format"]["type"] == "json_schema"


def test_anthropic_that_refuses_the_tool_at_once_is_asked_again_at_once(anthropic):
    refusal = provider_error("anthropic", 400, "requests.0.params.tool_choice: not supported")
    anthropic.server.script = [refusal, anthropic_batch("in_progress")]
    assert submit(anthropic) == "msgbatch_1"
    assert "tools" not in anthropic.server.requests[1].body["requests"][0]["params"]


def test_anthropic_results_are_fetched_where_the_judge_says_and_nowhere_else(anthropic):
    anthropic.server.script = [anthropic_batch(), lines(anthropic_verdict("c1"))]
    assert anthropic.in_batch(lambda judge: judge.has_ended("msgbatch_1"))
    results(anthropic, ("c1",), "msgbatch_1")
    assert anthropic.server.requests[1].path == "/v1/messages/batches/msgbatch_1/results"


def anthropic_page(*batches, has_more=False):
    data = [batch.body for batch in batches]
    last = data[-1]["id"] if data else None
    return Reply({"data": data, "has_more": has_more, "first_id": None, "last_id": last})


def test_anthropic_batches_are_found_by_their_answers(anthropic):
    anthropic.server.script = [
        anthropic_page(
            anthropic_batch(id="too_late", created=TRIED + timedelta(hours=1)),
            anthropic_batch(id="other_size", size=3),
            anthropic_batch(id="known_to_be_another"),
            anthropic_batch(id="somebody_elses"),
            has_more=True,
        ),
        lines(anthropic_verdict("c1", mark="not-ours")),
        anthropic_page(anthropic_batch(id="ours")),
        lines(anthropic_verdict("c1"), anthropic_verdict("c2")),
    ]
    assert find(anthropic, claimed={"known_to_be_another"}) == "ours"
    assert [each.path for each in anthropic.server.requests] == [
        "/v1/messages/batches?limit=100",
        "/v1/messages/batches/somebody_elses/results",
        "/v1/messages/batches?limit=100&after_id=somebody_elses",
        "/v1/messages/batches/ours/results",
    ]


def test_anthropic_that_has_a_batch_which_may_be_ours_is_waited_for(anthropic):
    anthropic.server.script = [anthropic_page(anthropic_batch("in_progress"))]
    with pytest.raises(JudgeDeferredError):
        find(anthropic)


def test_anthropic_is_not_searched_beyond_the_time_of_the_try(anthropic):
    old = anthropic_batch("in_progress", created=TRIED - timedelta(minutes=6))
    anthropic.server.script = [anthropic_page(old, has_more=True)]
    assert find(anthropic) is None
    assert len(anthropic.server.requests) == 1


@pytest.mark.parametrize("act", ["cancel", "delete"])
def test_anthropic_cancels_and_deletes(anthropic, act):
    anthropic.server.script = [anthropic_batch("canceling")]
    anthropic.in_batch(lambda judge: getattr(judge, act)("msgbatch_1"))
    (asked,) = anthropic.server.requests
    method, path = {"cancel": ("POST", "/cancel"), "delete": ("DELETE", "")}[act]
    assert (asked.method, asked.path) == (method, f"/v1/messages/batches/msgbatch_1{path}")


# --- Bedrock -------------------------------------------------------------------------------------

ARN = "arn:aws:bedrock:eu-north-1:123456789012:model-invocation-job/abc123def456"


def bedrock_job(status="Completed", **changes):
    return Reply(
        {
            "jobArn": ARN,
            "jobName": NAME,
            "modelId": "anthropic.claude-x",
            "roleArn": "arn:aws:iam::123456789012:role/jobs",
            "status": status,
            "submitTime": "2026-03-02T09:00:00Z",
            "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://bucket/in"}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/out/"}},
            **changes,
        }
    )


def bedrock_output(asking, *documents):
    key = f"provider-batches/{NAME}/output/abc123def456/input.jsonl.out"
    asking.content.put_document(key, "".join(json.dumps(each) + "\n" for each in documents))


def bedrock_verdict(record, name, winner="A"):
    output = bedrock_reply({"verdicts": [verdict(name, winner)]}).body
    return {"recordId": record, "modelInput": {}, "modelOutput": output}


def test_bedrock_takes_a_file_in_the_bucket_under_a_name_that_it_takes_once(bedrock):
    bedrock.server.script = [Reply({"jobArn": ARN})]
    assert submit(bedrock, ("w001-00000", "w001-00001")) == ARN
    (order,) = bedrock.server.requests
    assert order.path == "/model-invocation-job"
    assert order.body["jobName"] == order.body["clientRequestToken"] == NAME
    assert order.body["modelInvocationType"] == "Converse"
    assert order.body["timeoutDurationInHours"] == 24
    place = order.body["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
    key = provider_batch_key(NAME, "input.jsonl")
    assert place == f"s3://bucket/{bedrock.content.place(key)}"
    sent = [json.loads(line) for line in bedrock.content.documents[key].splitlines()]
    assert [line["recordId"] for line in sent] == ["CJw00100000", "CJw00100001"]
    for line in sent:
        assert "toolConfig" not in line["modelInput"], "jobs in this format refuse tools"
        form = line["modelInput"]["outputConfig"]["textFormat"]
        assert form["structure"]["jsonSchema"]["name"] == "record_verdicts"
    assert "modelId" not in sent[0]["modelInput"], "the job names the model"


def test_bedrock_records_come_in_any_order_and_fail_alone(bedrock):
    ids = ("w001-00000", "w001-00001", "w001-00002", "w001-00003")
    bedrock_output(
        bedrock,
        {
            "recordId": "CJw00100002",
            "error": {"errorCode": 400, "errorMessage": "bad request"},
        },
        bedrock_verdict("CJw00100001", "w001-00001", "B"),
        bedrock_verdict("CJw00100000", "w001-00000"),
    )
    bedrock.server.script = [bedrock_job("PartiallyCompleted")]
    found = results(bedrock, ids, ARN)
    assert [found[name].winner for name in ids[:2]] == ["A", "B"]
    assert list_errors(found) == {
        "w001-00002": ("judge-refused", False),
        "w001-00003": ("provider-batch", True),
    }


def test_bedrock_models_that_take_no_forced_tool_are_asked_without_the_next_time(bedrock):
    told = "This model doesn't support the toolConfig.toolChoice.tool field."
    record = {"recordId": "CJc1", "error": {"errorCode": 400, "errorMessage": told}}
    bedrock_output(bedrock, record)
    bedrock.server.script = [bedrock_job()]
    assert list_errors(results(bedrock, ("c1",), ARN)) == {"c1": ("provider-batch", True)}
    bedrock.server.script = [Reply({"jobArn": ARN})]
    submit(bedrock)
    sent = bedrock.content.documents[f"provider-batches/{NAME}/input.jsonl"]
    assert "toolConfig" not in sent
    assert "outputConfig" in sent


def test_bedrock_that_fails_a_job_says_why(bedrock):
    told = "The batch has fewer than 100 records."
    bedrock.server.script = [bedrock_job("Failed", message=told)]
    found = results(bedrock, batch=ARN)
    assert set(list_errors(found).values()) == {("judge-refused", False)}
    assert told in found["c1"].error_detail.message


def test_bedrock_that_stopped_before_it_began_has_no_answers(bedrock):
    bedrock.server.script = [bedrock_job("Stopped")]
    assert set(list_errors(results(bedrock, batch=ARN)).values()) == {("provider-batch", True)}


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("Submitted", False), ("Validating", False), ("Scheduled", False), ("InProgress", False),
        ("Stopping", False), ("Completed", True), ("PartiallyCompleted", True), ("Failed", True),
        ("Stopped", True), ("Expired", True),
    ],
)  # fmt: skip
def test_bedrock_jobs_end_in_five_ways(bedrock, status, ended):
    bedrock.server.script = [bedrock_job(status)]
    assert bedrock.in_batch(lambda judge: judge.has_ended(ARN)) is ended


def test_bedrock_jobs_are_found_by_their_name(bedrock):
    other = {**bedrock_job().body, "jobName": f"{NAME}-2", "jobArn": f"{ARN}x"}
    bedrock.server.script = [Reply({"invocationJobSummaries": [other, bedrock_job().body]})]
    assert find(bedrock) == ARN
    assert f"nameContains={NAME}" in bedrock.server.requests[0].path
    bedrock.server.script = [Reply({"invocationJobSummaries": []})]
    assert find(bedrock) is None


def test_bedrock_that_has_no_room_for_a_job_is_asked_later(bedrock):
    bedrock.server.script = [provider_error("bedrock", 429, "too many jobs")]
    with pytest.raises(JudgeUnavailableError) as caught:
        submit(bedrock)
    assert caught.value.busy
    bedrock.server.script = [provider_error("bedrock", 400, "the role cannot be assumed")]
    with pytest.raises(JudgeRefusedError, match="role cannot be assumed"):
        submit(bedrock)


# --- several comparisons in a request ------------------------------------------------------------


def answer_together(provider, name, *verdicts):
    """What a provider's batch says of one request with these verdicts."""
    body = {"verdicts": list(verdicts)}
    if provider == "openai":
        return openai_line(name, openai_reply(body))
    if provider == "anthropic":
        result = {"type": "succeeded", "message": anthropic_reply(body).body}
        return {"custom_id": f"{NAME[-24:]}-{name}", "result": result}
    return {"recordId": f"CJ{name}", "modelOutput": bedrock_reply(body).body}


def refuse_together(provider, name):
    """A request that the provider refuses for what it says."""
    message = "the prompt is not allowed"
    if provider == "openai":
        problem = {"message": message, "code": "content_policy_violation"}
        return openai_line(name, Reply({"error": problem}), status=400)
    if provider == "anthropic":
        problem = {"type": "invalid_request_error", "message": message}
        error = {"type": "error", "error": problem}
        return {
            "custom_id": f"{NAME[-24:]}-{name}",
            "result": {"type": "errored", "error": error},
        }
    return {"recordId": f"CJ{name}", "error": {"errorCode": 400, "errorMessage": message}}


def read_together(asking, calls, *answers):
    """Results by comparison of calls of several comparisons."""
    asked = [questions(ids, asking.judge) for ids in calls]
    provider = asking.judge.provider
    batch = "batch_1"
    if provider == "openai":
        asking.server.script = [openai_batch(), lines(*answers)]
    elif provider == "anthropic":
        asking.server.script = [lines(*answers)]
    else:
        batch = "arn:aws:bedrock:eu-north-1:1:model-invocation-job/j1"
        asking.server.script = [Reply({"jobName": NAME, "status": "Completed"})]
        text = "".join(json.dumps(answer) + "\n" for answer in answers)
        asking.content.put_document(
            provider_batch_key(NAME, "output/j1/input.jsonl.out"), text, content_type="text"
        )
    found = asking.in_batch(lambda judge: judge.read_results(batch, asked))
    return {each.request_metadata.comparison_id: each for each in found}


@pytest.fixture(params=["openai", "anthropic", "bedrock"])
def batches(request):
    return request.getfixturevalue(request.param)


def test_a_request_of_several_comparisons_has_a_verdict_of_each(batches):
    provider = batches.judge.provider
    batches.judge = batches.judge.model_copy(update={"price": Price(input_usd=2, output_usd=8)})
    found = read_together(
        batches,
        [["c1", "c2"], ["c3"]],
        answer_together(provider, "c3", verdict("c3", "B")),
        answer_together(provider, "c1", verdict("c2", "B"), verdict("c1", "A")),
    )
    assert {name: each.winner for name, each in found.items()} == {"c1": "A", "c2": "B", "c3": "B"}
    together = [found[name].token_usage for name in ("c1", "c2")]
    alone = found["c3"].token_usage
    assert sum(each.input_tokens for each in together) == alone.input_tokens
    assert sum(each.output_tokens for each in together) == alone.output_tokens
    assert found["c1"].cost_usd + found["c2"].cost_usd == pytest.approx(found["c3"].cost_usd)


def test_a_comparison_without_verdict_in_its_request_fails_alone(batches):
    answer = answer_together(batches.judge.provider, "c1", verdict("c1", "A"))
    found = read_together(batches, [["c1", "c2"]], answer)
    assert found["c1"].winner == "A"
    assert list_errors(found) == {"c2": ("malformed_verdict", True)}


def test_what_refuses_a_request_of_several_is_final_for_none_of_them(batches):
    provider = batches.judge.provider
    refusals = [refuse_together(provider, name) for name in ("c1", "c3")]
    found = read_together(batches, [["c1", "c2"], ["c3"]], *refusals)
    assert {name: retryable for name, (_, retryable) in list_errors(found).items()} == {
        "c1": True, "c2": True, "c3": False,
    }  # fmt: skip


def test_a_request_that_is_answered_twice_and_differently_has_no_verdict(batches):
    provider = batches.judge.provider
    found = read_together(
        batches,
        [["c1", "c2"]],
        answer_together(provider, "c1", verdict("c1", "A"), verdict("c2", "A")),
        answer_together(provider, "c1", verdict("c1", "A"), verdict("c2", "B")),
    )
    assert {error for error, _ in list_errors(found).values()} == {"malformed_verdict"}
