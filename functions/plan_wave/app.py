"""State PlanWave: choose the next comparisons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.steps import BatchStep
from assessment.observability import logger
from assessment.settings import PlanWaveSettings
from assessment.statistics.engine import ScoringStatistics
from assessment.usecases.plan_wave import plan_wave


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The next wave, stored before it is announced."""
    adapters = bootstrap.adapters(PlanWaveSettings)
    step = BatchStep.model_validate(event)
    logger.append_keys(**adapters.log_keys(step.batch_id))
    wave = plan_wave(
        step.batch_id,
        ports=adapters.select_batch(step.batch_id).plan_ports(ScoringStatistics()),
        mode=adapters.settings.llm_batching_mode,
        now=datetime.now(UTC),
    )
    logger.info(
        "wave planned",
        extra={"wave": wave.wave, "planned": wave.n_planned},
    )
    return {"batch_id": step.batch_id, "wave": wave.wave, "planned": wave.n_planned}
