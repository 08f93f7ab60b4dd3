"""Dead-letter queues: messages that could not be worked on, with all that was sent in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from assessment.adapters.aws.errors import wrap_client

_AT_ONCE = 10
_HIDDEN_SECONDS = 120
"""Longer than a whole look takes: a message that stays must not be met again in the same look."""


class SQSDeadLetters:
    """Messages are looked at and left; those that are to go are deleted."""

    def __init__(self, client: Any, urls: Sequence[str]) -> None:
        self._client = wrap_client(client)
        self._urls = urls

    def drop(self, is_about: Callable[[str], bool], *, has_time: Callable[[], bool]) -> int:
        """Look at all queues until they show nothing more, or time is up."""
        return sum(self._drop(url, is_about, has_time) for url in self._urls)

    def _drop(self, url: str, is_about: Callable[[str], bool], has_time: Callable[[], bool]) -> int:
        seen: set[str] = set()
        n_dropped = 0
        while has_time():
            messages = self._client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_AT_ONCE, VisibilityTimeout=_HIDDEN_SECONDS
            ).get("Messages", [])
            fresh = [message for message in messages if message["MessageId"] not in seen]
            if not fresh:
                break
            for message in fresh:
                seen.add(message["MessageId"])
                if is_about(message["Body"]):
                    self._client.delete_message(
                        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]
                    )
                    n_dropped += 1
        return n_dropped
