"""State FinaliseBatch: store and publish the result."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.steps import BatchStep
from assessment.observability import count, logger, metrics
from assessment.settings import FinaliseBatchSettings
from assessment.statistics.engine import ScoringStatistics
from assessment.usecases.finalise_batch import finalise_batch


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The batch's end, with the hash of its result."""
    adapters = bootstrap.adapters(FinaliseBatchSettings)
    step = BatchStep.model_validate(event)
    logger.append_keys(**adapters.log_keys(step.batch_id))
    batch = finalise_batch(
        step.batch_id,
        ports=adapters.select_batch(step.batch_id).finalise_ports(ScoringStatistics()),
        versions={"numpy": version("numpy"), "scipy": version("scipy")},
        now=datetime.now(UTC),
    )
    count("batches_completed")
    logger.info("batch finalised", extra={"outcome": batch.outcome})
    return {
        "batch_id": batch.batch_id,
        "status": batch.status,
        "outcome": batch.outcome,
        "result_sha256": batch.result_sha256,
    }
