"""The webhook queue: send events to the webhooks of their organisation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from assessment import bootstrap
from assessment.contracts.webhooks import PublishedEvent, WebhookDelivery, read_webhook_message
from assessment.domain.errors import CJError
from assessment.domain.webhook import choose_delay
from assessment.domain.webhook_errors import WebhookUnavailableError
from assessment.observability import count, logger, metrics
from assessment.settings import SendWebhooksSettings
from assessment.usecases.send_webhooks import send_message


async def send_record(record: SQSRecord) -> str | None:
    """Work on one message; its id if it must come back."""
    try:
        message = read_webhook_message(record.body)
    except ValidationError as error:
        logger.error("not a webhook message", extra={"error": type(error).__name__})
        return str(record.message_id)
    subject = describe(message)
    ports = bootstrap.adapters(SendWebhooksSettings).select(subject["organisation"]).send_ports
    try:
        outcome = await send_message(message, ports=ports, now=datetime.now(UTC))
    except CJError as error:
        put_back(record, error, subject)
        return str(record.message_id)
    except Exception as error:  # noqa: BLE001 - the message comes back
        # Without its words: they may quote a secret or what is sent.
        logger.error("unexpected error", extra={**subject, "error": type(error).__name__})
        return str(record.message_id)
    logger.info("webhook message worked on", extra={**subject, "outcome": outcome})
    count(f"webhooks_{outcome}")
    return None


def describe(message: PublishedEvent | WebhookDelivery) -> dict[str, str]:
    """The ids that lines about a message carry."""
    if isinstance(message, PublishedEvent):
        event = message.detail
        return {"organisation": event.organisation, "event_id": event.event_id}
    return {
        "organisation": message.organisation,
        "event_id": message.event.event_id,
        "webhook_id": message.webhook_id,
    }


def put_back(record: SQSRecord, error: CJError, subject: dict[str, str]) -> None:
    """Say when the message is to come back, and why."""
    logger.warning("webhook not delivered", extra={**subject, "code": error.code})
    count("webhooks_failed")
    delay = choose_delay(
        receives=int(record.attributes.approximate_receive_count),
        retry_after=error.retry_after if isinstance(error, WebhookUnavailableError) else None,
        spread_by="".join(subject.values()),
    )
    queue = bootstrap.adapters(SendWebhooksSettings).webhook_queue
    queue.postpone(record.receipt_handle, seconds=delay)


async def send_records(records: Sequence[SQSRecord]) -> list[str]:
    """Work on all messages side by side; the ids of those that must come back."""
    returned = await asyncio.gather(*(send_record(record) for record in records))
    return [message_id for message_id in returned if message_id is not None]


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages that failed go back to the queue, the others do not."""
    returned = bootstrap.run(send_records(list(SQSEvent(event).records)))
    return {"batchItemFailures": [{"itemIdentifier": name} for name in returned]}
