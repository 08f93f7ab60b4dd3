"""The judge queue: ask the judge for the verdicts of a batch of messages side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    async_process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment.adapters import wiring
from assessment.domain.backoff import retry_delay
from assessment.domain.errors import CJError
from assessment.domain.llm_protocol import JudgeRequestV1
from assessment.observability import count, logger, metrics
from assessment.settings import settings
from assessment.usecases.call_judge import call_judge

LEASE_MARGIN_SECONDS = 10


async def ask(record: SQSRecord) -> None:
    """One message: one verdict wanted."""
    request = JudgeRequestV1.model_validate_json(record.body)
    limits = settings()
    receives = int(record.attributes.approximate_receive_count)
    ids = {"batch_id": request.batch_id, "comparison_id": request.comparison_id}
    try:
        async with wiring.http_client() as client:
            await call_judge(
                request,
                last_receive=receives >= limits.judge_max_receives,
                lease_seconds=int(limits.judge_timeout_seconds) + LEASE_MARGIN_SECONDS,
                judge=wiring.judge(client),
                comparisons=wiring.comparisons(),
                content=wiring.content(),
                callback_queue=wiring.callback_queue(),
                now=datetime.now(UTC),
            )
    except CJError as error:
        logger.warning("judge call failed", extra={**ids, "code": error.code})
        count("judge_calls_failed")
        delay = retry_delay(error, receives=receives, spread_by=request.comparison_id)
        wiring.judge_queue().postpone(record.receipt_handle, seconds=delay)
        raise
    except Exception:
        # The batch processor turns every exception into a returned message; this one is a defect.
        logger.exception("unexpected error", extra=ids)
        raise
    logger.debug("judge called", extra=ids)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages that failed go back to the queue, the others do not."""
    processor = AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(
        async_process_partial_response(
            event=event, record_handler=ask, processor=processor, context=context
        )
    )
