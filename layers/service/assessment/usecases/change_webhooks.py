"""Add, list and remove webhooks, and send dead letters again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from assessment.contracts.assignments import Deleted
from assessment.contracts.webhooks import (
    NewWebhook,
    WebhookDelivery,
    WebhookList,
    WebhookReplay,
    WebhookRequest,
    WebhookView,
    read_webhook_message,
)
from assessment.domain.errors import ConflictError
from assessment.domain.webhook import MOST_WEBHOOKS, Webhook, is_webhook_id
from assessment.domain.webhook_errors import UnknownWebhookError
from assessment.ports.webhooks import WebhookDeadLetters, WebhookPorts, WebhookStore


def add_webhook(
    request: WebhookRequest,
    *,
    webhook_id: str,
    secret: str,
    subject: str,
    ports: WebhookPorts,
    now: datetime,
) -> NewWebhook:
    """Keep a webhook with its secret, which is shown this once.

    Raises
    ------
    AddressRefusedError
        If nothing may be sent to the URL.
    ConflictError
        If there is one with this URL, or the organisation has as many as it may.
    """
    ports.sender.check(request.url)
    others = ports.webhooks.list_webhooks()
    if same := next((other for other in others if other.url == request.url), None):
        raise ConflictError(f"webhook {same.webhook_id} has this url; remove it first", field="url")
    if len(others) >= MOST_WEBHOOKS:
        raise ConflictError(f"there are {MOST_WEBHOOKS} webhooks; remove one first")
    webhook = Webhook(
        webhook_id=webhook_id,
        url=request.url,
        event_types=tuple(request.event_types),
        created_at=now,
        created_by=subject,
    )
    # The secret first: a webhook that can be found can be signed for.
    ports.secrets.keep(webhook_id, secret)
    ports.webhooks.put_webhook(webhook)
    return NewWebhook(**WebhookView.from_webhook(webhook).model_dump(), secret=secret)


def get_webhook(webhook_id: str, *, webhooks: WebhookStore) -> WebhookView:
    """A webhook of the organisation.

    Raises
    ------
    UnknownWebhookError
    """
    return WebhookView.from_webhook(_find(webhook_id, webhooks))


def list_webhooks(*, webhooks: WebhookStore) -> WebhookList:
    """All webhooks of the organisation."""
    views = [WebhookView.from_webhook(webhook) for webhook in webhooks.list_webhooks()]
    return WebhookList(webhooks=views)


def remove_webhook(webhook_id: str, *, ports: WebhookPorts) -> Deleted:
    """Remove a webhook and its secret: what is still in the queue for it is not sent.

    Raises
    ------
    UnknownWebhookError
    """
    _find(webhook_id, ports.webhooks)
    # The secret first: should the rest fail, the webhook is still there to be removed again.
    ports.secrets.forget(webhook_id)
    ports.webhooks.delete_webhook(webhook_id)
    return Deleted(deleted=webhook_id)


def rotate_secret(webhook_id: str, *, secret: str, ports: WebhookPorts) -> NewWebhook:
    """Give a webhook another secret, which is shown this once.

    Messages are signed with the one before too, until the next rotation.

    Raises
    ------
    UnknownWebhookError
    """
    webhook = _find(webhook_id, ports.webhooks)
    ports.secrets.replace(webhook_id, secret)
    return NewWebhook(**WebhookView.from_webhook(webhook).model_dump(), secret=secret)


def replay_dead_letters(
    webhook_id: str,
    *,
    organisation: str,
    webhooks: WebhookStore,
    dead_letters: WebhookDeadLetters,
    has_time: Callable[[], bool],
) -> WebhookReplay:
    """Send again what the webhook did not take, with the same ids as before.

    Raises
    ------
    UnknownWebhookError
    ConflictError
        If the webhook is disabled.
    """
    if _find(webhook_id, webhooks).disabled_at is not None:
        raise ConflictError("this webhook is disabled; remove it and add it again")

    def concerns_webhook(body: str) -> bool:
        try:
            message = read_webhook_message(body)
        except ValidationError:
            return False
        if isinstance(message, WebhookDelivery):
            return (message.organisation, message.webhook_id) == (organisation, webhook_id)
        # An event that was never handed to the organisation's webhooks at all.
        return message.detail.organisation == organisation

    n_replayed, is_complete = dead_letters.replay(concerns_webhook, has_time=has_time)
    return WebhookReplay(webhook_id=webhook_id, n_replayed=n_replayed, is_complete=is_complete)


def _find(webhook_id: str, webhooks: WebhookStore) -> Webhook:
    webhook = webhooks.find_webhook(webhook_id) if is_webhook_id(webhook_id) else None
    if webhook is None:
        raise UnknownWebhookError.from_id(webhook_id)
    return webhook
