"""The judge queue and the callback queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from assessment.adapters.aws.errors import wrap_client
from assessment.adapters.aws.pauses import TRIES, Pauses
from assessment.contracts.erasure import EraseRequestV1, SweepAnchorsV1
from assessment.contracts.list_protocol import ComparisonResult
from assessment.contracts.queue_messages import JudgeMessage, WaveDeadlineV1
from assessment.contracts.webhooks import WebhookDelivery
from assessment.domain.errors import ServiceRefusedError, TransientError

_BATCH_LIMIT = 10
_BATCH_BYTES = 200_000
"""Below the 256 KiB that a call may carry, which counts more than the bodies."""
MAX_DELAY_SECONDS = 900


def _body(message: BaseModel) -> str:
    return message.model_dump_json(by_alias=True, exclude_none=True)


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    """Bodies in calls that SQS takes: ten at most, and so many bytes together."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        weight = len(body.encode())
        if batch and (len(batch) == _BATCH_LIMIT or size + weight > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += weight
    if batch:
        yield batch


def _send_all(client: Any, url: str, messages: Sequence[BaseModel], pauses: Pauses) -> None:
    """Queue all messages; those that SQS did not take are sent again after growing pauses.

    Raises
    ------
    TransientError
        If SQS refused any again and again: all may be sent again.
    ServiceRefusedError
        If SQS says that a message itself is wrong.
    """
    for bodies in _batches([_body(message) for message in messages]):
        _send_batch(client, url, bodies, pauses)


def _send_batch(client: Any, url: str, bodies: Sequence[str], pauses: Pauses) -> None:
    unsent = {str(number): body for number, body in enumerate(bodies)}
    for repeat in range(TRIES):
        if repeat:
            pauses.await_repeat(repeat)
        entries = [{"Id": name, "MessageBody": body} for name, body in unsent.items()]
        refused = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        for entry in refused:
            if entry.get("SenderFault"):
                raise ServiceRefusedError(f"SQS does not take a message: {entry.get('Code')}")
        unsent = {entry["Id"]: unsent[entry["Id"]] for entry in refused}
        if not unsent:
            return
    raise TransientError(f"SQS refused {len(unsent)} of {len(bodies)} messages")


class SQSJudgeQueue:
    """Sends comparisons to be judged, as few calls as SQS allows."""

    def __init__(self, client: Any, url: str, *, pauses: Pauses | None = None) -> None:
        self._client = wrap_client(client)
        self._url = url
        self._pauses = pauses or Pauses()

    def send(self, messages: Sequence[JudgeMessage]) -> None:
        """Queue all messages, or raise TransientError naming how many were refused."""
        _send_all(self._client, self._url, messages, self._pauses)

    def send_later(self, message: JudgeMessage, *, seconds: int) -> None:
        """A new message with a delay; the old one is deleted by its receiver."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=_body(message),
            DelaySeconds=max(1, min(seconds, MAX_DELAY_SECONDS)),
        )

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Shorten or lengthen the message's invisibility."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


class SQSCallbackQueue:
    """Sends verdicts, errors and deadlines to record_callback."""

    def __init__(self, client: Any, url: str, *, pauses: Pauses | None = None) -> None:
        self._client = wrap_client(client)
        self._url = url
        self._pauses = pauses or Pauses()

    @property
    def address(self) -> str:
        """The queue's URL."""
        return self._url

    def send_result(self, result: ComparisonResult) -> None:
        """Queue a verdict or an error."""
        self._client.send_message(QueueUrl=self._url, MessageBody=_body(result))

    def send_results(self, results: Sequence[ComparisonResult]) -> None:
        """Queue many, or raise TransientError naming how many were refused."""
        _send_all(self._client, self._url, results, self._pauses)

    def send_deadline(self, deadline: WaveDeadlineV1, *, delay_seconds: int) -> None:
        """Queue a deadline; beyond the longest delay of SQS it is queued again on arrival."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=_body(deadline),
            DelaySeconds=max(0, min(delay_seconds, MAX_DELAY_SECONDS)),
        )


class SQSWebhookQueue:
    """Sends deliveries to the function that sends them on."""

    def __init__(self, client: Any, url: str, *, pauses: Pauses | None = None) -> None:
        self._client = wrap_client(client)
        self._url = url
        self._pauses = pauses or Pauses()

    def send(self, deliveries: Sequence[WebhookDelivery]) -> None:
        """Queue all deliveries, or raise TransientError: all may be sent again."""
        _send_all(self._client, self._url, deliveries, self._pauses)

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Shorten or lengthen the message's invisibility."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


class SQSErasureQueue:
    """Sends erasures to the function that goes on with them."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = wrap_client(client)
        self._url = url

    def send(self, message: EraseRequestV1 | SweepAnchorsV1, *, delay_seconds: int = 0) -> None:
        """Queue it, to be seen after the delay."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=_body(message),
            DelaySeconds=max(0, min(delay_seconds, MAX_DELAY_SECONDS)),
        )
