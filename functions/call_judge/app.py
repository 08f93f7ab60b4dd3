"""The judge queue: ask judges for the verdicts of a batch of messages side by side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from assessment.adapters import wiring
from assessment.domain.backoff import retry_delay
from assessment.domain.errors import CJError
from assessment.domain.judge import BatchingMode
from assessment.domain.llm_protocol import JudgeRequestV1
from assessment.observability import count, logger, metrics
from assessment.settings import settings
from assessment.usecases.call_judge import Delivery, call_judges


def returned(records: list[SQSRecord]) -> Iterator[str]:
    """Ask about all messages; the ids of those that must come back."""
    deliveries: list[tuple[SQSRecord, Delivery]] = []
    for record in records:
        try:
            request = JudgeRequestV1.model_validate_json(record.body)
        except ValidationError:
            logger.exception("not a judge request", extra={"message_id": record.message_id})
            yield record.message_id
            continue
        last = receives(record) >= settings().judge_max_receives
        deliveries.append((record, Delivery(request, last)))
    report = wiring.run(
        call_judges(
            [delivery for _, delivery in deliveries],
            ports=wiring.judge_ports(),
            mode=BatchingMode(settings().llm_batching_mode),
            now=datetime.now(UTC),
        )
    )
    for name in ("calls", "deferred", "repeated"):
        if value := getattr(report, name):
            count(f"judge_calls_{name}" if name != "calls" else "judge_calls", value)
    for (record, delivery), error in zip(deliveries, report.errors, strict=True):
        if error is not None:
            put_back(record, delivery.request, error)
            yield record.message_id


def receives(record: SQSRecord) -> int:
    """How often the message was delivered, this time included."""
    return int(record.attributes.approximate_receive_count)


def put_back(record: SQSRecord, request: JudgeRequestV1, error: Exception) -> None:
    """Say when the message is to come back, and why."""
    ids = {"batch_id": request.batch_id, "comparison_id": request.comparison_id}
    if not isinstance(error, CJError):
        # Reported as a returned message; this one is a defect.
        logger.error("unexpected error", exc_info=error, extra=ids)
        return
    logger.warning("judge call failed", extra={**ids, "code": error.code})
    count("judge_calls_failed")
    delay = retry_delay(error, receives=receives(record), spread_by=request.comparison_id)
    wiring.judge_queue().postpone(record.receipt_handle, seconds=delay)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages that failed go back to the queue, the others do not."""
    records = list(SQSEvent(event).records)
    return {"batchItemFailures": [{"itemIdentifier": name} for name in returned(records)]}
