"""The REST API: parse to a model, call one use case, return a model."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import __version__
from assessment.adapters import wiring
from assessment.adapters.http_api import answer, checked_batch_id, is_admin, json_body, problem
from assessment.domain.errors import CJError, NotFoundError
from assessment.domain.request import AnchorRegistration, BatchRequest, parse
from assessment.observability import count, logger, metrics
from assessment.settings import stack_defaults
from assessment.usecases.accept_callback import accept_callback
from assessment.usecases.cancel_batch import cancel_batch
from assessment.usecases.read_batch import read_batch, read_result
from assessment.usecases.register_anchors import register_anchors
from assessment.usecases.request_batch import BatchAccepted, request_batch

api = APIGatewayRestResolver()
api.exception_handler(CJError)(problem)


@api.not_found
def no_such_route(_: Exception) -> Response[str]:
    """A path or method that the API does not have."""
    return problem(NotFoundError("the API has no such path and method"))


@api.get("/v1/healthz")
def healthz() -> Response[str]:
    """Whether the API answers."""
    return answer(200, {"status": "ok", "version": __version__})


@api.post("/v1/anchors/register")
def register() -> Response[str]:
    """Register an assignment's anchors."""
    event = api.current_event
    registered = register_anchors(
        parse(AnchorRegistration, json_body(event.body)),
        is_admin=is_admin(event.raw_event),
        stack=stack_defaults(),
        assignments=wiring.assignments(),
        content=wiring.content(),
    )
    return answer(201, registered)


@api.post("/v1/batches")
def request() -> Response[str]:
    """Request a batch."""
    event = api.current_event
    batch = request_batch(
        parse(BatchRequest, json_body(event.body)),
        idempotency_key=event.headers.get("Idempotency-Key"),
        is_admin=is_admin(event.raw_event),
        stack=stack_defaults(),
        **wiring.request_ports(),
        now=datetime.now(UTC),
        new_id=lambda: str(uuid.uuid4()),
    )
    count("batches_requested")
    return answer(202, BatchAccepted.of(batch))


@api.post("/v1/callbacks")
def callback() -> Response[str]:
    """A verdict from a judge's endpoint, signed with the stack's secret."""
    event = api.current_event
    result = accept_callback(
        event.decoded_body or "", event.headers, **wiring.callback_ports(), now=datetime.now(UTC)
    )
    count("callbacks_accepted")
    return answer(202, {"status": "accepted", "correlation_id": result.correlation_id})


@api.get("/v1/batches/<batch_id>")
def progress(batch_id: str) -> Response[str]:
    """A batch's progress."""
    checked = checked_batch_id(batch_id)
    return answer(
        200, read_batch(checked, batches=wiring.batches(), comparisons=wiring.comparisons())
    )


@api.get("/v1/batches/<batch_id>/results")
def results(batch_id: str) -> Response[str]:
    """A completed batch's result."""
    checked = checked_batch_id(batch_id)
    return answer(200, read_result(checked, batches=wiring.batches(), content=wiring.content()))


@api.post("/v1/batches/<batch_id>/cancel")
def cancel(batch_id: str) -> Response[str]:
    """Cancel a batch."""
    batch = cancel_batch(
        checked_batch_id(batch_id),
        batches=wiring.batches(),
        workflow=wiring.workflow(),
        now=datetime.now(UTC),
    )
    return answer(200, BatchAccepted.of(batch))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return api.resolve(event, context)
