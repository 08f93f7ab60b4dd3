"""State PrepareBatch: freeze the batch's specification."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.steps import BatchStep
from assessment.domain.errors import REQUEST_REFUSALS
from assessment.observability import logger
from assessment.settings import PrepareBatchSettings
from assessment.usecases.prepare_batch import prepare_batch


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Students and anchors become one batch.

    A request that cannot be met is answered with its refusal. A raised error would end the batch in
    the same way, but it would count as a failure of this function and set off its alarm.
    """
    adapters = bootstrap.adapters(PrepareBatchSettings)
    step = BatchStep.model_validate(event)
    logger.append_keys(**adapters.log_keys(step.batch_id))
    try:
        batch = prepare_batch(
            step.batch_id,
            ports=adapters.select_batch(step.batch_id).prepare_ports,
            now=datetime.now(UTC),
        )
    except REQUEST_REFUSALS as refusal:
        logger.info("request refused", extra={"code": refusal.code})
        error = {"Error": type(refusal).__name__, "Cause": str(refusal)}
        return {"batch_id": step.batch_id, "error": error}
    logger.info("batch prepared", extra={"essays": batch.n_essays})
    return {"batch_id": batch.batch_id, "essays": batch.essays, "anchors": batch.anchors}
