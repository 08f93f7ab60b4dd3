"""Batches: request, follow, read and cancel."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.composition import adapters, open_batch
from assessment.api.responses import (
    answer,
    idempotency_key,
    is_admin,
    json_body,
)
from assessment.contracts.parsing import parse
from assessment.contracts.request import BatchRequest
from assessment.contracts.views import BatchAccepted
from assessment.observability import count, logger
from assessment.usecases.cancel_batch import cancel_batch
from assessment.usecases.read_batch import read_batch, read_result
from assessment.usecases.request_batch import RequestCommand, request_batch
from assessment.usecases.resume_batch import resume_batch

router = Router()  # type: ignore[no-untyped-call]


@router.post("/v1/batches")
def request() -> Response[str]:
    """Request a batch."""
    event = router.current_event
    settings = adapters().settings
    command = RequestCommand(
        request=parse(BatchRequest, json_body(event.body)),
        idempotency_key=idempotency_key(event),
        is_admin=is_admin(event.raw_event),
        stack_config=settings.batch_config,
        batching_mode=settings.llm_batching_mode,
        batch_id=str(uuid.uuid4()),
        callback_key=secrets.token_urlsafe(32),
    )
    batch = request_batch(command, ports=adapters().request_ports, now=datetime.now(UTC))
    logger.append_keys(batch_id=batch.batch_id, correlation_id=batch.correlation_id)
    logger.info("batch requested")
    count("batches_requested")
    return answer(202, BatchAccepted.from_batch(batch))


@router.get("/v1/batches/<batch_id>")
def progress(batch_id: str) -> Response[str]:
    """A batch's progress."""
    return answer(200, read_batch(open_batch(batch_id), ports=adapters().progress_ports))


@router.get("/v1/batches/<batch_id>/results")
def results(batch_id: str) -> Response[str]:
    """A completed batch's result."""
    return answer(200, read_result(open_batch(batch_id), ports=adapters().read_ports))


@router.post("/v1/batches/<batch_id>/cancel")
def cancel(batch_id: str) -> Response[str]:
    """Cancel a batch."""
    batch = cancel_batch(open_batch(batch_id), ports=adapters().cancel_ports, now=datetime.now(UTC))
    return answer(200, BatchAccepted.from_batch(batch))


@router.post("/v1/batches/<batch_id>/resume")
def resume(batch_id: str) -> Response[str]:
    """Resume a batch that failed by a fault around it, from the step that failed."""
    batch = resume_batch(open_batch(batch_id), ports=adapters().resume_ports, now=datetime.now(UTC))
    count("batches_resumed")
    return answer(202, BatchAccepted.from_batch(batch))
