"""A small laptop cloud behind real HTTP: the API's rules and problem documents, batches scripted.

Requests are parsed, refused and answered by the product's own models and problem documents; only
the life of a batch is a script of answers, one for each question.
"""

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assessment.api.responses import check_batch_id, json_body, problem
from assessment.api.tokens import verify_own_token
from assessment.contracts.decisions import DecisionRequest, ReleaseRequest
from assessment.contracts.erasure import ErasureView
from assessment.contracts.manifest import ContentText, StoredContent
from assessment.contracts.parsing import parse
from assessment.contracts.people import JudgingDeadline
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.contracts.tokens import sign_token
from assessment.contracts.views import (
    BatchFile,
    BatchFiles,
    BatchList,
    BatchProgress,
    ComparisonList,
)
from assessment.domain.access import Action, Caller, Role, authorise
from assessment.domain.config import Source, resolve_config
from assessment.domain.errors import (
    CJError,
    IdempotencyConflictError,
    IllegalTransitionError,
    ResultNotReadyError,
    TokenRefusedError,
    UnknownAssignmentError,
    UnknownBatchError,
)
from assessment.domain.grade_scale import find_scale
from assessment.domain.identifiers import derive_uuid
from assessment.ports.decisions import ReleasePorts
from assessment.usecases.decide_grade import decide_grade, read_attention
from assessment.usecases.release_batch import release_batch
from tests.fakes.people import InMemoryPeople
from tests.fakes.stores import InMemoryAssignmentStore
from tests.fakes.webhooks import InMemoryWebhooks
from tests.present import present
from tests.unit.runner import aws_wire, documents
from tests.unit.runner.registry import guard_assignments, guard_invitations
from tests.unit.runner.webhook_routes import guard_webhooks

SECRET = "a secret of at least thirty-two bytes, for tests"


@dataclass
class FakeStack:
    """What the server holds and has seen; tests prepare and read it."""

    name: str = "cj-local"
    port: int = 0
    url: str = ""
    script: list[BatchProgress] = field(default_factory=list)
    result: dict[str, Any] | None = None
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    assignments: dict[str, AnchorRegistration] = field(default_factory=dict)
    batches: dict[str, BatchRequest] = field(default_factory=dict)
    interruptions: list[int] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    questions_before_expiry: int | None = None
    keys: dict[str, str] = field(default_factory=dict)
    judge_url: str = ""
    known_texts: list[str] = field(default_factory=list)
    office: ReleasePorts | None = None
    erasures: list[ErasureView] = field(default_factory=list)
    people: InMemoryPeople = field(default_factory=InMemoryPeople)
    webhooks: InMemoryWebhooks = field(default_factory=InMemoryWebhooks)
    uploads: dict[str, str] = field(default_factory=dict)
    registry: InMemoryAssignmentStore = field(default_factory=InMemoryAssignmentStore)

    def reset(self) -> None:
        """Forget everything but the address."""
        fresh = FakeStack(port=self.port, url=self.url)
        self.__dict__.update(fresh.__dict__)

    def token(
        self,
        role: Role = Role.ASSESSOR,
        lifetime: timedelta = timedelta(hours=1),
        *,
        subject: str = "tests",
    ) -> str:
        caller = Caller(subject=subject, roles=frozenset({role}))
        return sign_token(caller, secret=SECRET, now=datetime.now(UTC), lifetime=lifetime)

    def calls(self, method: str, ending: str) -> list[dict[str, str]]:
        """The headers of the calls to a route."""
        return [h for m, path, h in self.requests if m == method and path.endswith(ending)]

    def next_progress(self, batch_id: str) -> BatchProgress:
        if batch_id not in self.batches:
            raise UnknownBatchError.from_id(batch_id)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.asked.set()
        if self.questions_before_expiry is not None:
            self.questions_before_expiry -= 1
            if self.questions_before_expiry == 0:
                self.interruptions.append(401)
        return step.model_copy(update={"batch_id": batch_id})


def _register(stack: FakeStack, body: bytes) -> dict[str, Any]:
    registration = parse(AnchorRegistration, json_body(body.decode()))
    scale = find_scale(registration.grade_scale)
    for index, anchor in enumerate(registration.anchors):
        scale.position(anchor.grade, field=f"anchors[{index}].grade")
    stack.assignments[registration.assignment_id] = registration
    return {
        "assignment_id": registration.assignment_id,
        "registered": len(registration.anchors),
        "grade_scale": scale.grades,
        "anchors": [{"anchor_ref": a.anchor_ref, "grade": a.grade} for a in registration.anchors],
    }


def _request(stack: FakeStack, request: Request, body: bytes, *, admin: bool) -> dict[str, Any]:
    wanted = parse(BatchRequest, json_body(body.decode()))
    if wanted.assignment_id and wanted.assignment_id not in stack.assignments:
        raise UnknownAssignmentError.from_id(wanted.assignment_id)
    resolve_config([(Source.REQUEST, wanted.config)], is_admin=admin)
    batch_id = derive_uuid("batch", request.headers["Idempotency-Key"])
    if stack.batches.setdefault(batch_id, wanted) != wanted:
        raise IdempotencyConflictError("Idempotency-Key: used before for a different request")
    return documents.make_acceptance(batch_id)


async def _take_upload(stack: FakeStack, request: Request) -> Response:
    """What is put at a link, by whom is not asked."""
    stack.requests.append((request.method, request.url.path, dict(request.headers)))
    stack.uploads[request.path_params["name"]] = (await request.body()).decode()
    return Response()


async def _give_upload(stack: FakeStack, request: Request) -> Response:
    """What lies at a link, to everybody."""
    stack.requests.append((request.method, request.url.path, dict(request.headers)))
    body = stack.uploads.get(request.path_params["name"])
    return Response(status_code=403) if body is None else Response(body)


def _store_content(stack: FakeStack, body: bytes) -> dict[str, Any]:
    text = parse(ContentText, json_body(body.decode())).text
    content_id = hashlib.sha256(text.encode()).hexdigest()
    stack.uploads[content_id] = text
    stored = StoredContent(
        content_id=content_id, n_characters=len(text), expires_at=datetime.now(UTC).isoformat()
    )
    return stored.model_dump(mode="json")


def _move_deadline(batch_id: str, body: bytes) -> dict[str, Any]:
    moved = JudgingDeadline.model_validate_json(body).model_dump(mode="json")
    return {"batch_id": batch_id, **moved, "n_invitations_ending_before": 2}


def _list_files(stack: FakeStack, batch_id: str) -> dict[str, Any]:
    """Everything that lies at a link."""
    files = [
        BatchFile(
            name=name,
            n_bytes=len(body.encode()),
            link=f"http://127.0.0.1:{stack.port}/uploads/{name}",
        )
        for name, body in stack.uploads.items()
    ]
    expires_at = datetime.now(UTC).isoformat()
    listed = BatchFiles(batch_id=batch_id, files=files, expires_at=expires_at)
    return listed.model_dump(mode="json")


def _announce_manifest(stack: FakeStack) -> dict[str, Any]:
    name = f"{len(stack.uploads):032x}"
    return {
        "manifest_id": name,
        "link": f"http://127.0.0.1:{stack.port}/uploads/{name}",
        "headers": {"Content-Type": "application/jsonl"},
        "expires_at": datetime.now(UTC).isoformat(),
    }


def _result(stack: FakeStack, batch_id: str) -> dict[str, Any]:
    if batch_id not in stack.batches:
        raise UnknownBatchError.from_id(batch_id)
    if stack.result is None:
        raise ResultNotReadyError("the batch is SCORING; ask again when its status is COMPLETED")
    return {**stack.result, "batch_id": batch_id}


def _list(stack: FakeStack, request: Request) -> dict[str, Any]:
    """One batch on a page, so that a reader has to ask for the next."""
    query = dict(request.query_params)
    wanted = query.get("status")
    found = [
        documents.summary(batch_id, status=stack.script[-1].status)
        for batch_id in stack.batches
        if wanted in (None, stack.script[-1].status)
    ]
    start = int(query.get("cursor", 0))
    cursor = str(start + 1) if start + 1 < len(found) else None
    return BatchList.model_validate(
        {"batches": found[start : start + 1], "cursor": cursor}
    ).model_dump(mode="json")


def _comparisons(stack: FakeStack, batch_id: str, request: Request) -> dict[str, Any]:
    """Two comparisons on a page."""
    if batch_id not in stack.batches:
        raise UnknownBatchError.from_id(batch_id)
    found = documents.comparisons()
    ids = [one.comparison_id for one in found]
    cursor = request.query_params.get("cursor")
    start = ids.index(cursor) + 1 if cursor else 0
    page = found[start : start + 2]
    last = page[-1].comparison_id if start + 2 < len(found) else None
    return ComparisonList(batch_id=batch_id, comparisons=page, cursor=last).model_dump(mode="json")


def _cancel(stack: FakeStack, batch_id: str) -> dict[str, Any]:
    if batch_id not in stack.batches:
        raise UnknownBatchError.from_id(batch_id)
    if stack.result is not None:
        raise IllegalTransitionError("status: a batch that is COMPLETED cannot become CANCELLED")
    return documents.make_acceptance(batch_id) | {"status": "CANCELLED"}


def _resume(stack: FakeStack, batch_id: str) -> dict[str, Any]:
    if batch_id not in stack.batches:
        raise UnknownBatchError(batch_id)
    if stack.script[0].status != "FAILED":
        raise IllegalTransitionError("status: a batch that is COMPLETED cannot be resumed")
    stack.script = documents.life_of_a_batch()
    return documents.make_acceptance(batch_id) | {"status": "SCORING"}


def _caller(request: Request) -> Caller:
    return verify_own_token(
        request.headers.get("Authorization", ""),
        secrets=(SECRET,),
        max_life=timedelta(hours=24),
        now=datetime.now(UTC),
    )


def _attend(stack: FakeStack, request: Request) -> dict[str, Any]:
    limit = int(request.query_params["limit"])
    batch_id = request.path_params["batch_id"]
    view = read_attention(batch_id, limit=limit, ports=present(stack.office))
    return view.model_dump(mode="json")


def _decide(stack: FakeStack, request: Request, body: bytes) -> dict[str, Any]:
    view = decide_grade(
        request.path_params["batch_id"],
        request.path_params["essay_id"],
        parse(DecisionRequest, json_body(body.decode())),
        assessor=_caller(request).subject,
        ports=present(stack.office),
        now=datetime.now(UTC),
    )
    return view.model_dump(mode="json")


def _release(stack: FakeStack, request: Request, body: bytes) -> dict[str, Any]:
    batch_id = request.path_params["batch_id"]
    released = release_batch(
        batch_id,
        parse(ReleaseRequest, json_body(body.decode())),
        assessor=_caller(request).subject,
        ports=present(stack.office),
        now=datetime.now(UTC),
    )
    return {"batch_id": batch_id, **released.model_dump(mode="json")}


def _erasing(stack: FakeStack) -> dict[str, Any]:
    """The next of the prepared states; the last one stays."""
    view = stack.erasures.pop(0) if len(stack.erasures) > 1 else stack.erasures[0]
    return view.model_dump(mode="json")


def _erase(stack: FakeStack, *, admin: bool) -> dict[str, Any]:
    authorise(
        Caller(subject="tests", roles=frozenset({Role.ADMIN if admin else Role.ASSESSOR})),
        Action.ERASE_DATA,
    )
    return _erasing(stack)


def application(stack: FakeStack) -> Starlette:
    def guard(status: int, act: Callable[[Request, bytes, bool], object]) -> Any:
        async def endpoint(request: Request) -> Response:
            stack.requests.append((request.method, request.url.path, dict(request.headers)))
            if stack.interruptions:
                return Response(status_code=stack.interruptions.pop(0))
            body = await request.body()
            try:
                caller = _caller(request)
            except TokenRefusedError:
                return JSONResponse({"message": "Unauthorized"}, status_code=401)
            try:
                answer = act(request, body, caller.is_admin)
            except CJError as error:
                refusal = problem(error)
                return Response(
                    refusal.body, status_code=error.status, media_type=refusal.content_type
                )
            return Response(json.dumps(answer), status_code=status, media_type="application/json")

        return endpoint

    def batch_id(request: Request) -> str:
        return check_batch_id(request.path_params["batch_id"])

    async def healthz(request: Request) -> Response:
        stack.requests.append((request.method, request.url.path, {}))
        return JSONResponse({"status": "ok", "version": "0"})

    async def aws(request: Request) -> Response:
        stack.requests.append((request.method, request.url.path, dict(request.headers)))
        target = request.headers.get("X-Amz-Target", "")
        return aws_wire.answer(
            target,
            await request.body(),
            stack=stack.name,
            secret=SECRET,
            keys=stack.keys,
            judge_url=stack.judge_url,
        )

    async def texts(request: Request) -> Response:
        """What the demo's judge says of texts."""
        hashes = (await request.json())["sha256"]
        known = [hashlib.sha256(text.strip().encode()).hexdigest() for text in stack.known_texts]
        unknown = sum(one not in known for one in hashes)
        return JSONResponse({"known_texts": len(known), "unknown": unknown})

    base = "/_aws/execute-api/abc123/live"
    routes = {
        ("POST", "/v1/anchors/register"): guard(201, lambda _, body, __: _register(stack, body)),
        ("POST", "/v1/batches"): guard(
            202, lambda request, body, admin: _request(stack, request, body, admin=admin)
        ),
        ("GET", "/v1/batches"): guard(200, lambda r, _, __: _list(stack, r)),
        ("GET", "/v1/batches/{batch_id}/comparisons"): guard(
            200, lambda r, _, __: _comparisons(stack, batch_id(r), r)
        ),
        ("GET", "/v1/batches/{batch_id}"): guard(
            200, lambda r, _, __: stack.next_progress(batch_id(r)).model_dump(mode="json")
        ),
        ("GET", "/v1/batches/{batch_id}/results"): guard(
            200, lambda r, _, __: _result(stack, batch_id(r))
        ),
        ("POST", "/v1/batches/{batch_id}/cancel"): guard(
            200, lambda r, _, __: _cancel(stack, batch_id(r))
        ),
        ("POST", "/v1/batches/{batch_id}/resume"): guard(
            202, lambda r, _, __: _resume(stack, batch_id(r))
        ),
        ("GET", "/v1/batches/{batch_id}/attention"): guard(
            200, lambda request, _, __: _attend(stack, request)
        ),
        ("PUT", "/v1/batches/{batch_id}/essays/{essay_id:path}/decision"): guard(
            200, lambda request, body, _: _decide(stack, request, body)
        ),
        ("POST", "/v1/batches/{batch_id}/release"): guard(
            200, lambda request, body, _: _release(stack, request, body)
        ),
        ("DELETE", "/v1/batches/{batch_id}"): guard(
            202, lambda _, __, admin: _erase(stack, admin=admin)
        ),
        ("DELETE", "/v1/batches/{batch_id}/essays/{essay_id:path}"): guard(
            202, lambda _, __, admin: _erase(stack, admin=admin)
        ),
        ("GET", "/v1/batches/{batch_id}/erasures"): guard(
            200, lambda r, _, __: {"batch_id": batch_id(r), "erasures": [_erasing(stack)]}
        ),
        ("GET", "/v1/batches/{batch_id}/essays/{essay_id:path}/export"): guard(
            200, lambda r, _, __: {"essay_id": r.path_params["essay_id"]}
        ),
        ("PUT", "/v1/batches/{batch_id}/judging-deadline"): guard(
            200, lambda r, body, _: _move_deadline(batch_id(r), body)
        ),
        ("POST", "/v1/manifests"): guard(201, lambda *_: _announce_manifest(stack)),
        ("POST", "/v1/content"): guard(201, lambda _, body, __: _store_content(stack, body)),
        ("GET", "/v1/batches/{batch_id}/files"): guard(
            200, lambda r, _, __: _list_files(stack, batch_id(r))
        ),
        ("GET", "/v1/healthz"): healthz,
    }
    routes |= guard_assignments(guard, lambda: stack.registry)
    routes |= guard_webhooks(guard, lambda: stack.webhooks)
    routes |= guard_invitations(guard, lambda: stack.people)
    # Two routes may have one path: each method has its own.
    api = [
        Route(base + path, endpoint, methods=[method])
        for (method, path), endpoint in routes.items()
    ]
    api.append(Route("/uploads/{name}", partial(_take_upload, stack), methods=["PUT"]))
    api.append(Route("/uploads/{name}", partial(_give_upload, stack), methods=["GET"]))
    judge = Route("/judge/texts", texts, methods=["POST"])
    return Starlette(routes=[Route("/", aws, methods=["POST"]), judge, *api])


@contextmanager
def serving(stack: FakeStack) -> Iterator[FakeStack]:
    """The stack on a free port of this machine, as long as the context lasts."""
    listener = socket.create_server(("127.0.0.1", 0))
    stack.port = listener.getsockname()[1]
    stack.url = f"http://127.0.0.1:{stack.port}/_aws/execute-api/abc123/live"
    server = uvicorn.Server(uvicorn.Config(application(stack), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield stack
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
        assert not thread.is_alive()
