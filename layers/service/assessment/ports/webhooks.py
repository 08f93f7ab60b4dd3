"""Webhooks: where they are kept, how they are sent, and what could not be sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from assessment.contracts.webhooks import WebhookDelivery
from assessment.domain.erasure import Erasure
from assessment.domain.webhook import Attempt, Webhook


class WebhookStore(Protocol):
    """The webhooks of one organisation."""

    def put_webhook(self, webhook: Webhook) -> None:
        """Keep a new webhook."""

    def find_webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook, if there is one."""

    def list_webhooks(self) -> list[Webhook]:
        """All of them, the oldest first."""

    def delete_webhook(self, webhook_id: str) -> None:
        """Remove it; removing nothing is no error."""

    def note_attempt(self, webhook_id: str, attempt: Attempt, *, disable: bool) -> None:
        """Keep the last attempt, and disable the webhook; nothing if it was removed meanwhile."""


class WebhookSecrets(Protocol):
    """The secrets that sign what is sent to the webhooks of one organisation."""

    def keep(self, webhook_id: str, secret: str) -> None:
        """Keep the secret of a new webhook."""

    def replace(self, webhook_id: str, secret: str) -> None:
        """Keep another secret; the one before still signs until it is replaced again."""

    def get_versions(self, webhook_id: str) -> Sequence[str]:
        """The secret, then the one before it if there is one."""

    def forget(self, webhook_id: str) -> None:
        """Remove it permanently; removing nothing is no error."""


class ErasureRecords(Protocol):
    """What was erased of the organisation's batches."""

    def list_of_batch(self, batch_id: str) -> list[Erasure]:
        """The erasures of a batch, the oldest first."""


class WebhookQueue(Protocol):
    """The way to the function that sends."""

    def send(self, deliveries: Sequence[WebhookDelivery]) -> None:
        """Queue deliveries."""

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Let a received message come back after this time."""


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    """What is sent to a webhook; `message_id` is the same at every attempt."""

    url: str
    message_id: str
    body: str
    secrets: Sequence[str] = field(repr=False)
    """Each signs: a receiver may know the new one or the one before."""


@dataclass(frozen=True)
class Reply:
    """A receiver's answer: its status, and the seconds that it asks to wait."""

    status: int
    retry_after: float | None = None


class WebhookSender(Protocol):
    """HTTP to receivers, to public addresses only."""

    def check(self, url: str) -> None:
        """Refuse what nothing may be sent to; raises AddressRefusedError."""

    async def send(self, message: OutgoingMessage, *, now: datetime) -> Reply:
        """Send it; raises WebhookUnavailableError or AddressRefusedError if no answer came."""


class WebhookDeadLetters(Protocol):
    """Messages whose attempts are used up."""

    def replay(
        self, is_about: Callable[[str], bool], *, has_time: Callable[[], bool]
    ) -> tuple[int, bool]:
        """Queue the messages with such a body again; how many, and whether all were looked at."""


@dataclass(frozen=True, kw_only=True)
class WebhookPorts:
    """Adding, listing and removing webhooks."""

    webhooks: WebhookStore
    secrets: WebhookSecrets
    sender: WebhookSender


@dataclass(frozen=True, kw_only=True)
class SendPorts(WebhookPorts):
    """Sending events to webhooks."""

    webhook_queue: WebhookQueue
    erasures: ErasureRecords
