"""State SubmitWave (waiting for its token): queue the wave's comparisons for judging."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.steps import SubmitStep
from assessment.observability import logger
from assessment.settings import SubmitWaveSettings
from assessment.usecases.submit_wave import submit_or_report, submit_wave


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Store the token, mark what is awaited, send the messages."""
    adapters = bootstrap.adapters(SubmitWaveSettings)
    step = SubmitStep.model_validate(event)
    logger.append_keys(**adapters.log_keys(step.batch_id))
    with submit_or_report(step.task_token, adapters.workflow):
        submit_wave(
            step.batch_id,
            step.wave,
            token=step.task_token,
            ports=adapters.select_batch(step.batch_id).submit_ports,
            mode=adapters.settings.llm_batching_mode,
            now=datetime.now(UTC),
        )
    logger.info("wave submitted", extra={"wave": step.wave})
    return {"batch_id": step.batch_id, "wave": step.wave}
