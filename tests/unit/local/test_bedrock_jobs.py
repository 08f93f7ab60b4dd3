"""Model invocation jobs as boto3 speaks of them: the job, its files, lists and refusals."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.providers.json_lines import UnfitBatchError
from local.providers.s3_objects import S3Objects
from tests.unit.local.batch_clients import (
    BUCKET,
    MODEL,
    ROLE,
    BedrockClient,
    chat_body,
    converse_body,
    json_lines,
    until,
)


@pytest.fixture
def bedrock(endpoint_for):
    return lambda **options: endpoint_for(BedrockClient, **options)


def refusal(call, **parameters):
    """The error's name and HTTP status."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def submit_jobs(client, count, **changes):
    return [client.submit({"a": {}}, **changes) for _ in range(count)]


def test_a_job_tells_its_whole_life(bedrock, pairs):
    client = bedrock()
    before = datetime.now(UTC)
    arn = client.submit(
        {pair.comparison_id: converse_body(pair) for pair in pairs[:3]}, clientRequestToken="t1"
    )
    assert arn.startswith("arn:aws:bedrock:us-east-1:000000000000:model-invocation-job/")
    assert client.await_end(arn) == "Completed"
    job = client.job(arn)
    assert job["jobArn"] == arn
    settings = {
        name: job[name] for name in ("jobName", "modelId", "roleArn", "modelInvocationType")
    }
    assert settings == {
        "jobName": "job-1",
        "modelId": MODEL,
        "roleArn": ROLE,
        "modelInvocationType": "Converse",
    }
    assert job["clientRequestToken"] == "t1"
    assert before <= job["submitTime"] <= job["lastModifiedTime"] == job["endTime"]
    assert job["jobExpirationTime"] - job["submitTime"] == timedelta(hours=24)
    assert job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"] == f"s3://{BUCKET}/out/"
    assert job["totalRecordCount"] == job["processedRecordCount"] == job["successRecordCount"] == 3
    assert job["errorRecordCount"] == 0
    assert client.job(arn.rpartition("/")[2])["jobArn"] == arn


def test_a_job_that_waits_has_no_end_yet(bedrock):
    client = bedrock(batch_seconds=3600)
    (arn,) = submit_jobs(client, 1)
    job = until(lambda: client.job(arn), lambda job: job["status"] == "InProgress")
    assert (job["totalRecordCount"], job["processedRecordCount"]) == (1, 0)
    assert "endTime" not in job
    assert "message" not in job


def test_a_record_is_answered_as_the_laptop_clouds_converse_makes_it(bedrock, pairs):
    client = bedrock()
    asked = converse_body(*pairs[:2])
    arn = client.submit({"a": asked})
    client.await_end(arn)
    (row,) = json_lines(client.read_output(arn, "1.jsonl.out"))
    assert (row["recordId"], row["modelInput"]) == ("a", asked)
    chat = client.http.post("/v1/chat/completions", json=chat_body(*pairs[:2])).json()
    document = json.loads(chat["choices"][0]["message"]["content"])
    output = row["modelOutput"]
    assert output["stopReason"] == "end_turn"
    assert output["output"]["message"]["role"] == "assistant"
    (block,) = output["output"]["message"]["content"]
    assert json.loads(block["text"]) == document
    assert output["usage"] == {
        "inputTokens": chat["usage"]["prompt_tokens"],
        "outputTokens": chat["usage"]["completion_tokens"],
        "totalTokens": chat["usage"]["total_tokens"],
    }


def test_a_record_with_tools_is_refused_as_aws_refuses_it(bedrock, pairs):
    client = bedrock()
    tools = {"toolConfig": {"tools": [{"toolSpec": {"name": "any"}}]}}
    arn = client.submit({"a": converse_body(pairs[0]) | tools, "b": converse_body(pairs[1])})
    client.await_end(arn)
    rows = {row["recordId"]: row for row in json_lines(client.read_output(arn, "1.jsonl.out"))}
    assert rows["a"]["error"]["errorCode"] == 400
    assert "toolConfig" in rows["a"]["error"]["errorMessage"]
    assert "modelOutput" in rows["b"]


def test_a_conversation_without_tools_is_answered_in_words(bedrock, pairs):
    client = bedrock()
    asked = {"messages": converse_body(pairs[0])["messages"]}
    (line,) = client.run({"a": asked})
    assert line.body["stopReason"] == "end_turn"
    (block,) = line.body["output"]["message"]["content"]
    assert json.loads(block["text"])["verdicts"][0]["comparison_id"] == pairs[0].comparison_id


def test_the_manifest_counts_records_and_tokens(bedrock, pairs):
    client = bedrock(error_rate=0.5)
    arn = client.submit({pair.comparison_id: converse_body(pair) for pair in pairs})
    client.await_end(arn)
    rows = json_lines(client.read_output(arn, "1.jsonl.out"))
    usages = [row["modelOutput"]["usage"] for row in rows if "modelOutput" in row]
    manifest = json.loads(client.read_output(arn, "manifest.json.out"))
    assert 0 < len(usages) < len(pairs)
    assert manifest == {
        "totalRecordCount": len(pairs),
        "processedRecordCount": len(pairs),
        "successRecordCount": len(usages),
        "errorRecordCount": len(pairs) - len(usages),
        "inputTokenCount": sum(usage["inputTokens"] for usage in usages),
        "outputTokenCount": sum(usage["outputTokens"] for usage in usages),
    }


def test_a_record_without_an_id_gets_one(bedrock, pairs):
    client = bedrock()
    content = json.dumps({"modelInput": converse_body(pairs[0])}).encode()
    arn = client.api.create_model_invocation_job(**client.order(content))["jobArn"]
    client.await_end(arn)
    assert [line.key for line in client.results(arn)] == ["CALL0000001"]


def test_the_same_token_is_the_same_job(bedrock):
    client = bedrock(batch_seconds=3600)
    order = client.order(b"{}", clientRequestToken="t1")
    arns = {client.api.create_model_invocation_job(**order)["jobArn"] for _ in range(2)}
    assert len(arns) == 1
    assert client.stats()["totals"]["batches"] == 1


def test_a_name_is_given_once(bedrock):
    client = bedrock(batch_seconds=3600)
    create = client.api.create_model_invocation_job
    create(**client.order(b"{}", jobName="wave-1", clientRequestToken="t1"))
    again = client.order(b"{}", jobName="wave-1", clientRequestToken="t2")
    assert refusal(create, **again) == ("ConflictException", 400)


def test_a_job_of_too_few_records_fails(bedrock, pairs):
    client = bedrock(bedrock_minimum_records=100)
    arn = client.submit({"a": converse_body(pairs[0])})
    assert client.await_end(arn) == "Failed"
    job = client.job(arn)
    assert "1 records; at least 100" in job["message"]
    assert job["endTime"] >= job["submitTime"]
    assert "requests" not in client.stats()["totals"]
    assert client.read_output(arn, "manifest.json.out") == b""


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'{"modelInput": {}}\n{"recordId"', "line 2"),
        (b'{"modelInput": {}}\n{"recordId": "b"}', "line 2 has no modelInput"),
        (b"", "line 1"),
    ],
)
def test_a_bad_record_fails_the_job_and_is_named(bedrock, content, named):
    client = bedrock()
    arn = client.api.create_model_invocation_job(**client.order(content))["jobArn"]
    assert client.await_end(arn) == "Failed"
    assert named in client.job(arn)["message"]


@pytest.mark.parametrize("place", ["inputDataConfig", "outputDataConfig"])
def test_a_place_that_cannot_be_reached_fails_the_job(bedrock, pairs, place):
    client = bedrock()
    inner = "s3InputDataConfig" if place == "inputDataConfig" else "s3OutputDataConfig"
    changes = {place: {inner: {"s3Uri": "s3://no-such-bucket/x.jsonl"}}}
    arn = client.submit({"a": converse_body(pairs[0])}, **changes)
    assert client.await_end(arn) == "Failed"
    assert "no-such-bucket" in client.job(arn)["message"]


def test_a_job_on_which_the_judge_breaks_fails_and_the_next_one_runs(bedrock, pairs):
    client = bedrock()

    def broken(bucket, key):
        raise RuntimeError("no such thing can happen")

    client.objects.read, reading = broken, client.objects.read
    first = client.submit({"a": converse_body(pairs[0])})
    assert client.await_end(first) == "Failed"
    assert client.job(first)["message"] == "an unexpected error ended this batch"
    client.objects.read = reading
    assert client.await_end(client.submit({"a": converse_body(pairs[0])})) == "Completed"


@pytest.mark.parametrize(
    "changes",
    [
        {"modelInvocationType": "InvokeModel"},
        {"jobName": "-"},
        {"roleArn": "arn:aws:iam::1:user/x"},
        {"timeoutDurationInHours": 169},
        {"inputDataConfig": {"s3InputDataConfig": {"s3Uri": "http://essays/in.jsonl"}}},
    ],
)
def test_an_order_that_the_api_does_not_take_is_refused(bedrock, changes):
    client = bedrock()
    order = client.order(b"{}", **changes)
    refused = refusal(client.api.create_model_invocation_job, **order)
    assert refused == ("ValidationException", 400)


def test_a_stopped_job_cannot_be_stopped_again(bedrock):
    client = bedrock(batch_seconds=3600)
    (arn,) = submit_jobs(client, 1)
    client.cancel(arn)
    assert client.await_end(arn) == "Stopped"
    assert json.loads(client.read_output(arn, "manifest.json.out"))["processedRecordCount"] == 0
    stop = client.api.stop_model_invocation_job
    assert refusal(stop, jobIdentifier=arn) == ("ConflictException", 400)


def test_an_unknown_job_is_not_found(bedrock):
    client = bedrock()
    unknown = "arn:aws:bedrock:us-east-1:000000000000:model-invocation-job/abcdefabcdef"
    for call in (client.api.get_model_invocation_job, client.api.stop_model_invocation_job):
        assert refusal(call, jobIdentifier=unknown) == ("ResourceNotFoundException", 404)


def test_jobs_are_listed_newest_first_in_pages(bedrock):
    client = bedrock(batch_seconds=3600)
    arns = submit_jobs(client, 5)[::-1]
    pages = client.api.get_paginator("list_model_invocation_jobs").paginate(
        PaginationConfig={"PageSize": 2}
    )
    read = [[job["jobArn"] for job in page["invocationJobSummaries"]] for page in pages]
    assert read == [arns[:2], arns[2:4], arns[4:]]
    oldest_first = client.api.list_model_invocation_jobs(
        sortBy="CreationTime", sortOrder="Ascending"
    )
    assert [job["jobArn"] for job in oldest_first["invocationJobSummaries"]] == arns[::-1]


def test_jobs_are_found_by_name_status_and_time(bedrock):
    client = bedrock(batch_seconds=3600)
    first, second = (client.submit({"a": {}}, jobName=name) for name in ("b1-w1", "b2-w1"))
    client.cancel(second)
    client.await_end(second)
    until(lambda: client.status(first), lambda status: status == "InProgress")

    def listed(**filters):
        jobs = client.api.list_model_invocation_jobs(**filters)["invocationJobSummaries"]
        return [job["jobArn"] for job in jobs]

    assert listed(nameContains="b1") == [first]
    assert listed(nameContains="w1") == [second, first]
    assert listed(statusEquals="Stopped") == [second]
    assert listed(statusEquals="InProgress") == [first]
    moment = client.job(first)["submitTime"]
    assert listed(submitTimeAfter=moment - timedelta(minutes=1)) == [second, first]
    assert listed(submitTimeAfter=moment + timedelta(minutes=1)) == []
    assert listed(submitTimeBefore=moment - timedelta(minutes=1)) == []


def test_a_page_that_is_none_is_refused(bedrock):
    listing = bedrock().api.list_model_invocation_jobs
    assert refusal(listing, nextToken="none") == ("ValidationException", 400)


@mock_aws
def test_objects_are_those_of_s3():
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    objects = S3Objects(s3)
    objects.write(BUCKET, "out/a", b"content")
    assert objects.read(BUCKET, "out/a") == b"content"
    with pytest.raises(UnfitBatchError, match="cannot read s3://essays/none"):
        objects.read(BUCKET, "none")
    with pytest.raises(UnfitBatchError, match="cannot write s3://none/a"):
        objects.write("none", "a", b"")
