"""A request from the event bus: the same use case as the API's, keyed by the event's id."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.contracts.parsing import parse
from assessment.contracts.request import BatchRequest
from assessment.contracts.requested import read_organisation, read_requested_batch
from assessment.observability import count, logger, metrics
from assessment.settings import AcceptRequestSettings
from assessment.usecases.audit_changes import audit_request
from assessment.usecases.refuse_request import REFUSALS, refuse_request
from assessment.usecases.request_batch import RequestCommand, request_batch


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start the batch that a CJAssessmentRequested.v1 event asks for, once, or publish why not."""
    adapters, now = bootstrap.adapters(AcceptRequestSettings), datetime.now(UTC)
    try:
        data, key = read_requested_batch(event)
        organisation = read_organisation(event)
        request = parse(BatchRequest, data)
        own = adapters.select(organisation)
        policy = own.retention_policies.get_policy()
        logger.append_keys(correlation_id=request.correlation_id)
        command = RequestCommand(
            request=request,
            organisation=organisation,
            idempotency_key=key,
            is_admin=False,
            stack_config=adapters.settings.batch_config,
            batching_mode=adapters.settings.llm_batching_mode,
            batch_id=str(uuid.uuid4()),
            callback_key=secrets.token_urlsafe(32),
            retention_days=policy.choose_days(adapters.settings.retention_days),
            max_batches_per_day=adapters.settings.max_batches_per_day,
            max_usd_per_day=adapters.settings.max_usd_per_day,
        )
        with audit_request(event, organisation, ports=own.audit_ports, now=now) as ended:
            batch = request_batch(command, ports=own.request_ports, now=now)
            ended.append(batch.batch_id)
    except REFUSALS as refusal:
        refuse_request(event, refusal, events=adapters.events, now=now)
        count("batches_refused")
        logger.warning("request refused", extra={"code": refusal.code, "event_id": event.get("id")})
        return {"refused": refusal.code}
    count("batches_requested")
    logger.append_keys(batch_id=batch.batch_id, correlation_id=batch.correlation_id)
    logger.info("batch requested")
    return {"batch_id": batch.batch_id, "status": batch.status}
