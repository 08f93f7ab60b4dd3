"""Every call of every adapter tells AWS's errors apart alike; what is left undone is sent again."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.response import StreamingBody
from botocore.retries import standard
from botocore.stub import Stubber

from assessment.adapters.aws.content_eraser import S3ContentEraser
from assessment.adapters.aws.dead_letters import SQSDeadLetters
from assessment.adapters.aws.dynamodb import ConditionFailedError, Table
from assessment.adapters.aws.errors import TRANSIENT_CODES, error_code
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.keys import place_partition
from assessment.adapters.aws.pauses import TRIES, Pauses
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.secrets import JudgeKeys, Secrets, SigningSecret
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSErasureQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.adapters.judges.bedrock import ask_bedrock
from assessment.contracts.erasure import EraseRequestV1
from assessment.contracts.events import Envelope, EventType, envelope
from assessment.contracts.queue_messages import JudgeRequestV1, WaveDeadlineV1
from assessment.domain.access import DEFAULT_ORGANISATION
from assessment.domain.errors import (
    MissingDocumentError,
    PermissionMissingError,
    ServiceRefusedError,
    TransientError,
)
from assessment.domain.judge_errors import JudgeRefusedError, JudgeUnavailableError
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
        lambda c: JudgeKeys(Secrets(c), "p/").exists("k"),
    ),
    "keys.get_key": (
        "secretsmanager",
        "GetSecretValue",
        lambda c: JudgeKeys(Secrets(c), "p/").get_key("k"),
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
IAM_PREFIXES = {"stepfunctions": "states"}


def make_refusal(code: str, operation: str = "Operation", status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


def describe(error: Exception) -> str:
    return error_code(error) if isinstance(error, ClientError) else type(error).__name__


def broken() -> list[Exception]:
    url = "https://aws.example"
    return [
        EndpointConnectionError(endpoint_url=url),
        ConnectTimeoutError(endpoint_url=url),
        ReadTimeoutError(endpoint_url=url),
        ConnectionClosedError(endpoint_url=url),
        ResponseStreamingError(error="the stream ended"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
    ]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        *(make_refusal(code) for code in ("SlowDown", "ThrottlingException", "InternalError")),
        make_refusal("503", status=503),
        make_refusal("SomethingNew", status=500),
        make_refusal("429", status=429),
        *broken(),
    ],
    ids=describe,
)
def test_what_a_repeat_may_heal_is_transient(call: str, error: Exception) -> None:
    service, operation, act = CALLS[call]
    with pytest.raises(TransientError, match=f":{operation}: ") as raised:
        act(Scripted(service, [error]))
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException"]
)
def test_a_missing_right_is_named(call: str, code: str) -> None:
    service, operation, act = CALLS[call]
    prefix = IAM_PREFIXES.get(service, service)
    with pytest.raises(PermissionMissingError, match=f"may not call {prefix}:{operation}$"):
        act(Scripted(service, [make_refusal(code, status=403)]))


@pytest.mark.parametrize("call", CALLS)
def test_other_errors_stay_themselves(call: str) -> None:
    service, _, act = CALLS[call]
    with pytest.raises(ClientError, match="ValidationException"):
        act(Scripted(service, [make_refusal("ValidationException")]))
    with pytest.raises(NoCredentialsError):
        act(Scripted(service, [NoCredentialsError()]))


def test_every_adapter_that_holds_a_client_is_in_the_table() -> None:
    named = {name.rsplit(".", 1)[0] for name in CALLS}
    assert named == {
        "table", "content", "judge_queue", "callback_queue", "workflow", "events", "keys",
        "secrets", "signing_secret", "eraser", "dead_letters", "erasure_queue",
    }  # fmt: skip
    for prefix, adapter in {
        "table": Table,
        "content": S3ContentStore,
        "eraser": S3ContentEraser,
        "judge_queue": SQSJudgeQueue,
        "workflow": StepFunctionsWorkflow,
        "events": EventBridgePublisher,
        "keys": JudgeKeys,
        "signing_secret": SigningSecret,
    }.items():
        # `place` says where a key lies, and calls nobody.
        public = {name for name in vars(adapter) if not name.startswith("_")} - {"place"}
        covered = {name.split(".")[1] for name in CALLS if name.startswith(f"{prefix}.")}
        assert covered == public


def test_the_codes_that_botocore_repeats_are_transient() -> None:
    throttled: Any = standard.ThrottledRetryableChecker
    transient: Any = standard.TransientRetryableChecker
    assert set(throttled._THROTTLED_ERROR_CODES) <= TRANSIENT_CODES
    assert set(transient._TRANSIENT_ERROR_CODES) <= TRANSIENT_CODES


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (make_refusal("ThrottlingException"), JudgeUnavailableError),
        (make_refusal("InternalServerException", status=500), JudgeUnavailableError),
        (ReadTimeoutError(endpoint_url="u"), JudgeUnavailableError),
        (EndpointConnectionError(endpoint_url="u"), JudgeUnavailableError),
        (make_refusal("AccessDeniedException", status=403), JudgeRefusedError),
    ],
    ids=["throttled", "not well", "slow", "away", "denied"],
)
def test_bedrocks_control_plane_fails_as_a_judge_does(
    error: Exception, expected: type[Exception]
) -> None:
    jobs = Scripted("bedrock", [error])
    with pytest.raises(expected):
        asyncio.run(ask_bedrock(jobs.get_model_invocation_job, jobIdentifier="j"))


# --- bodies ---------------------------------------------------------------------------------------


def test_a_body_that_ends_too_early_is_transient() -> None:
    cut = {"Body": StreamingBody(io.BytesIO(b"half"), content_length=8)}
    store = S3ContentStore(Scripted("s3", [cut, {"Body": io.BytesIO(b"whole")}]), "b")
    with pytest.raises(TransientError, match="s3:GetObject: IncompleteReadError"):
        store.get_frozen_document("k")
    assert store.get_frozen_document("k") == "whole", "a failure was cached"


@pytest.mark.parametrize("code", ["NoSuchKey", "404"])
def test_what_is_missing_is_one_error(code: str) -> None:
    store = S3ContentStore(Scripted("s3", [make_refusal(code, status=404)]), "b")
    with pytest.raises(MissingDocumentError, match="the content store has no batches/spec"):
        store.get_frozen_document("batches/spec")
    with pytest.raises(MissingDocumentError, match=r"f/0\.txt"):
        store.get_text("f", "0")
    assert store.get_document("batches/spec") is None


# --- conditions -----------------------------------------------------------------------------------


def make_cancellation(*codes: str) -> ClientError:
    error = make_refusal("TransactionCanceledException")
    response: Any = error.response
    response["CancellationReasons"] = [{"Code": code} for code in codes]
    return error


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("ConditionalCheckFailed", "None"), ConditionFailedError),
        (("None", "TransactionConflict"), TransientError),
        (("ThrottlingError", "ProvisionedThroughputExceeded"), TransientError),
        (("ValidationError", "None"), ClientError),
    ],
)
def test_cancelled_transactions_are_told_apart(
    codes: tuple[str, ...], expected: type[Exception]
) -> None:
    table = Table(Scripted("dynamodb", [make_cancellation(*codes)]), "t")
    with pytest.raises(expected):
        table.put_new_and_put(KEY, KEY)


# --- parts that were left undone ------------------------------------------------------------------


class Waits:
    """Pauses that are written down instead of slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.pauses = Pauses(sleep=self.seconds.append, rng=random.Random(3))


def test_pauses_grow_within_their_bounds() -> None:
    waits = Waits()
    for repeat in range(1, 200):
        waits.pauses.await_repeat(repeat % 10 or 10)
    bounds = [min(5.0, 0.1 * 2 ** ((repeat % 10 or 10) - 1)) for repeat in range(1, 200)]
    shares = [second / bound for second, bound in zip(waits.seconds, bounds, strict=True)]
    assert 0 <= min(shares) < 0.1
    assert 0.9 < max(shares) <= 1
    assert len(set(waits.seconds)) == len(waits.seconds)


def test_items_left_unprocessed_are_written_after_growing_pauses() -> None:
    items = [{"PK": "p", "SK": f"{n}"} for n in range(3)]
    placed = [item | {"PK": place_partition(item["PK"], DEFAULT_ORGANISATION)} for item in items]
    put = [{"PutRequest": {"Item": {k: {"S": v} for k, v in item.items()}}} for item in placed]
    left = {"UnprocessedItems": {"t": put[1:]}}
    scripted, waits = Scripted("dynamodb", [left, left, {}]), Waits()
    Table(scripted, "t", pauses=waits.pauses).put_many(items)
    sent = [request["RequestItems"]["t"] for _, request in scripted.requests]
    assert sent == [put, put[1:], put[1:]]
    assert len(waits.seconds) == 2
    hopeless = Table(Scripted("dynamodb", [left]), "t", pauses=waits.pauses)
    with pytest.raises(TransientError, match=f"2 items unprocessed {TRIES} times"):
        hopeless.put_many(items)


def test_messages_that_sqs_did_not_take_are_sent_alone() -> None:
    failed = {"Failed": [{"Id": "1", "SenderFault": False, "Code": "InternalError"}]}
    scripted, waits = Scripted("sqs", [failed, {}]), Waits()
    other = REQUEST.model_copy(update={"comparison_id": "w001-00001"})
    SQSJudgeQueue(scripted, URL, pauses=waits.pauses).send([REQUEST, other])
    first, second = (request["Entries"] for _, request in scripted.requests)
    assert second == first[1:]
    assert len(waits.seconds) == 1
    with pytest.raises(TransientError, match="1 of 2"):
        SQSJudgeQueue(Scripted("sqs", [failed]), URL, pauses=waits.pauses).send([REQUEST, other])
    ours = {"Failed": [{"Id": "0", "SenderFault": True, "Code": "InvalidMessageContents"}]}
    with pytest.raises(ServiceRefusedError, match="InvalidMessageContents"):
        SQSJudgeQueue(Scripted("sqs", [ours]), URL, pauses=waits.pauses).send([REQUEST])


def test_events_that_the_bus_did_not_take_are_published_alone() -> None:
    failed = {
        "FailedEntryCount": 1,
        "Entries": [{"EventId": "1"}, {"ErrorCode": "InternalFailure"}],
    }
    scripted, waits = Scripted("events", [failed, {"FailedEntryCount": 0}]), Waits()
    EventBridgePublisher(scripted, "bus", pauses=waits.pauses).publish([event(), event()])
    first, second = (request["Entries"] for _, request in scripted.requests)
    assert (len(first), second) == (2, first[1:])
    never = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail"}]}
    with pytest.raises(ServiceRefusedError, match="MalformedDetail"):
        EventBridgePublisher(Scripted("events", [never]), "bus").publish([event()])


# --- tokens and executions ------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_tells_whether_it_was_taken(code: str) -> None:
    workflow = StepFunctionsWorkflow(Scripted("stepfunctions", [{}, make_refusal(code)]), MACHINE)
    assert workflow.report_closed("t", {})
    assert not workflow.report_closed("t", {})
    assert not workflow.report_failed("t", error="e", cause="c")


def test_a_stubbed_client_is_translated_too() -> None:
    sqs = client("sqs")
    with Stubber(sqs) as stub:
        stub.add_client_error("send_message", "ThrottlingException", http_status_code=400)
        with pytest.raises(TransientError, match="sqs:SendMessage: ThrottlingException"):
            SQSJudgeQueue(sqs, URL).send_later(REQUEST, seconds=1)
