"""Every call of AWS that an adapter makes, by client and operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from assessment.adapters.aws.content_eraser import S3ContentEraser
from assessment.adapters.aws.dead_letters import SQSDeadLetters
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.secrets import JudgeKeys, Secrets, SigningSecret
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSErasureQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.contracts.erasure import EraseRequestV1
from assessment.contracts.events import Envelope, EventType, envelope
from assessment.contracts.queue_messages import JudgeRequestV1, WaveDeadlineV1
from tests.fakes.aws import client

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:eu-north-1:123456789012:stateMachine:cj"
URL = "https://queue.example/q"
KEY = {"PK": "a", "SK": "1"}
REQUEST = JudgeRequestV1(batch_id="b", wave=1, comparison_id="w001-00000")
DEADLINE = WaveDeadlineV1(batch_id="b", wave=1, deadline=NOW)


def make_eraser(client: Any) -> S3ContentEraser:
    return S3ContentEraser(client, "b", S3ContentStore(client, "b"))


def make_keys(client: Any) -> JudgeKeys:
    return JudgeKeys(Secrets(client), "p/")


def event() -> Envelope:
    return envelope(
        EventType.COMPLETED,
        batch_id="b",
        correlation_id="c",
        organisation="default",
        data={
            "assignment_id": None, "status": "COMPLETED", "outcome": "COMPLETE_STABLE",
            "result_sha256": "0", "result_key": "k",
        },
        now=NOW,
    )  # fmt: skip


@dataclass
class Scripted:
    """A client whose every operation does what the script says; its names are a real client's."""

    service: str
    outcomes: list[Any]

    def __post_init__(self) -> None:
        self.meta = client(self.service).meta
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self.meta.method_to_api_mapping:
            raise AttributeError(name)

        def call(**request: Any) -> Any:
            self.requests.append((name, request))
            outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return call


Act = Callable[[Scripted], Any]
# Every method of every adapter that calls AWS, with the calls that it makes first.
CALLS: dict[str, tuple[str, str, Act]] = {
    "table.get": ("dynamodb", "GetItem", lambda c: Table(c, "t").get(KEY)),
    "table.put": ("dynamodb", "PutItem", lambda c: Table(c, "t").put(KEY)),
    "table.put_new": ("dynamodb", "PutItem", lambda c: Table(c, "t").put_new(KEY)),
    "table.put_new_many": ("dynamodb", "PutItem", lambda c: Table(c, "t").put_new_many([KEY] * 3)),
    "table.put_many": ("dynamodb", "BatchWriteItem", lambda c: Table(c, "t").put_many([KEY])),
    "table.update": (
        "dynamodb",
        "UpdateItem",
        lambda c: Table(c, "t").update(KEY, ItemUpdate({"n": 1})),
    ),
    "table.delete": ("dynamodb", "DeleteItem", lambda c: Table(c, "t").delete(KEY)),
    "table.update_and_delete": (
        "dynamodb",
        "TransactWriteItems",
        lambda c: Table(c, "t").update_and_delete(
            KEY, ItemUpdate({"n": 1}, condition="n = n"), delete=KEY
        ),
    ),
    "table.update_and_put": (
        "dynamodb",
        "TransactWriteItems",
        lambda c: Table(c, "t").update_and_put(
            KEY, ItemUpdate({"n": 1}, condition="n = n"), put=KEY
        ),
    ),
    "table.put_new_and_put": (
        "dynamodb",
        "TransactWriteItems",
        lambda c: Table(c, "t").put_new_and_put(KEY, KEY),
    ),
    "table.query": ("dynamodb", "Query", lambda c: Table(c, "t").query("a")),
    "table.query_page": (
        "dynamodb",
        "Query",
        lambda c: Table(c, "t").query_page(PageQuery("a", limit=1)),
    ),
    "table.get_many": ("dynamodb", "BatchGetItem", lambda c: Table(c, "t").get_many([KEY, KEY])),
    "signing_secret.versions": (
        "secretsmanager",
        "GetSecretValue",
        lambda c: SigningSecret(c, "s").versions(),
    ),
    "table.query_many": ("dynamodb", "Query", lambda c: Table(c, "t").query_many(["a", "b"])),
    "content.put_text": ("s3", "PutObject", lambda c: S3ContentStore(c, "b").put_text("f", "t")),
    "content.get_text": ("s3", "GetObject", lambda c: S3ContentStore(c, "b").get_text("f", "0")),
    "content.put_document": (
        "s3",
        "PutObject",
        lambda c: S3ContentStore(c, "b").put_document("k", "{}"),
    ),
    "content.get_document": ("s3", "GetObject", lambda c: S3ContentStore(c, "b").get_document("k")),
    "content.get_frozen_document": (
        "s3",
        "GetObject",
        lambda c: S3ContentStore(c, "b").get_frozen_document("k"),
    ),
    "judge_queue.send": (
        "sqs",
        "SendMessageBatch",
        lambda c: SQSJudgeQueue(c, URL).send([REQUEST]),
    ),
    "judge_queue.send_later": (
        "sqs",
        "SendMessage",
        lambda c: SQSJudgeQueue(c, URL).send_later(REQUEST, seconds=1),
    ),
    "judge_queue.postpone": (
        "sqs",
        "ChangeMessageVisibility",
        lambda c: SQSJudgeQueue(c, URL).postpone("r", seconds=1),
    ),
    "callback_queue.send_deadline": (
        "sqs",
        "SendMessage",
        lambda c: SQSCallbackQueue(c, URL).send_deadline(DEADLINE, delay_seconds=1),
    ),
    "workflow.start": (
        "stepfunctions",
        "StartExecution",
        lambda c: StepFunctionsWorkflow(c, MACHINE).start("b", name="b"),
    ),
    "workflow.report_closed": (
        "stepfunctions",
        "SendTaskSuccess",
        lambda c: StepFunctionsWorkflow(c, MACHINE).report_closed("t", {}),
    ),
    "workflow.report_failed": (
        "stepfunctions",
        "SendTaskFailure",
        lambda c: StepFunctionsWorkflow(c, MACHINE).report_failed("t", error="e", cause="c"),
    ),
    "workflow.is_running": (
        "stepfunctions",
        "DescribeExecution",
        lambda c: StepFunctionsWorkflow(c, MACHINE).is_running("b"),
    ),
    "workflow.stop": (
        "stepfunctions",
        "DescribeExecution",
        lambda c: StepFunctionsWorkflow(c, MACHINE).stop("b", cause="c"),
    ),
    "events.publish": (
        "events",
        "PutEvents",
        lambda c: EventBridgePublisher(c, "bus").publish([event()]),
    ),
    "keys.exists": (
        "secretsmanager",
        "DescribeSecret",
        lambda c: make_keys(c).exists("k"),
    ),
    "keys.get_key": (
        "secretsmanager",
        "GetSecretValue",
        lambda c: make_keys(c).get_key("k"),
    ),
    "table.delete_many": (
        "dynamodb",
        "BatchWriteItem",
        lambda c: Table(c, "t").delete_many([KEY]),
    ),
    "eraser.list_keys": ("s3", "ListObjectsV2", lambda c: make_eraser(c).list_keys("f")),
    "eraser.erase_folder": ("s3", "ListObjectVersions", lambda c: make_eraser(c).erase_folder("f")),
    "eraser.erase_document": (
        "s3",
        "ListObjectVersions",
        lambda c: make_eraser(c).erase_document("f/k"),
    ),
    "eraser.erase_earlier_versions": (
        "s3",
        "ListObjectVersions",
        lambda c: make_eraser(c).erase_earlier_versions("f"),
    ),
    "eraser.erase_unnamed": (
        "s3",
        "ListObjectVersions",
        lambda c: make_eraser(c).erase_unnamed("f", named=(), before=datetime.now(UTC)),
    ),
    "dead_letters.drop": (
        "sqs",
        "ReceiveMessage",
        lambda c: SQSDeadLetters(c, [URL]).drop(lambda _: True, has_time=lambda: True),
    ),
    "erasure_queue.send": (
        "sqs",
        "SendMessage",
        lambda c: SQSErasureQueue(c, URL).send(EraseRequestV1(batch_id="b", erasure_id="e")),
    ),
    "secrets.read": ("secretsmanager", "GetSecretValue", lambda c: Secrets(c).read("s")),
}


def make_refusal(code: str, operation: str = "Operation", status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)
