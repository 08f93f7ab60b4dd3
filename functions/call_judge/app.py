"""The judge queue: ask judges for the verdicts of a batch of messages side by side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from assessment import bootstrap
from assessment.contracts.queue_messages import JudgeMessage, read_judge_message
from assessment.domain.backoff import retry_delay
from assessment.domain.errors import CJError
from assessment.observability import count, logger, metrics
from assessment.ports.messaging import JudgeQueue
from assessment.settings import CallJudgeSettings
from assessment.usecases.bundles import Delivery
from assessment.usecases.judge_messages import judge_messages


def judge_records(records: list[SQSRecord]) -> Iterator[str]:
    """Ask about all messages; the ids of those that must come back."""
    adapters = bootstrap.adapters(CallJudgeSettings)
    received: list[tuple[SQSRecord, Delivery[JudgeMessage]]] = []
    for record in records:
        try:
            message = read_judge_message(record.body)
        except ValidationError:
            logger.exception("not a judge request", extra={"message_id": record.message_id})
            yield record.message_id
            continue
        last = count_receives(record) >= adapters.settings.judge_max_receives
        received.append((record, Delivery(message, last)))
    handled = bootstrap.run(
        judge_messages(
            [each for _, each in received],
            ports_of=lambda batch_id: adapters.select_batch(batch_id).judge_ports,
            mode=adapters.settings.llm_batching_mode,
            now=datetime.now(UTC),
        )
    )
    for name, value in handled.counts.items():
        count(name, value)
    for (record, each), error in zip(received, handled.errors, strict=True):
        if error is not None:
            with logger.append_context_keys(**adapters.log_keys(each.message.batch_id)):
                put_back(record, each.message, error, adapters.judge_queue)
            yield record.message_id


def count_receives(record: SQSRecord) -> int:
    """How often the message was delivered, this time included."""
    return int(record.attributes.approximate_receive_count)


def put_back(
    record: SQSRecord, message: JudgeMessage, error: Exception, judge_queue: JudgeQueue
) -> None:
    """Say when the message is to come back, and why."""
    subject = {"subject": message.subject}
    if not isinstance(error, CJError):
        # Reported as a returned message; this one is a defect.
        logger.error("unexpected error", exc_info=error, extra=subject)
        return
    logger.warning(
        "judge call failed", extra={**subject, "code": error.code, "detail": str(error)[:300]}
    )
    count("judge_calls_failed")
    delay = retry_delay(error, receives=count_receives(record), spread_by=message.subject)
    judge_queue.postpone(record.receipt_handle, seconds=delay)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages that failed go back to the queue, the others do not."""
    records = list(SQSEvent(event).records)
    return {"batchItemFailures": [{"itemIdentifier": name} for name in judge_records(records)]}
