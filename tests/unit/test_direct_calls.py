"""moto with less work (tests/fakes) answers word for word as moto does, errors included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.fakes.aws import client, create_table
from tests.fakes.moto import plain_moto

TABLE = {"TableName": "cj-table"}
DIFFER = {
    "RequestId", "date", "x-amzn-requestid", "x-amz-crc32", "content-length",
    "MessageId", "ReceiptHandle", "QueueUrl", "SentTimestamp", "CreatedTimestamp",
    "ApproximateFirstReceiveTimestamp", "LastModifiedTimestamp", "EventId", "CreatedDate",
    "creationDate", "startDate", "ARN", "VersionId", "LastChangedDate", "LastAccessedDate",
}  # fmt: skip
"""What two answers of moto itself differ in."""


def item(partition: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {"PK": {"S": partition}, "SK": {"S": name}, **attributes}


def place(partition: str, name: str) -> dict[str, Any]:
    return {**TABLE, "Key": item(partition, name)}


VALUES = {
    "text": {"S": "årsprov"}, "empty": {"S": ""}, "number": {"N": "12.50"}, "yes": {"BOOL": True},
    "nothing": {"NULL": True}, "texts": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2"]},
    "map": {"M": {"inner": {"L": [{"N": "1"}, {"M": {"deep": {"S": "x"}}}]}}}, "none": {"L": []},
}  # fmt: skip
BINARY = {"bytes": {"B": b"\x00\xff"}, "map": {"M": {"bytes": {"B": b"ab"}}}}
FIRST = {"#t": "text"}
NEW = {":new": {"S": "new"}, ":one": {"N": "1"}}
MISSING = {"ConditionExpression": "attribute_not_exists(PK)"}
SHOW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
PARTITION = {"KeyConditionExpression": "PK = :pk", "ExpressionAttributeValues": {":pk": {"S": "p"}}}
BELOW = {
    "KeyConditionExpression": "PK = :pk AND begins_with(SK, :sk)",
    "ExpressionAttributeValues": {":pk": {"S": "p"}, ":sk": {"S": "b#"}},
}

Call = tuple[str, dict[str, Any]]
TABLES: list[Call] = [
    ("put_item", {**TABLE, "Item": item("p", "a", **VALUES)}),
    *(("put_item", {**TABLE, "Item": item("p", f"b#{n}", n={"N": str(n)})}) for n in (3, 1, 10, 2)),
    ("put_item", {**TABLE, "Item": item("q", "b#1"), "ReturnValues": "ALL_OLD"}),
    ("put_item", {**TABLE, "Item": item("p", "a"), **MISSING, **SHOW}),
    ("put_item", {**TABLE, "Item": item("p", "a"), **MISSING}),
    ("put_item", {**TABLE, "Item": item("", "a")}),
    ("put_item", {**TABLE, "Item": {"PK": {"S": "p"}}}),
    ("put_item", {**TABLE, "Item": item("p", "large", text={"S": "x" * 405_001})}),
    ("put_item", {**TABLE, "Item": item("p", "binary", **BINARY)}),
    ("put_item", {"TableName": "other", "Item": item("p", "a")}),
    ("get_item", {**place("p", "a"), "ConsistentRead": True}),
    ("get_item", place("p", "binary")),
    ("get_item", place("p", "nowhere")),
    ("get_item", {**TABLE, "Key": {"PK": {"S": "p"}}}),
    ("update_item", {
        **place("p", "a"), "UpdateExpression": "SET #t = :new, fresh = :new ADD n :one REMOVE yes",
        "ExpressionAttributeNames": FIRST, "ExpressionAttributeValues": NEW,
        "ReturnValues": "ALL_NEW",
    }),
    ("update_item", {
        **place("p", "a"), "UpdateExpression": "SET #t = :new", "ExpressionAttributeNames": FIRST,
        "ExpressionAttributeValues": NEW,
    }),
    ("update_item", {
        **place("p", "a"), "UpdateExpression": "SET fresh = :new", **MISSING, **SHOW,
        "ExpressionAttributeValues": {":new": {"S": "new"}},
    }),
    ("update_item", {
        **place("p", "a"), "UpdateExpression": "SET text = :new",
        "ExpressionAttributeValues": {":new": {"S": "new"}},
    }),
    ("query", {**TABLE, **PARTITION, "ConsistentRead": True}),
    ("query", {**TABLE, **BELOW}),
    ("query", {**TABLE, **BELOW, "Limit": 2, "ScanIndexForward": False}),
    ("query", {**TABLE, **BELOW, "Limit": 2, "ExclusiveStartKey": item("p", "b#10")}),
    ("query", {
        **TABLE, **PARTITION, "ProjectionExpression": "SK, #t", "ExpressionAttributeNames": FIRST,
    }),
    ("query", {**TABLE, **PARTITION, "Select": "COUNT"}),
    ("query", {**TABLE, **PARTITION, "FilterExpression": "attribute_exists(n)"}),
    ("query", {**TABLE, **PARTITION, "IndexName": "none"}),
    ("query", {**TABLE, "KeyConditionExpression": "nothing"}),
    ("scan", TABLE),
    ("batch_get_item", {"RequestItems": {
        "cj-table": {"Keys": [item("p", "a"), item("q", "b#1")]},
    }}),
    ("transact_write_items", {"TransactItems": [
        {"Put": {**TABLE, "Item": item("p", "c")}},
        {"Put": {**TABLE, "Item": item("p", "a"), **MISSING, **SHOW}},
    ]}),
    ("transact_write_items", {"TransactItems": [
        {"Put": {**TABLE, "Item": item("p", "c")}}, {"Delete": place("p", "b#1")},
    ]}),
    ("batch_write_item", {"RequestItems": {"cj-table": [
        {"DeleteRequest": {"Key": item("p", "b#2")}}, {"PutRequest": {"Item": item("r", "a")}},
    ]}}),
    ("delete_item", {**place("p", "b#3"), "ReturnValues": "ALL_OLD"}),
    ("delete_item", {**place("p", "a"), **MISSING}),
    ("scan", TABLE),
    ("describe_time_to_live", TABLE),
    ("list_tables", {}),
]  # fmt: skip


def test_tables_answer_alike() -> None:
    def ask() -> list[Any]:
        create_table("cj-table")
        return [answer("dynamodb", name, request) for name, request in TABLES]

    compare(ask, len(TABLES))


QUEUES: list[Call] = [
    ("send_message", {"MessageBody": "first"}),
    ("send_message", {"MessageBody": "later", "DelaySeconds": 100}),
    ("send_message", {"MessageBody": "never", "DelaySeconds": 901}),
    ("send_message_batch", {"Entries": [{"Id": f"{n}", "MessageBody": f"m{n}"} for n in range(3)]}),
    ("send_message_batch", {"Entries": [{"Id": "0", "MessageBody": text} for text in "xy"]}),
    ("get_queue_attributes", {"AttributeNames": ["All"]}),
    ("receive_message", {"AttributeNames": ["All"], "MaxNumberOfMessages": 2}),
    ("receive_message", {"MaxNumberOfMessages": 1, "VisibilityTimeout": 0}),
    ("receive_message", {"MaxNumberOfMessages": 10}),
    ("receive_message", {"MaxNumberOfMessages": 10}),
    ("get_queue_attributes", {"AttributeNames": ["ApproximateNumberOfMessagesNotVisible"]}),
    ("delete_message", {"ReceiptHandle": "of no message"}),
    ("set_queue_attributes", {"Attributes": {"MessageRetentionPeriod": "60"}}),
    ("purge_queue", {}),
    ("receive_message", {}),
]  # fmt: skip


def test_queues_answer_alike() -> None:
    def ask() -> list[Any]:
        url = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
        answers = [answer("sqs", name, {"QueueUrl": url, **rest}) for name, rest in QUEUES]
        lost = answer("sqs", "send_message", {"QueueUrl": f"{url}s", "MessageBody": "x"})
        return [*answers, lost]

    compare(ask, len(QUEUES) + 1)


MACHINE = {
    "name": "machine", "roleArn": "arn:aws:iam::123456789012:role/r",
    "definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
}  # fmt: skip
RUN = "arn:aws:states:eu-north-1:123456789012"
OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("events", "create_event_bus", {"Name": "bus"}),
    ("events", "put_events", {"Entries": [
        {"EventBusName": "bus", "Source": "cj", "DetailType": "kind", "Detail": '{"a": 1}'},
        {"EventBusName": "bus", "Source": "cj", "DetailType": "kind", "Detail": "no JSON"},
    ]}),
    ("events", "describe_event_bus", {"Name": "none"}),
    ("secretsmanager", "create_secret", {"Name": "key", "SecretString": "s"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "key"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "none"}),
    ("stepfunctions", "create_state_machine", MACHINE),
    ("stepfunctions", "start_execution", {
        "stateMachineArn": f"{RUN}:stateMachine:machine", "name": "batch", "input": '{"a": 1}',
    }),
    ("stepfunctions", "start_execution", {
        "stateMachineArn": f"{RUN}:stateMachine:machine", "name": "batch", "input": '{"a": 2}',
    }),
    ("stepfunctions", "describe_execution", {"executionArn": f"{RUN}:execution:machine:batch"}),
    ("stepfunctions", "describe_execution", {"executionArn": f"{RUN}:execution:machine:none"}),
]  # fmt: skip


def test_other_services_answer_alike() -> None:
    compare(lambda: [answer(*call) for call in OTHERS], len(OTHERS))


def compare(ask: Callable[[], list[Any]], n_calls: int) -> None:
    """The answers of moto and of moto with less work, which are the same."""
    with mock_aws():
        quick = ask()
    with plain_moto(), mock_aws():
        plain = ask()
    assert len(quick) == n_calls
    for number, (ours, theirs) in enumerate(zip(quick, plain, strict=True)):
        assert ours == theirs, f"call {number}"


def answer(service: str, operation: str, request: dict[str, Any]) -> Any:
    """What a client says, without what no two answers have in common."""
    try:
        said = getattr(client(service), operation)(**request)
    except ClientError as error:
        said = {"raised": type(error).__name__, **error.response}
    return leave_out(said)


def leave_out(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: leave_out(part) for name, part in said.items() if name not in DIFFER}
    return [leave_out(part) for part in said] if isinstance(said, list) else said


def test_without_a_mock_no_handler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request outside of a mock goes its way to AWS, and is not answered in silence."""

    def refuse(*_: Any) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", refuse)
    with pytest.raises(ConnectionRefusedError):
        client("dynamodb").list_tables()
