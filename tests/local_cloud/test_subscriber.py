"""The sample subscriber, deployed by its own template beside a bus and a bucket of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.contracts.events import EventType, envelope
from assessment.domain.identifiers import canonical_json, content_sha256
from local.stack import deploy

ROOT = Path(__file__).parents[2]
BATCH_ID = "0d9a35a5-7a3f-4a0c-9f3c-6a54f3f3c0de"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.local_cloud


def sam(*arguments, environment):
    bin_folder = str(Path(sys.executable).parent)
    done = subprocess.run(
        [deploy.SAM, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.fixture(scope="module")
def subscriber(deployed, tmp_path_factory):
    """Clients, the bus, the bucket and the outputs of the deployed subscriber."""
    build = tmp_path_factory.mktemp("subscriber")
    cloud = deployed[0].cloud
    client = lambda service: cloud.session().client(service, endpoint_url=cloud.url)  # noqa: E731
    client("events").create_event_bus(Name="assessment-events")
    client("s3").create_bucket(Bucket="assessment-content")
    environment = dict(cloud.environment())
    template = "samples/subscriber/template.yaml"
    sam("build", "-t", template, "-b", str(build), environment=environment)
    sam(
        "deploy", "-t", str(build / "template.yaml"), "--stack-name", "cj-subscriber",
        "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-progressbar",
        "--no-confirm-changeset", "--parameter-overrides",
        "EventBusName=assessment-events", "BucketName=assessment-content",
        environment=environment,
    )  # fmt: skip
    (found,) = client("cloudformation").describe_stacks(StackName="cj-subscriber")["Stacks"]
    return client, {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}


def thin(**values):
    return {
        "assignment_id": "unit",
        "status": "COMPLETED",
        "outcome": "COMPLETE_STABLE",
        "result_sha256": "0" * 64,
        "result_key": f"batches/default/{BATCH_ID}/result.json",
        **values,
    }


def ranking(rank, essay_id, *, is_anchor=False):
    return {
        "rank": rank,
        "essay_id": essay_id,
        "bradley_terry_score": 1.0 - rank,
        "bradley_terry_se": 0.4,
        "comparison_count": 8,
        "is_anchor": is_anchor,
    }


CARRIED = {
    "rankings": [ranking(1, "ada"), ranking(2, "ANCHOR_x_00000000", is_anchor=True)],
    "grade_projections": {
        "projections_available": True,
        "grade_scale": ["F", "E", "A"],
        "primary_grades": {"ada": "A"},
        "grade_probabilities": {"ada": {"F": 0.05, "E": 0.15, "A": 0.8}},
        "confidence_labels": {"ada": "MID"},
        "confidence_scores": {"ada": 0.5},
        "needs_more_evidence": [],
    },
}


def publish(client, event_type, data, *, batch_id=BATCH_ID):
    event = envelope(
        event_type,
        batch_id=batch_id,
        correlation_id=batch_id,
        organisation="default",
        data=data,
        now=NOW,
    )
    EventBridgePublisher(client("events"), "assessment-events").publish([event])


def items(client, outputs, batch_id):
    found = client("dynamodb").query(
        TableName=outputs["GradesTableName"],
        KeyConditionExpression="batch_id = :id",
        ExpressionAttributeValues={":id": {"S": batch_id}},
        ConsistentRead=True,
    )["Items"]
    return {item["essay_id"]["S"]: item for item in found}


def read_items(client, outputs, batch_id):
    """The items of the batch as soon as there are any."""
    deadline = time.monotonic() + 300
    while not (found := items(client, outputs, batch_id)):
        assert time.monotonic() < deadline, "nothing was kept within five minutes"
        time.sleep(0.2)
    return found


def test_grades_of_an_event_are_kept_once_each(subscriber):
    client, outputs = subscriber
    data = thin(result_included=True, **CARRIED)
    for _ in range(2):
        publish(client, EventType.RESULT_PUBLISHED, data)
    found = read_items(client, outputs, BATCH_ID)
    assert set(found) == {"ada"}
    assert found["ada"]["grade"] == {"S": "A"}
    assert found["ada"]["probability"] == {"N": "0.8"}
    assert found["ada"]["look_again"] == {"BOOL": False}


def test_a_result_that_is_only_pointed_to_is_fetched_and_checked(subscriber):
    client, outputs = subscriber
    batch_id = "11111111-7a3f-4a0c-9f3c-6a54f3f3c0de"
    body = canonical_json(CARRIED)
    key = f"batches/default/{batch_id}/result.json"
    client("s3").put_object(Bucket="assessment-content", Key=key, Body=body.encode())
    pointer = thin(
        result_key=key,
        result_sha256=content_sha256(body),
        result_included=False,
        rankings=None,
        grade_projections=None,
    )
    publish(client, EventType.RESULT_PUBLISHED, pointer, batch_id=batch_id)
    assert set(read_items(client, outputs, batch_id)) == {"ada"}


def test_a_failure_is_kept_with_what_to_do(subscriber):
    client, outputs = subscriber
    batch_id = "22222222-7a3f-4a0c-9f3c-6a54f3f3c0de"
    info = {"code": "judge_at_chance", "what": "it failed", "why": "a coin", "what_to_do": "mend"}
    publish(
        client,
        EventType.FAILED,
        {"assignment_id": None, "status": "FAILED", "error_info": info},
        batch_id=batch_id,
    )
    found = read_items(client, outputs, batch_id)
    assert found["#failed"]["error_info"]["M"]["what_to_do"] == {"S": "mend"}


def test_the_thin_event_and_progress_are_not_delivered(subscriber):
    client, outputs = subscriber
    batch_id = "33333333-7a3f-4a0c-9f3c-6a54f3f3c0de"
    publish(client, EventType.COMPLETED, thin(), batch_id=batch_id)
    # A later event of the same kind of delivery tells that the first one would have come by now.
    publish(
        client,
        EventType.RESULT_PUBLISHED,
        thin(result_included=True, **CARRIED),
        batch_id="44444444-7a3f-4a0c-9f3c-6a54f3f3c0de",
    )
    read_items(client, outputs, "44444444-7a3f-4a0c-9f3c-6a54f3f3c0de")
    assert items(client, outputs, batch_id) == {}
