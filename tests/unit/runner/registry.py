"""The routes of assignments as the scripted API has them: the product's use cases, in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from assessment.api.responses import json_body
from assessment.contracts.assignments import (
    AssessmentInstructions,
    AssignmentView,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.invitations import InvitationList, InvitationRequest, InvitationView
from assessment.contracts.parsing import parse
from assessment.domain.errors import UnknownInvitationError
from assessment.domain.invitation import Invitation
from assessment.domain.judging_time import USUAL_DAYS
from assessment.usecases.change_assignment import (
    delete_assignment,
    get_registered,
    list_anchors,
    list_assignments,
    remove_anchor,
    set_instructions,
    set_student_prompt,
)
from tests.fakes.people import InMemoryPeople
from tests.fakes.stores import InMemoryAssignmentStore
from tests.present import present

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


def guard_invitations(
    guarded: Callable[[int, Callable[[Request, bytes, bool], object]], Any],
    people: Callable[[], InMemoryPeople],
) -> dict[tuple[str, str], Any]:
    """The routes of invitations of any batch, behind the check of tokens."""

    def invite(request: Request, body: bytes, _: bool) -> Any:  # noqa: FBT001
        now, batch_id = datetime.now(UTC), request.path_params["batch_id"]
        wanted = parse(InvitationRequest, json_body(body.decode()))
        made = [
            Invitation(
                invitation_id=f"{number:016x}",
                batch_id=batch_id,
                name=name,
                quota=wanted.quota,
                created_at=now,
                created_by="tests",
                expires_at=now + timedelta(days=wanted.days or USUAL_DAYS),
            )
            for number, name in enumerate(wanted.names)
        ]
        shown = [
            people().put_invitation(one).model_dump(mode="json")
            | {"link": f"https://x/app/#invitation={one.invitation_id}", "token": "t"}
            for one in made
        ]
        return {"batch_id": batch_id, "invitations": shown}

    def listed(request: Request, _: bytes, __: bool) -> Any:  # noqa: FBT001
        return _list(request.path_params["batch_id"], people())

    def revoke(request: Request, _: bytes, __: bool) -> Any:  # noqa: FBT001
        path, now = request.path_params, datetime.now(UTC)
        person = people().revoke(path["batch_id"], path["invitation_id"], now=now)
        if person is None:
            raise UnknownInvitationError.from_id(path["batch_id"], path["invitation_id"])
        return present(InvitationView.from_person(person, now=now)).model_dump(mode="json")

    path = "/v1/batches/{batch_id}/invitations"
    return {
        ("POST", path): guarded(201, invite),
        ("GET", path): guarded(200, listed),
        ("DELETE", f"{path}/{{invitation_id}}"): guarded(200, revoke),
    }


def _list(batch_id: str, people: InMemoryPeople) -> dict[str, Any]:
    now = datetime.now(UTC)
    views = [InvitationView.from_person(one, now=now) for one in people.list_people(batch_id)]
    return InvitationList(
        batch_id=batch_id, invitations=[view for view in views if view is not None]
    ).model_dump(mode="json")
