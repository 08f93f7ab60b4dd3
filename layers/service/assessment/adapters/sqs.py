"""The judge queue and the callback queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from assessment.domain.errors import TransientError
from assessment.domain.llm_protocol import (
    JudgeRequestV1,
    LLMComparisonResultV1,
    WaveDeadlineV1,
)

_BATCH_LIMIT = 10
MAX_DELAY_SECONDS = 900


def _body(message: BaseModel) -> str:
    return message.model_dump_json(by_alias=True, exclude_none=True)


class SQSJudgeQueue:
    """Sends comparisons to be judged, ten to a call."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, requests: Sequence[JudgeRequestV1]) -> None:
        """Queue all requests, or raise TransientError naming how many were refused."""
        for start in range(0, len(requests), _BATCH_LIMIT):
            entries = [
                {"Id": str(position), "MessageBody": _body(request)}
                for position, request in enumerate(requests[start : start + _BATCH_LIMIT])
            ]
            response = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused = response.get("Failed", [])
            if refused:
                raise TransientError(f"SQS refused {len(refused)} of {len(entries)} messages")

    def send_later(self, request: JudgeRequestV1, *, seconds: int) -> None:
        """A new message with a delay; the old one is deleted by whoever holds it."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=_body(request),
            DelaySeconds=max(1, min(seconds, MAX_DELAY_SECONDS)),
        )

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Shorten or lengthen the message's invisibility."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


class SQSCallbackQueue:
    """Sends verdicts, errors and deadlines to record_callback."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    @property
    def address(self) -> str:
        """The queue's URL."""
        return self._url

    def send_result(self, result: LLMComparisonResultV1) -> None:
        """Queue a verdict or an error."""
        self._client.send_message(QueueUrl=self._url, MessageBody=_body(result))

    def send_deadline(self, deadline: WaveDeadlineV1, *, delay_seconds: int) -> None:
        """Queue a deadline; beyond the longest delay of SQS it is queued again on arrival."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=_body(deadline),
            DelaySeconds=max(0, min(delay_seconds, MAX_DELAY_SECONDS)),
        )
