"""Batches: request, follow, read and cancel."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import open_batch, own_adapters
from assessment.api.queries import BatchQuery, ComparisonQuery, encode_cursor, read_query
from assessment.api.responses import (
    answer,
    idempotency_key,
    json_body,
    see_other,
)
from assessment.contracts.parsing import parse
from assessment.contracts.request import BatchRequest
from assessment.contracts.views import BatchAccepted
from assessment.domain.access import Action
from assessment.observability import count, logger
from assessment.usecases.cancel_batch import cancel_batch
from assessment.usecases.list_batches import list_batches
from assessment.usecases.list_files import MAX_ANSWER_BYTES, link_result, list_files
from assessment.usecases.read_batch import read_batch, read_comparisons, read_result
from assessment.usecases.request_batch import RequestCommand, request_batch
from assessment.usecases.resume_batch import resume_batch

router = Router()


@guard_route(router, "POST", "/v1/batches", Action.REQUEST_BATCH)
def request() -> Response[str]:
    """Request a batch."""
    event = router.current_event
    caller = read_caller(event.raw_event)
    own = own_adapters(router)
    settings = own.settings
    command = RequestCommand(
        organisation=caller.organisation,
        request=parse(BatchRequest, json_body(event.body)),
        idempotency_key=idempotency_key(event, caller),
        is_admin=caller.is_admin,
        stack_config=settings.batch_config,
        batching_mode=settings.llm_batching_mode,
        batch_id=str(uuid.uuid4()),
        callback_key=secrets.token_urlsafe(32),
        retention_days=own.retention_policies.get_policy().choose_days(settings.retention_days),
        max_batches_per_day=settings.max_batches_per_day,
        max_usd_per_day=settings.max_usd_per_day,
    )
    batch = request_batch(command, ports=own.request_ports, now=datetime.now(UTC))
    logger.append_keys(batch_id=batch.batch_id, correlation_id=batch.correlation_id)
    logger.info("batch requested")
    count("batches_requested")
    return answer(202, BatchAccepted.from_batch(batch))


@guard_route(router, "GET", "/v1/batches", Action.READ_BATCH)
def list_all() -> Response[str]:
    """A page of the organisation's batches."""
    query = read_query(BatchQuery, router.current_event)
    batches = own_adapters(router).batches
    view = list_batches(query.filter, limit=query.limit, cursor=query.cursor, batches=batches)
    return answer(200, view.model_copy(update={"cursor": encode_cursor(view.cursor)}))


@guard_route(router, "GET", "/v1/batches/<batch_id>", Action.READ_BATCH)
def progress(batch_id: str) -> Response[str]:
    """A batch's progress."""
    own = own_adapters(router)
    return answer(200, read_batch(open_batch(batch_id, own), ports=own.progress_ports))


@guard_route(router, "GET", "/v1/batches/<batch_id>/results", Action.READ_BATCH)
def results(batch_id: str) -> Response[str]:
    """A completed batch's result."""
    own = own_adapters(router)
    result = read_result(open_batch(batch_id, own), ports=own.read_ports)
    if len(result.encode()) <= MAX_ANSWER_BYTES:
        return answer(200, result)
    return see_other(link_result(batch_id, ports=own.file_ports))


@guard_route(router, "GET", "/v1/batches/<batch_id>/files", Action.READ_BATCH)
def files(batch_id: str) -> Response[str]:
    """A batch's files by links."""
    own = own_adapters(router)
    listed = list_files(open_batch(batch_id, own), ports=own.file_ports, now=datetime.now(UTC))
    return answer(200, listed)


@guard_route(router, "GET", "/v1/batches/<batch_id>/comparisons", Action.READ_BATCH)
def comparisons(batch_id: str) -> Response[str]:
    """A page of a batch's comparisons, with what their judges said."""
    query = read_query(ComparisonQuery, router.current_event)
    own = own_adapters(router)
    page = read_comparisons(
        open_batch(batch_id, own), limit=query.limit, cursor=query.cursor, ports=own.read_ports
    )
    return answer(200, page)


@guard_route(router, "POST", "/v1/batches/<batch_id>/cancel", Action.CHANGE_BATCH)
def cancel(batch_id: str) -> Response[str]:
    """Cancel a batch."""
    own = own_adapters(router)
    batch = cancel_batch(open_batch(batch_id, own), ports=own.cancel_ports, now=datetime.now(UTC))
    return answer(200, BatchAccepted.from_batch(batch))


@guard_route(router, "POST", "/v1/batches/<batch_id>/resume", Action.CHANGE_BATCH)
def resume(batch_id: str) -> Response[str]:
    """Let a batch continue where an error of its surroundings ended it."""
    own = own_adapters(router)
    batch = resume_batch(open_batch(batch_id, own), ports=own.resume_ports, now=datetime.now(UTC))
    count("batches_resumed")
    return answer(202, BatchAccepted.from_batch(batch))
