"""Who reaches which route: every role, of every organisation, on every route there is."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from assessment.api.access import ROUTES
from assessment.domain.access import PERMISSIONS, Action, Role
from functions.handle_api.app import api
from tests.handlers.conftest import BATCH_ID, Stack, adapters, event, invoke

OWN, OTHER = "default", "south"
OPEN = {
    ("GET", "/v1/healthz"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/docs"),
    ("GET", "/app"),
    ("GET", "/app/<file_name>"),
    ("POST", "/v1/callbacks"),
}
ROLES: list[Role | None] = [*Role, None]
VERDICT = {"comparison_id": "w001-00000", "winner": "A"}
BODIES: dict[str, Any] = {
    "invitations": {"names": ["Ann"]},
    "verdicts": VERDICT,
    "judging-deadline": {"judging_deadline": "2030-01-01T12:00:00Z"},
    "decision": {"grade": "C"},
}
"""By the last part of the path; elsewhere an empty one."""
SEEDED = {
    "batch_id": BATCH_ID,
    "essay_id": "anna",
    "comparison_id": "w001-00000",
    "assignment_id": "plastic-bottles",
    "anchor_ref": "middle",
    "invitation_id": "0123456789abcdef",
    "webhook_id": "fedcba9876543210",
}
ANOTHER_BATCH = "6f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a11"


def all_routes() -> set[tuple[str, str]]:
    """Method and path of every route of the handler, as it is registered."""
    return {
        (str(route.method), route.path) for route in [*api._static_routes, *api._dynamic_routes]
    }


def test_every_route_names_its_action_or_is_open() -> None:
    assert all_routes() == set(ROUTES) | OPEN


def test_every_action_is_granted_to_somebody_and_to_roles_only() -> None:
    assert PERMISSIONS.keys() == set(Action)
    assert all(roles and roles <= set(Role) for roles in PERMISSIONS.values())


def fill(path: str) -> str:
    """The path about what was seeded."""
    for name, value in SEEDED.items():
        path = path.replace(f"<{name}>", value)
    return path


def request(
    method: str, path: str, *, role: Role | None, organisation: str, batch: str | None = None
) -> dict[str, Any]:
    """An event for the route about the seeded batch, with a body that only verdicts can be."""
    authorizer: dict[str, str] = {
        "principalId": "caller", "organisation": organisation, "roles": role or "",
    }  # fmt: skip
    if batch is not None:
        authorizer["batch_id"] = batch
    given = event("handle_api/get_batch.json")
    given |= {
        "httpMethod": method,
        "path": fill(path),
        "resource": "/v1/{proxy+}",
        "body": json.dumps(BODIES.get(path.rpartition("/")[2], {})),
    }
    given["requestContext"] |= {"authorizer": authorizer, "httpMethod": method}
    return given


def find_status(*arguments: Any, **keywords: Any) -> tuple[int, str]:
    answered = invoke("handle_api", request(*arguments, **keywords))
    is_page = answered["body"].startswith("<")
    kind = "" if is_page else json.loads(answered["body"]).get("type", "")
    return answered["statusCode"], kind.rpartition(":")[2]


@pytest.fixture
def batch(stack: Stack) -> Stack:
    """A batch of OWN that waits for its verdicts."""
    stack.submitted()
    return stack


ERASURE = ("DELETE", "/v1/batches/<batch_id>")
"""The last of all: afterwards there is no batch."""

MATRIX = [
    (route, role, organisation)
    for route, role, organisation in product(sorted(ROUTES), ROLES, (OWN, OTHER))
]


def test_the_matrix_holds(batch: Stack) -> None:
    """One batch for all cells: cells that may change it come last."""
    cells = sorted(
        MATRIX, key=lambda cell: (cell[0] == ERASURE, cell[1] is not None, cell[2] == OWN)
    )
    wrong = {}
    for (method, path), role, organisation in cells:
        if "<assignment_id>" in path and organisation == OWN:
            batch.registered()
        status, kind = find_status(method, path, role=role, organisation=organisation)
        allowed = role in PERMISSIONS[ROUTES[method, path]]
        about_a_batch = "<batch_id>" in path
        about_an_assignment = "<assignment_id>" in path and method != "PUT"
        if not allowed:
            fits = (status, kind) == (403, "not-permitted")
        elif role is Role.JUDGE or (organisation == OTHER and about_a_batch):
            # A judge without an invitation has no batch; another's batch is none.
            fits = (status, kind) == (404, "unknown-batch")
        elif organisation == OTHER and about_an_assignment:
            fits = (status, kind) == (404, "unknown-assignment")
        elif "<webhook_id>" in path:
            # None is seeded.
            fits = (status, kind) == (404, "unknown-webhook")
        elif "<invitation_id>" in path:
            # The seeded batch has none.
            fits = (status, kind) == (404, "unknown-invitation")
        else:
            fits = status not in (401, 403, 404) and status < 500
        if not fits:
            wrong[method, path, role, organisation] = (status, kind)
    assert not wrong
    assert len(cells) == len(ROUTES) * len(ROLES) * 2


@pytest.mark.parametrize("path", ["next-comparison", "verdicts"])
@pytest.mark.parametrize(
    ("organisation", "invited_to", "found"),
    [(OWN, BATCH_ID, True), (OWN, ANOTHER_BATCH, False), (OTHER, BATCH_ID, False)],
)
def test_a_judge_reaches_the_batch_of_the_invitation_alone(
    batch: Stack, path: str, organisation: str, invited_to: str, *, found: bool
) -> None:
    method = "GET" if path == "next-comparison" else "POST"
    status, _ = find_status(
        method,
        f"/v1/batches/<batch_id>/{path}",
        role=Role.JUDGE,
        organisation=organisation,
        batch=invited_to,
    )
    assert (status != 404) is found


def test_an_invitation_opens_no_other_route(batch: Stack) -> None:
    for (method, path), action in ROUTES.items():
        if Role.JUDGE in PERMISSIONS[action]:
            continue
        status, kind = find_status(method, path, role=Role.JUDGE, organisation=OWN, batch=BATCH_ID)
        assert (status, kind) == (403, "not-permitted"), (method, path)


def test_past_the_authorizer_nobody_gets_in(stack: Stack) -> None:
    for method, path in ROUTES:
        given = request(method, path, role=Role.ADMIN, organisation=OWN)
        del given["requestContext"]["authorizer"]
        assert invoke("handle_api", given)["statusCode"] == 401, (method, path)


def test_an_assignment_of_another_organisation_is_none(stack: Stack) -> None:
    stack.registered()
    given = event("handle_api/create_batch.json")
    given["requestContext"]["authorizer"]["organisation"] = OTHER
    answered = invoke("handle_api", given)
    assert answered["statusCode"] == 404
    assert json.loads(answered["body"])["type"].endswith(":unknown-assignment")


def test_two_organisations_use_one_name_and_one_key_without_meeting(stack: Stack) -> None:
    ids = set()
    for organisation in (OWN, OTHER):
        for name in ("register_anchors", "create_batch"):
            given = event(f"handle_api/{name}.json")
            given["requestContext"]["authorizer"]["organisation"] = organisation
            answered = invoke("handle_api", given)
            assert answered["statusCode"] in (201, 202), answered["body"]
        batch_id = json.loads(answered["body"])["batch_id"]
        ids.add(batch_id)
        assert adapters().select_batch(batch_id).organisation == organisation
    assert len(ids) == 2


def test_what_is_stored_lies_under_its_organisation(batch: Stack) -> None:
    items = batch.client("dynamodb").scan(TableName="cj-table")["Items"]
    partitions = {item["PK"]["S"] for item in items}
    shared = {name for name in partitions if not name.startswith("ORGANISATION#default#")}
    assert {name.partition("#")[0] for name in shared} == {"ACTIVE", "DIRECTORY"}
    listed = batch.client("s3").list_objects_v2(Bucket="cj-bucket")["Contents"]
    assert {entry["Key"].split("/")[1] for entry in listed} == {"default"}
