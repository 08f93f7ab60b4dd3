"""The REST API: its routes are in `assessment.api`, its errors become problem documents."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import __version__
from assessment.api import (
    anchors,
    assignments,
    audit,
    batches,
    callbacks,
    content,
    decisions,
    docs,
    erasure,
    invitations,
    pages,
    people,
    reports,
    webhooks,
)
from assessment.api.methods import answer_without_route
from assessment.api.responses import answer, explain_unexpected_error, problem, read_event, respond
from assessment.domain.errors import CJError
from assessment.observability import logger, metrics

api = APIGatewayRestResolver()
api.exception_handler(CJError)(problem)
api.exception_handler(Exception)(explain_unexpected_error)
api.include_router(anchors.router)
api.include_router(assignments.router)
api.include_router(audit.router)
api.include_router(batches.router)
api.include_router(callbacks.router)
api.include_router(content.router)
api.include_router(decisions.router)
api.include_router(docs.router)
api.include_router(erasure.router)
api.include_router(pages.router)
api.include_router(invitations.router)
api.include_router(people.router)
api.include_router(reports.router)
api.include_router(webhooks.router)


@api.not_found
def no_such_route(_: Exception) -> Response[str]:
    """A path or method that the API does not have, or a question for the methods of a path."""
    return answer_without_route(api.current_event)


@api.get("/v1/healthz")
def healthz() -> Response[str]:
    """Whether the API answers."""
    return answer(200, {"status": "ok", "version": __version__})


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return respond(event, api.resolve(read_event(event), context))
