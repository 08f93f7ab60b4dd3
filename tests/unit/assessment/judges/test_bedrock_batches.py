"""Bedrock's batch jobs over a real socket: what goes out, and everything that can come back.

Shapes: docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html and
.../userguide/batch-inference-results.html.
"""

from __future__ import annotations

import json

import pytest

from assessment.domain.document_keys import provider_batch_key
from assessment.domain.judge_errors import JudgeRefusedError, JudgeUnavailableError
from local.providers.replies import Reply
from local.providers.scripted_server import bedrock_reply, provider_error, verdict
from tests.unit.assessment.judges.batch_calls import NAME, find, list_errors, results, submit

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
    assert bedrock.use_batch(lambda judge: judge.has_ended(ARN)) is ended


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
