"""State ScoreBatch: fit all verdicts and decide what is next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.steps import WaveStep
from assessment.diagnostics import report_decision
from assessment.observability import logger, metrics
from assessment.settings import ScoreBatchSettings
from assessment.statistics.engine import ScoringStatistics
from assessment.usecases.score_batch import score_batch


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The decision with its typed reason."""
    adapters = bootstrap.adapters(ScoreBatchSettings)
    step = WaveStep.model_validate(event)
    logger.append_keys(**adapters.log_keys(step.batch_id))
    scored = score_batch(
        step.batch_id,
        step.wave,
        ports=adapters.select_batch(step.batch_id).score_ports(ScoringStatistics()),
        now=datetime.now(UTC),
    )
    report_decision(scored)
    decision = scored.decision.model_dump(mode="json")
    logger.info(
        "Continuation decision evaluated",
        extra={"wave": step.wave, **decision},
    )
    return {"batch_id": step.batch_id, "wave": step.wave, **decision}
