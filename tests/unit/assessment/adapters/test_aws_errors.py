"""Every call of every adapter tells AWS's errors apart alike; what is left undone is sent again."""

from __future__ import annotations

import asyncio
import io
import random
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
from assessment.adapters.aws.dynamodb import ConditionFailedError, Table
from assessment.adapters.aws.errors import TRANSIENT_CODES, error_code
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.keys import place_partition
from assessment.adapters.aws.pauses import TRIES, Pauses
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.secrets import JudgeKeys, SigningSecret
from assessment.adapters.aws.sqs import SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.judges.bedrock import ask_bedrock
from assessment.domain.access import DEFAULT_ORGANISATION
from assessment.domain.errors import (
    MissingDocumentError,
    PermissionMissingError,
    ServiceRefusedError,
    TransientError,
)
from assessment.domain.judge_errors import JudgeRefusedError, JudgeUnavailableError
from tests.fakes.aws import client
from tests.unit.assessment.adapters.aws_calls import (
    CALLS,
    KEY,
    MACHINE,
    REQUEST,
    URL,
    Scripted,
    event,
    make_refusal,
)

IAM_PREFIXES = {"stepfunctions": "states"}


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
