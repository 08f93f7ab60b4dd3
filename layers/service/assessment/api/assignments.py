"""Assignments: what their judges are told, their student prompts, and their removal."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import own_adapters
from assessment.api.queries import AssignmentQuery, read_path, read_query
from assessment.api.responses import answer, json_body
from assessment.contracts.assignments import (
    AssessmentInstructions,
    AssignmentPath,
    AssignmentView,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.parsing import parse
from assessment.domain.access import Action
from assessment.usecases.change_assignment import (
    delete_assignment,
    get_registered,
    list_assignments,
    set_instructions,
    set_student_prompt,
)
from assessment.usecases.sweep_anchors import request_sweep

router = Router()

_INSTRUCTIONS = "/admin/v1/assessment-instructions"
_ASSIGNMENT = f"{_INSTRUCTIONS}/<assignment_id>"
_PROMPTS = "/admin/v1/student-prompts"


@guard_route(router, "PUT", _ASSIGNMENT, Action.CHANGE_ASSIGNMENT)
def put_instructions(assignment_id: str) -> Response[str]:
    """Create an assignment, or replace what holds for it."""
    event = router.current_event
    own = own_adapters(router)
    view = set_instructions(
        read_path(AssignmentPath, assignment_id=assignment_id).assignment_id,
        parse(AssessmentInstructions, json_body(event.body)),
        is_admin=read_caller(event.raw_event).is_admin,
        stack_config=own.settings.batch_config,
        assignments=own.assignments,
    )
    return answer(200, view)


@guard_route(router, "GET", _ASSIGNMENT, Action.READ_ASSIGNMENT)
def get_instructions(assignment_id: str) -> Response[str]:
    """What holds for an assignment."""
    path = read_path(AssignmentPath, assignment_id=assignment_id)
    assignment = get_registered(path.assignment_id, own_adapters(router).assignments)
    return answer(200, AssignmentView.from_assignment(assignment))


@guard_route(router, "GET", _INSTRUCTIONS, Action.READ_ASSIGNMENT)
def list_instructions() -> Response[str]:
    """A page of the organisation's assignments."""
    query = read_query(AssignmentQuery, router.current_event)
    store = own_adapters(router).assignments
    return answer(200, list_assignments(limit=query.limit, after=query.cursor, assignments=store))


@guard_route(router, "DELETE", _ASSIGNMENT, Action.CHANGE_ASSIGNMENT)
def delete_instructions(assignment_id: str) -> Response[str]:
    """Remove an assignment with its anchors."""
    path = read_path(AssignmentPath, assignment_id=assignment_id)
    own, caller = own_adapters(router), read_caller(router.current_event.raw_event)
    removed = delete_assignment(path.assignment_id, assignments=own.assignments)
    request_sweep(caller.organisation, path.assignment_id, erasure_queue=own.erasure_queue)
    return answer(200, removed)


@guard_route(router, "POST", _PROMPTS, Action.CHANGE_ASSIGNMENT)
def post_student_prompt() -> Response[str]:
    """Give an assignment its student prompt."""
    prompt = parse(StudentPrompt, json_body(router.current_event.body))
    return answer(201, set_student_prompt(prompt, assignments=own_adapters(router).assignments))


@guard_route(router, "GET", _PROMPTS, Action.READ_ASSIGNMENT)
def get_student_prompt() -> Response[str]:
    """The student prompt of the assignment that the query names."""
    query = parse(AssignmentPath, dict(router.current_event.query_string_parameters or {}))
    assignment = get_registered(query.assignment_id, own_adapters(router).assignments)
    view = StudentPromptView(
        assignment_id=assignment.assignment_id,
        student_prompt=assignment.instructions.student_prompt,
    )
    return answer(200, view)
