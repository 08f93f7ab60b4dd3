"""The routes of assignments as the scripted API has them: the product's use cases, in memory."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from assessment.api.responses import json_body
from assessment.contracts.assignments import (
    AssessmentInstructions,
    AssignmentView,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.parsing import parse
from assessment.usecases.change_assignment import (
    delete_assignment,
    get_registered,
    list_anchors,
    list_assignments,
    remove_anchor,
    set_instructions,
    set_student_prompt,
)
from tests.fakes.stores import InMemoryAssignmentStore

Act = Callable[[Request, bytes], object]
INSTRUCTIONS = "/admin/v1/assessment-instructions"


def guard_assignments(
    guarded: Callable[[int, Callable[[Request, bytes, bool], object]], Any],
    store: Callable[[], InMemoryAssignmentStore],
) -> dict[tuple[str, str], Any]:
    """The routes, behind the check of tokens, by method and path."""

    def guard(status: int, act: Act) -> Any:
        return guarded(status, lambda request, body, _: act(request, body))

    return {route: guard(*found) for route, found in _list_routes(store).items()}


def _list_routes(
    store: Callable[[], InMemoryAssignmentStore],
) -> dict[tuple[str, str], tuple[int, Act]]:
    """Status and action by method and path."""

    def put(request: Request, body: bytes) -> Any:
        return set_instructions(
            request.path_params["assignment_id"],
            parse(AssessmentInstructions, json_body(body.decode())),
            is_admin=True,
            stack_config={},
            assignments=store(),
        ).model_dump(mode="json")

    def get(request: Request, _: bytes) -> Any:
        assignment = get_registered(request.path_params["assignment_id"], store())
        return AssignmentView.from_assignment(assignment).model_dump(mode="json")

    def listed(request: Request, _: bytes) -> Any:
        after = request.query_params.get("cursor")
        return list_assignments(limit=1, after=after, assignments=store()).model_dump(mode="json")

    def delete(request: Request, _: bytes) -> Any:
        name = request.path_params["assignment_id"]
        return delete_assignment(name, assignments=store()).model_dump()

    def post_prompt(_: Request, body: bytes) -> Any:
        prompt = parse(StudentPrompt, json_body(body.decode()))
        return set_student_prompt(prompt, assignments=store()).model_dump(mode="json")

    def get_prompt(request: Request, _: bytes) -> Any:
        assignment = get_registered(request.query_params["assignment_id"], store())
        prompt = assignment.instructions.student_prompt
        return StudentPromptView(
            assignment_id=assignment.assignment_id, student_prompt=prompt
        ).model_dump()

    def anchors(request: Request, _: bytes) -> Any:
        name = request.path_params["assignment_id"]
        return list_anchors(name, assignments=store()).model_dump()

    def remove(request: Request, _: bytes) -> Any:
        path = request.path_params
        return remove_anchor(
            path["assignment_id"], path["anchor_ref"], assignments=store()
        ).model_dump()

    return {
        ("PUT", f"{INSTRUCTIONS}/{{assignment_id}}"): (200, put),
        ("GET", f"{INSTRUCTIONS}/{{assignment_id}}"): (200, get),
        ("GET", INSTRUCTIONS): (200, listed),
        ("DELETE", f"{INSTRUCTIONS}/{{assignment_id}}"): (200, delete),
        ("POST", "/admin/v1/student-prompts"): (201, post_prompt),
        ("GET", "/admin/v1/student-prompts"): (200, get_prompt),
        ("GET", "/v1/anchors/{assignment_id}"): (200, anchors),
        ("DELETE", "/v1/anchors/{assignment_id}/{anchor_ref}"): (200, remove),
    }
