"""Anchors of an assignment."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.composition import adapters
from assessment.api.responses import answer, is_admin, json_body
from assessment.contracts.parsing import parse
from assessment.contracts.request import AnchorRegistration
from assessment.usecases.register_anchors import register_anchors

router = Router()  # type: ignore[no-untyped-call]


@router.post("/v1/anchors/register")
def register() -> Response[str]:
    """Register an assignment's anchors."""
    event = router.current_event
    confirmation = register_anchors(
        parse(AnchorRegistration, json_body(event.body)),
        is_admin=is_admin(event.raw_event),
        stack_config=adapters().settings.batch_config,
        ports=adapters().anchor_ports,
    )
    return answer(201, confirmation)
