"""Queues, bucket, bus, state machine and tokens, each against moto or a recorded refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from assessment.adapters.aws.dynamodb import ConditionFailedError, Table
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.pauses import TRIES, Pauses
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.contracts.events import EventType, envelope
from assessment.contracts.queue_messages import JudgeRequestV1, WaveDeadlineV1
from assessment.domain.errors import PermissionMissingError, TransientError
from tests.fakes.aws import client

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AT_ONCE = Pauses(sleep=lambda _: None)
MACHINE = "arn:aws:states:eu-north-1:123456789012:stateMachine:cj"


def test_conditions_of_the_table(table: Table) -> None:
    key, mark = {"PK": "a", "SK": "1"}, {"PK": "p", "SK": "1"}
    table.put_new({**key, "n": 1})
    table.put(mark)
    with pytest.raises(ConditionFailedError) as refused:
        table.put_new({**key, "n": 2})
    assert refused.value.item == {**key, "n": 1}
    with pytest.raises(ConditionFailedError) as refused:
        table.update_and_delete(
            key, ItemUpdate({"n": 3}, condition="n = :old", values={":old": 9}), delete=mark
        )
    assert refused.value.item == {**key, "n": 1}
    assert table.get(mark) == mark  # both or neither
    table.update_and_delete(
        key, ItemUpdate({"n": 3}, condition="n = :old", values={":old": 1}), delete=mark
    )
    assert (table.get(key), table.get(mark)) == ({**key, "n": 3}, None)
    assert table.update(key, ItemUpdate({"n": None, "f": 0.1 + 0.2})) == {**key, "f": 0.1 + 0.2}


def test_two_items_are_put_both_or_neither(table: Table) -> None:
    one, other = {"PK": "a", "SK": "1"}, {"PK": "b", "SK": "1"}
    table.put(one)
    with pytest.raises(ConditionFailedError):
        table.put_new_and_put({**one, "n": 1}, other)
    assert table.get(other) is None


def test_long_partitions_are_read_and_written_whole(table: Table) -> None:
    items = [{"PK": "p", "SK": f"{n:04d}", "text": "x" * 9000} for n in range(130)]
    table.put_many(items)
    assert table.query("p", prefix="00") == items[:100]
    assert table.query_many(["p", "q", "p"]) == items * 2
    assert len(table.query("p", limit=1)) == 1
    assert table.query("p", projection=("SK",)) == [{"SK": item["SK"]} for item in items]


@pytest.mark.parametrize("code", ["ThrottlingException", "TransactionConflictException"])
def test_throttling_is_transient_and_other_errors_are_not(aws: None, code: str) -> None:
    dynamodb = client("dynamodb")
    with Stubber(dynamodb) as stub:
        stub.add_client_error("get_item", code)
        with pytest.raises(TransientError, match=code):
            Table(dynamodb, "t").get({"PK": "a", "SK": "b"})
        stub.add_client_error("get_item", "ValidationException")
        with pytest.raises(ClientError, match="ValidationException"):
            Table(dynamodb, "t").get({"PK": "a", "SK": "b"})


def make_queue(name: str) -> str:
    url: str = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def requests(n: int) -> list[JudgeRequestV1]:
    return [JudgeRequestV1(batch_id="b", wave=1, comparison_id=f"w001-{at:05d}") for at in range(n)]


def test_many_requests_are_sent_in_calls_of_ten(aws: None) -> None:
    url = make_queue("judge")
    SQSJudgeQueue(client("sqs"), url).send(requests(23))
    found = []
    while (
        batch := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages")
    ):
        found += [JudgeRequestV1.model_validate_json(message["Body"]) for message in batch]
    assert sorted(found, key=lambda r: r.comparison_id) == requests(23)


def test_a_message_that_is_refused_makes_the_whole_sending_fail(aws: None) -> None:
    sqs = client("sqs")
    failed = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    with Stubber(sqs) as stub:
        for _ in range(TRIES):
            stub.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
        with pytest.raises(TransientError, match="1 of 2"):
            SQSJudgeQueue(sqs, "https://queue.example/q", pauses=AT_ONCE).send(requests(2))


@pytest.mark.parametrize(("asked", "sent"), [(-5, 0), (30, 30), (3600, 900)])
def test_deadlines_are_delayed_within_the_queues_limit(asked: int, sent: int) -> None:
    sqs = client("sqs")
    deadline = WaveDeadlineV1(batch_id="b", wave=1, deadline=NOW)
    expected = {
        "QueueUrl": "https://queue.example/q",
        "MessageBody": deadline.model_dump_json(by_alias=True),
        "DelaySeconds": sent,
    }
    with Stubber(sqs) as stub:
        stub.add_response("send_message", {"MessageId": "m"}, expected)
        SQSCallbackQueue(sqs, "https://queue.example/q").send_deadline(
            deadline, delay_seconds=asked
        )
        stub.assert_no_pending_responses()


def test_texts_are_stored_by_hash_and_read_once(aws: None) -> None:
    s3 = client("s3")
    s3.create_bucket(
        Bucket="cj-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
    )
    store = S3ContentStore(s3, "cj-bucket")
    sha256 = store.put_text("batches/b/texts", "Ein Aufsatz über Öl\n")
    assert store.put_text("batches/b/texts", "Ein Aufsatz über Öl\n") == sha256
    assert store.get_text("batches/b/texts", sha256) == "Ein Aufsatz über Öl\n"
    s3.delete_object(Bucket="cj-bucket", Key=f"batches/default/b/texts/{sha256}.txt")
    assert store.get_text("batches/b/texts", sha256) == "Ein Aufsatz über Öl\n"
    assert store.get_document("none") is None
    store.put_document("d", "1")
    assert store.get_frozen_document("d") == "1"
    store.put_document("d", "2")
    assert (store.get_document("d"), store.get_frozen_document("d")) == ("2", "1")


def make_failure() -> Any:
    return envelope(
        EventType.FAILED,
        batch_id="b",
        correlation_id="c",
        organisation="default",
        data={
            "assignment_id": None,
            "status": "FAILED",
            "error_info": {"code": "x", "what": "w", "why": "y", "what_to_do": "z"},
        },
        now=NOW,
    )


def test_an_event_that_is_refused_makes_the_publication_fail() -> None:
    bus = client("events")
    with Stubber(bus) as stub:
        for _ in range(TRIES):
            stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": []})
        with pytest.raises(TransientError, match="1 of 1"):
            EventBridgePublisher(bus, "cj", pauses=AT_ONCE).publish([make_failure()])


def test_a_repeated_event_has_the_same_id() -> None:
    assert make_failure().event_id == make_failure().event_id


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_settled_token_is_not_an_error(code: str) -> None:
    sfn = client("stepfunctions")
    workflow = StepFunctionsWorkflow(sfn, MACHINE)
    with Stubber(sfn) as stub:
        stub.add_client_error("send_task_success", code)
        workflow.report_closed("t", {"wave": 1})
        stub.add_client_error("send_task_failure", code)
        workflow.report_failed("t", error="E", cause="c" * 5000)
        stub.add_client_error("send_task_success", "AccessDeniedException")
        with pytest.raises(PermissionMissingError, match="states:SendTaskSuccess"):
            workflow.report_closed("t", {"wave": 1})


def test_executions_start_once_and_stop(aws: None) -> None:
    sfn = client("stepfunctions")
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    states = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 99, "End": True}}}
    arn = sfn.create_state_machine(name="cj", definition=json.dumps(states), roleArn=role)
    workflow = StepFunctionsWorkflow(sfn, arn["stateMachineArn"])
    assert not workflow.is_running("b-2")
    assert workflow.start("b", name="b-2")
    assert workflow.start("b", name="b-2")
    assert workflow.is_running("b-2")
    workflow.stop("b-2", cause="test")
    workflow.stop("b-2", cause="test")
    assert not workflow.is_running("b-2")
    assert not workflow.start("b", name="b-2"), "the name of an ended execution is not free"
