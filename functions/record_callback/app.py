"""The callback queue: record verdicts, errors and deadlines, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
from assessment.domain.errors import CJError
from assessment.observability import count, logger, metrics
from assessment.settings import RecordCallbackSettings
from assessment.usecases.callback_messages import read_message
from assessment.usecases.keep_comparisons import keep_late_comparisons
from assessment.usecases.record_callback import record_callback


def record_one(record: SQSRecord) -> str:
    """The batch of one message, which is recorded.

    What cannot be attributed ends in the dead-letter queue, kept for inspection.
    """
    adapters = bootstrap.adapters(RecordCallbackSettings)
    with report_errors():
        message = read_message(record.body)
    with logger.append_context_keys(**adapters.log_keys(message.batch_id)):
        with report_errors():
            recorded = record_callback(
                message,
                ports=adapters.select_batch(message.batch_id).callback_ports,
                now=datetime.now(UTC),
            )
        count(f"callbacks_{recorded.effect}")
        logger.info(
            "callback recorded",
            extra={
                "wave": recorded.wave_number,
                "comparison_id": recorded.comparison_id,
                "effect": recorded.effect,
                "problem": recorded.problem,
            },
        )
    return recorded.batch_id


def keep_late(batch_ids: Iterable[str]) -> None:
    """Once for all messages of a batch that came after its end."""
    adapters = bootstrap.adapters(RecordCallbackSettings)
    for batch_id in batch_ids:
        keep_late_comparisons(batch_id, ports=adapters.select_batch(batch_id).callback_ports)


@contextmanager
def report_errors() -> Iterator[None]:
    """Log what is raised: the batch processor turns every exception into a returned message."""
    try:
        yield
    except CJError as error:
        logger.error("callback refused", extra={"code": error.code, "detail": str(error)})
        count("callbacks_refused")
        raise
    except Exception:
        logger.exception("unexpected error")
        raise


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages that failed go back to the queue, the others do not."""
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    batch_ids: set[str] = set()
    answer = process_partial_response(
        event=event,
        record_handler=lambda record: batch_ids.add(record_one(record)),
        processor=processor,
        context=context,
    )
    keep_late(sorted(batch_ids))
    return dict(answer)
