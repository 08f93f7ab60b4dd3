"""Anchors of an assignment."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guarded, read_caller
from assessment.api.composition import own_adapters
from assessment.api.responses import answer, json_body
from assessment.contracts.parsing import parse
from assessment.contracts.request import AnchorRegistration
from assessment.domain.access import Action
from assessment.usecases.register_anchors import register_anchors

router = Router()  # type: ignore[no-untyped-call]


@guarded(router, "POST", "/v1/anchors/register", Action.REGISTER_ASSIGNMENT)
def register() -> Response[str]:
    """Register an assignment's anchors."""
    event = router.current_event
    caller = read_caller(event.raw_event)
    own = own_adapters(router)
    confirmation = register_anchors(
        parse(AnchorRegistration, json_body(event.body)),
        is_admin=caller.is_admin,
        stack_config=own.settings.batch_config,
        ports=own.anchor_ports,
    )
    return answer(201, confirmation)
