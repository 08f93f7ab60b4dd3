"""State FailBatch: end a batch that cannot have a result, and say why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.steps import FailStep
from assessment.observability import count, logger, metrics
from assessment.settings import FailBatchSettings
from assessment.usecases.fail_batch import fail_batch, is_fault, read_failure


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The batch's end, with the error that the execution shows."""
    adapters = bootstrap.adapters(FailBatchSettings)
    step = FailStep.model_validate(event)
    logger.append_keys(**adapters.log_keys(step.batch_id))
    decision = step.decision.as_decision() if step.decision else None
    batch = fail_batch(
        step.batch_id,
        read_failure(decision, step.error),
        by_decision=step.error is None,
        ports=adapters.select_batch(step.batch_id).fail_ports,
        now=datetime.now(UTC),
    )
    error, cause = (batch.failure.code, batch.failure.message) if batch.failure else ("", "")
    is_to_look_into = batch.failure is None or is_fault(batch.failure)
    count("batches_failed" if is_to_look_into else "batches_refused")
    logger.warning("batch failed", extra={"code": error, "is_fault": is_to_look_into})
    return {
        "batch_id": batch.batch_id, "error": error, "cause": cause, "is_fault": is_to_look_into,
    }  # fmt: skip
