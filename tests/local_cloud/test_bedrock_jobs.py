"""Bedrock's jobs on the laptop cloud: its S3, its conversations, and what its functions see."""

import io
import json
import zipfile

import httpx
import pytest
from botocore.config import Config

from benchmarks.judges import pairs_of_texts
from local.judge.options import JudgeOptions
from local.stack.deploy import STACK
from tests.unit.local.batch_clients import BUCKET, MODEL, ROLE, converse_body, json_lines, until

pytestmark = pytest.mark.local_cloud

FUNCTION = """
import importlib.util
import boto3

def handler(event, context):
    urls = {name: boto3.client(name).meta.endpoint_url for name in event["services"]}
    return urls | {name: bool(importlib.util.find_spec(name)) for name in event["packages"]}
"""


@pytest.fixture(scope="module")
def places(stage):
    """A laptop cloud, and its judge."""
    options = JudgeOptions(latency=0, batch_seconds=0.1, bedrock_minimum_records=10)
    with stage(options) as (set_up, judge):
        yield set_up.cloud, judge


def client(cloud, service, url=None):
    config = Config(retries={"total_max_attempts": 1})
    return cloud.session().client(service, endpoint_url=url or cloud.url, config=config)


def test_a_job_reads_and_writes_s3_and_answers_as_the_clouds_converse_does(places):
    cloud, judge = places
    s3, bedrock = client(cloud, "s3"), client(cloud, "bedrock", judge.url)
    s3.create_bucket(Bucket=BUCKET)
    asked = {pair.comparison_id: converse_body(pair) for pair in pairs_of_texts(10)}
    records = [{"recordId": key, "modelInput": body} for key, body in asked.items()]
    content = "\n".join(json.dumps(record) for record in records)
    s3.put_object(Bucket=BUCKET, Key="in/wave-1.jsonl", Body=content.encode())
    arn = bedrock.create_model_invocation_job(
        jobName="wave-1",
        roleArn=ROLE,
        modelId=MODEL,
        modelInvocationType="Converse",
        inputDataConfig={"s3InputDataConfig": {"s3Uri": f"s3://{BUCKET}/in/wave-1.jsonl"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": f"s3://{BUCKET}/out/"}},
    )["jobArn"]
    job = until(
        lambda: bedrock.get_model_invocation_job(jobIdentifier=arn), lambda job: "endTime" in job
    )
    assert job["status"] == "Completed", job
    folder = f"out/{arn.rpartition('/')[2]}"
    written = s3.get_object(Bucket=BUCKET, Key=f"{folder}/wave-1.jsonl.out")["Body"].read()
    manifest = s3.get_object(Bucket=BUCKET, Key=f"{folder}/manifest.json.out")["Body"].read()
    assert json.loads(manifest)["successRecordCount"] == len(asked)
    runtime = client(cloud, "bedrock-runtime")
    outputs = {row["recordId"]: row["modelOutput"] for row in json_lines(written)}
    for key, body in asked.items():
        conversation = runtime.converse(modelId=MODEL, **body)
        # How long it took is not part of an answer.
        del conversation["ResponseMetadata"], conversation["metrics"], outputs[key]["metrics"]
        assert outputs[key] == conversation
    totals = httpx.get(f"{judge.url}/stats", timeout=10).json()["totals"]
    assert (totals["batches"], totals["calls"]) == (1, len(asked))


def test_functions_ask_the_judge_for_jobs_and_the_cloud_for_conversations(places):
    cloud, judge = places
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", FUNCTION)
    functions = client(cloud, "lambda")
    functions.create_function(
        FunctionName="endpoints",
        Runtime="python3.13",
        Role=functions.get_function(FunctionName=f"{STACK}-call-judge")["Configuration"]["Role"],
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )
    services = ["bedrock", "bedrock-runtime", "s3"]
    event = {"services": services, "packages": ["botocore", "pydantic"]}
    answer = functions.invoke(FunctionName="endpoints", Payload=json.dumps(event).encode())
    told = json.loads(answer["Payload"].read())
    assert told["bedrock"] == judge.url
    assert told["bedrock-runtime"] == told["s3"]
    assert told["s3"].rpartition(":")[2] == str(cloud.server.port)
    # A function without layers has what the runtime brings, whatever is installed here.
    assert (told["botocore"], told["pydantic"]) == (True, False)
