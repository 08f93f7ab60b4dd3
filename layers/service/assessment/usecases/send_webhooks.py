"""Send events to webhooks: one delivery for each webhook, repeated by itself until it is taken."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from assessment.contracts.event_redaction import redact_event
from assessment.contracts.events import Envelope
from assessment.contracts.webhooks import PublishedEvent, WebhookDelivery, WebhookPayload
from assessment.domain.webhook import Attempt, Outcome, derive_message_id
from assessment.domain.webhook_errors import AddressRefusedError, WebhookUnavailableError
from assessment.ports.webhooks import OutgoingMessage, Reply, SendPorts


async def send_message(
    message: PublishedEvent | WebhookDelivery, *, ports: SendPorts, now: datetime
) -> str:
    """Work on a message of the queue; what became of it, as a metric's name ends.

    Raises
    ------
    WebhookUnavailableError, AddressRefusedError
        If the receiver did not take it: the message must come back.
    """
    if isinstance(message, PublishedEvent):
        return _fan_out(message.detail, ports)
    return await _deliver(message, ports, now)


def _fan_out(event: Envelope, ports: SendPorts) -> str:
    """Queue a delivery for each webhook, so that one that fails repeats no other."""
    deliveries = [
        WebhookDelivery(organisation=event.organisation, webhook_id=webhook.webhook_id, event=event)
        for webhook in ports.webhooks.list_webhooks()
        if webhook.wants(event.event_type)
    ]
    if deliveries:
        ports.webhook_queue.send(deliveries)
    return "fanned_out" if deliveries else "unwanted"


async def _deliver(delivery: WebhookDelivery, ports: SendPorts, now: datetime) -> str:
    webhook = ports.webhooks.find_webhook(delivery.webhook_id)
    if webhook is None or webhook.disabled_at is not None:
        return "unwanted"
    # It may have waited for days: what was erased meanwhile is sent no more.
    erasures = ports.erasures.list_of_batch(delivery.event.data["batch_id"])
    event = redact_event(delivery.event, erasures)
    if event is None:
        return "erased"
    message = OutgoingMessage(
        url=webhook.url,
        message_id=derive_message_id(webhook.webhook_id, event.event_id),
        body=WebhookPayload.from_event(event).to_text(),
        secrets=ports.secrets.get_versions(webhook.webhook_id),
    )
    try:
        reply = await ports.sender.send(message, now=now)
    except (WebhookUnavailableError, AddressRefusedError):
        attempt = Attempt(moment=now, outcome=Outcome.FAILED)
        ports.webhooks.note_attempt(webhook.webhook_id, attempt, disable=False)
        raise
    outcome = _read_outcome(reply)
    attempt = Attempt(moment=now, outcome=outcome, status=reply.status)
    ports.webhooks.note_attempt(webhook.webhook_id, attempt, disable=outcome is Outcome.GONE)
    if outcome is Outcome.FAILED:
        raise WebhookUnavailableError(
            f"the receiver answered {reply.status}", retry_after=reply.retry_after
        )
    return outcome.value


def _read_outcome(reply: Reply) -> Outcome:
    """What a status means: redirects are not followed, so they are failures too."""
    if reply.status == HTTPStatus.GONE:
        return Outcome.GONE
    is_success = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
    return Outcome.DELIVERED if is_success else Outcome.FAILED
