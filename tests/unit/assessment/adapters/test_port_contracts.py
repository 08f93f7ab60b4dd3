"""One contract for every port in memory, on AWS and on one machine: fakes are to mean something.

Queues, people and the stores of the table have theirs in files of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.stub import Stubber

from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.signatures import DynamoDBSeenSignatures
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.folder_content import FolderContentStore
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.adapters.sqlite.events import SQLiteEvents
from assessment.adapters.sqlite.workflow import SQLiteWorkflow
from assessment.contracts.events import SOURCE, Envelope, EventType, envelope
from assessment.domain.circuit import FAILURES_TO_OPEN
from assessment.domain.document_keys import batch_texts
from assessment.domain.errors import MissingDocumentError
from assessment.domain.identifiers import content_sha256
from assessment.domain.judge import JudgeSpec, Provider
from assessment.ports.content import ContentStore
from assessment.ports.judging import JudgeGate
from assessment.ports.messaging import EventPublisher, Workflow
from assessment.ports.stores import SeenSignatures
from tests.fakes.aws import client, create_bucket
from tests.fakes.content import InMemoryContentStore
from tests.fakes.judges import OpenGate
from tests.fakes.messaging import InMemoryEvents, InMemoryWorkflow
from tests.fakes.people import InMemorySeenSignatures
from tests.unit.assessment.adapters.conftest import get_table

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["memory", "aws", "sqlite"])


# --- content -------------------------------------------------------------------------------------


@pytest.fixture
def content(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> ContentStore:
    if kind == "memory":
        return InMemoryContentStore()
    if kind == "sqlite":
        return FolderContentStore(tmp_path / "content")
    request.getfixturevalue("aws")
    return S3ContentStore(client("s3"), create_bucket())


def test_a_text_is_kept_under_its_hash(content: ContentStore) -> None:
    text = "Ein Aufsatz über Öl\r\n\u2028mit allem\n"
    folder = batch_texts("b")
    sha256 = content.put_text(folder, text)
    assert sha256 == content_sha256(text) == content.put_text(folder, text)
    assert content.get_text(folder, sha256) == text


def test_a_text_of_one_batch_is_not_in_another(content: ContentStore) -> None:
    sha256 = content.put_text(batch_texts("b"), "the same text in two batches")
    with pytest.raises(MissingDocumentError, match=f"batches/c/texts/{sha256}"):
        content.get_text(batch_texts("c"), sha256)


def test_a_document_is_replaced_and_a_frozen_one_is_read(content: ContentStore) -> None:
    content.put_document("batches/b/spec.json", "{}")
    assert content.get_frozen_document("batches/b/spec.json") == "{}"
    content.put_document("batches/b/result.json", "1")
    content.put_document("batches/b/result.json", "2", content_type="text/csv")
    assert content.get_document("batches/b/result.json") == "2"


def test_what_is_missing_is_said_with_its_key(content: ContentStore) -> None:
    assert content.get_document("batches/b/none.json") is None
    with pytest.raises(MissingDocumentError, match=r"batches/b/none\.json"):
        content.get_frozen_document("batches/b/none.json")
    with pytest.raises(MissingDocumentError, match="0" * 64):
        content.get_text(batch_texts("b"), "0" * 64)


# --- events --------------------------------------------------------------------------------------


@dataclass
class Bus:
    publisher: EventPublisher
    delivered: Callable[[], list[Envelope]]


def aws_bus() -> Bus:
    events, sqs = client("events"), client("sqs")
    events.create_event_bus(Name="cj-events")
    url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(
        Name="all", EventBusName="cj-events", EventPattern=json.dumps({"source": [SOURCE]})
    )
    events.put_targets(
        Rule="all", EventBusName="cj-events", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}]
    )

    def delivered() -> list[Envelope]:
        found: list[Envelope] = []
        while page := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [Envelope.model_validate(json.loads(m["Body"])["detail"]) for m in page]
        return found

    return Bus(EventBridgePublisher(events, "cj-events"), delivered)


@pytest.fixture
def bus(kind: str, request: pytest.FixtureRequest) -> Bus:
    if kind == "memory":
        events = InMemoryEvents()
        return Bus(events, lambda: list(events.published))
    if kind == "sqlite":
        kept = SQLiteEvents(request.getfixturevalue("database"))
        return Bus(kept, kept.list_events)
    request.getfixturevalue("aws")
    return aws_bus()


def make_failure(batch_id: str) -> Envelope:
    error = {"code": "x", "what": "w", "why": "y", "what_to_do": "z"}
    data = {"assignment_id": None, "status": "FAILED", "error_info": error}
    return envelope(
        EventType.FAILED,
        batch_id=batch_id,
        correlation_id="c",
        organisation="default",
        data=data,
        now=NOW,
    )


def test_every_event_is_delivered_as_it_was_published(bus: Bus) -> None:
    events = [make_failure(f"b{at:02d}") for at in range(12)]
    bus.publisher.publish(events)
    bus.publisher.publish([])
    delivered = sorted(bus.delivered(), key=lambda event: str(event.data))
    assert delivered == sorted(events, key=lambda event: str(event.data))


def test_an_event_that_is_published_again_has_the_same_id(bus: Bus) -> None:
    for _ in range(2):
        bus.publisher.publish([make_failure("b")])
    assert len({event.event_id for event in bus.delivered()}) == 1


# --- the state machine ---------------------------------------------------------------------------


@pytest.fixture
def workflow(kind: str, request: pytest.FixtureRequest) -> Workflow:
    if kind == "memory":
        return InMemoryWorkflow()
    if kind == "sqlite":
        return SQLiteWorkflow(request.getfixturevalue("database"))
    request.getfixturevalue("aws")
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    states = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 99, "End": True}}}
    machine = client("stepfunctions").create_state_machine(
        name="cj", definition=json.dumps(states), roleArn=role
    )
    return StepFunctionsWorkflow(client("stepfunctions"), machine["stateMachineArn"])


def test_an_execution_starts_once_and_stops(workflow: Workflow) -> None:
    assert not workflow.is_running("b")
    workflow.stop("b", cause="nothing runs yet")
    workflow.start("b", name="b")
    workflow.start("b", name="b")
    assert workflow.is_running("b")
    assert not workflow.is_running("other")
    workflow.stop("b", cause="test")
    workflow.stop("b", cause="test")
    assert not workflow.is_running("b")


@pytest.fixture
def waiting(kind: str, request: pytest.FixtureRequest) -> Iterator[tuple[Workflow, str]]:
    """A workflow and the token of a waiting state; moto takes any token, so AWS is recorded."""
    if kind == "memory":
        memory = InMemoryWorkflow()
        yield memory, memory.issue("token")
        return
    if kind == "sqlite":
        workflow = SQLiteWorkflow(request.getfixturevalue("database"))
        workflow.issue("token")
        yield workflow, "token"
        return
    states = client("stepfunctions")
    with Stubber(states) as stub:
        stub.add_response("send_task_success", {})
        stub.add_client_error("send_task_success", "TaskTimedOut")
        stub.add_client_error("send_task_failure", "TaskTimedOut")
        stub.add_client_error("send_task_failure", "TaskDoesNotExist")
        yield StepFunctionsWorkflow(states, "arn:aws:states:eu-north-1:1:stateMachine:cj"), "token"
        stub.assert_no_pending_responses()


def test_a_token_settles_once_and_a_settled_or_unknown_one_is_no_error(
    waiting: tuple[Workflow, str],
) -> None:
    workflow, token = waiting
    assert workflow.report_closed(token, {"wave": 1})
    assert not workflow.report_closed(token, {"wave": 1})
    assert not workflow.report_failed(token, error="E", cause="c" * 5000)
    assert not workflow.report_failed("unknown", error="E", cause="c")


@pytest.fixture
def signatures(kind: str, request: pytest.FixtureRequest) -> SeenSignatures:
    if kind == "memory":
        return InMemorySeenSignatures()
    return DynamoDBSeenSignatures(get_table(kind, request))


def test_a_signature_is_seen_once_it_is_remembered(signatures: SeenSignatures) -> None:
    assert not signatures.was_seen("sha256=a")
    for _ in range(2):
        signatures.remember("sha256=a", until=NOW + timedelta(minutes=5))
    assert signatures.was_seen("sha256=a")
    assert not signatures.was_seen("sha256=b")


# --- the gate ------------------------------------------------------------------------------------


@pytest.fixture
def gate(kind: str, request: pytest.FixtureRequest) -> JudgeGate:
    """In memory it never closes, so only what holds of an open one is its contract."""
    if kind == "memory":
        return OpenGate()
    return DynamoDBJudgeGate(get_table(kind, request))


def test_a_judge_without_limits_is_admitted_until_failures_open_its_circuit(
    gate: JudgeGate,
) -> None:
    judge = JudgeSpec(provider=Provider.OPENAI, model="model-1")
    gate.record_success(judge)
    for _ in range(FAILURES_TO_OPEN - 1):
        gate.admit(judge, tokens=100_000, now=NOW)
        gate.record_failure(judge, retry_after=None, now=NOW)
    gate.admit(judge, tokens=100_000, now=NOW)
    gate.record_success(judge)
    gate.admit(judge, tokens=0, now=NOW)
