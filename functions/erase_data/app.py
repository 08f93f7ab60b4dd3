"""The erasure queue: remove what is to be erased from every store, round by round."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.erasure import EraseRequestV1, SweepAnchorsV1, read_erasure_message
from assessment.observability import count, logger, metrics
from assessment.settings import EraseDataSettings
from assessment.usecases.erase_data import go_on_erasing
from assessment.usecases.sweep_anchors import sweep_anchors

_RESERVED_MILLISECONDS = 20_000
"""Enough for the record of the round, and for the message about the next one."""


def sweep(message: SweepAnchorsV1) -> None:
    """Erase the texts of anchors that an assignment has no more."""
    own = bootstrap.adapters(EraseDataSettings).select(message.organisation)
    n_left = sweep_anchors(message, ports=own.sweep_ports, now=datetime.now(UTC))
    ids = {"organisation": message.organisation, "assignment_id": message.assignment_id}
    logger.info("texts of removed anchors erased", extra={**ids, "left": n_left})


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages that failed go back to the queue, the others do not."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _RESERVED_MILLISECONDS

    def erase_one(record: SQSRecord) -> None:
        message = read_erasure_message(record.body)
        if isinstance(message, SweepAnchorsV1):
            sweep(message)
        else:
            erase(message)

    def erase(message: EraseRequestV1) -> None:
        adapters = bootstrap.adapters(EraseDataSettings)
        own = adapters.select_batch(message.batch_id)
        ports = own.erasure_ports(own.dead_letters(adapters.settings.dead_letter_queue_urls))
        ids = {"batch_id": message.batch_id, "erasure_id": message.erasure_id}
        try:
            erasure = bootstrap.run(
                go_on_erasing(message, ports=ports, now=datetime.now(UTC), has_time=has_time)
            )
        except Exception as error:
            # Without its words: they may quote what is to be erased.
            logger.error("erasure interrupted", extra={**ids, "error": type(error).__name__})
            count("erasures_interrupted")
            raise
        if erasure is not None:
            logger.info("erasure round ended", extra={**ids, "state": erasure.state})
            count(f"erasures_{erasure.state}")

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(
        process_partial_response(
            event=event, record_handler=erase_one, processor=processor, context=context
        )
    )
