"""Anchors of an assignment."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import own_adapters
from assessment.api.methods import answer_without_route
from assessment.api.queries import read_path
from assessment.api.responses import answer, json_body
from assessment.contracts.assignments import AnchorPath, AssignmentPath
from assessment.contracts.parsing import parse
from assessment.contracts.request import AnchorRegistration
from assessment.domain.access import Action
from assessment.domain.identifiers import RESERVED_WORD
from assessment.usecases.change_assignment import list_anchors, remove_anchor
from assessment.usecases.register_anchors import register_anchors, replaces_anchors
from assessment.usecases.sweep_anchors import request_sweep

router = Router()


@guard_route(router, "POST", "/v1/anchors/register", Action.REGISTER_ASSIGNMENT)
def register() -> Response[str]:
    """Register an assignment's anchors."""
    event = router.current_event
    caller = read_caller(event.raw_event)
    own = own_adapters(router)
    registration = parse(AnchorRegistration, json_body(event.body))
    is_replacing = replaces_anchors(registration, assignments=own.assignments)
    confirmation = register_anchors(
        registration,
        is_admin=caller.is_admin,
        stack_config=own.settings.batch_config,
        ports=own.anchor_ports,
    )
    if is_replacing:
        assignment_id = confirmation.assignment_id
        request_sweep(caller.organisation, assignment_id, erasure_queue=own.erasure_queue)
    return answer(201, confirmation)


@guard_route(router, "GET", "/v1/anchors/<assignment_id>", Action.READ_ASSIGNMENT)
def anchors(assignment_id: str) -> Response[str]:
    """The anchors of an assignment."""
    if assignment_id == RESERVED_WORD:
        return answer_without_route(router.current_event)
    path = read_path(AssignmentPath, assignment_id=assignment_id)
    store = own_adapters(router).assignments
    return answer(200, list_anchors(path.assignment_id, assignments=store))


@guard_route(
    router, "DELETE", "/v1/anchors/<assignment_id>/<anchor_ref>", Action.REGISTER_ASSIGNMENT
)
def remove(assignment_id: str, anchor_ref: str) -> Response[str]:
    """Remove an anchor of an assignment."""
    path = read_path(AnchorPath, assignment_id=assignment_id, anchor_ref=anchor_ref)
    own, caller = own_adapters(router), read_caller(router.current_event.raw_event)
    removed = remove_anchor(path.assignment_id, path.anchor_ref, assignments=own.assignments)
    request_sweep(caller.organisation, path.assignment_id, erasure_queue=own.erasure_queue)
    return answer(200, removed)
