"""The API as one OpenAPI 3.1 document, made from its models and routes, and as a page.

`python -m assessment.api.openapi` writes it to `schemas/openapi.json`. It is made when it is first
asked for: no other request pays for it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from assessment import __version__
from assessment.api.access import ROUTES
from assessment.api.openapi_links import make_links, name_operation
from assessment.api.queries import (
    AssignmentQuery,
    AttentionQuery,
    BatchQuery,
    ComparisonQuery,
    OfferQuery,
    Page,
    ReportQuery,
)
from assessment.contracts.assignments import (
    AnchorList,
    AssessmentInstructions,
    AssignmentList,
    AssignmentPath,
    AssignmentView,
    Deleted,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.decisions import (
    AttentionView,
    DecisionRequest,
    DecisionsDocument,
    DecisionsView,
    EssayDecisionView,
    ReleaseRequest,
    ReleaseView,
)
from assessment.contracts.erasure import ErasureList, ErasureView
from assessment.contracts.export import EssayExport
from assessment.contracts.invitations import (
    InvitationList,
    InvitationRequest,
    InvitationView,
    NewInvitations,
)
from assessment.contracts.list_protocol import CallbackBody
from assessment.contracts.manifest import (
    ContentText,
    ManifestLink,
    StoredContent,
    UploadLinks,
    UploadRequest,
)
from assessment.contracts.request import AnchorRegistration, BatchRequest, PersonVerdict
from assessment.contracts.result import ResultDocument
from assessment.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from assessment.contracts.views import (
    AnchorsRegistered,
    AuditPageView,
    BatchAccepted,
    BatchAudit,
    BatchFiles,
    BatchList,
    BatchProgress,
    ComparisonList,
    EssayView,
    PersonOffer,
    PromptView,
)
from assessment.contracts.webhooks import (
    NewWebhook,
    WebhookList,
    WebhookReplay,
    WebhookRequest,
    WebhookView,
)
from assessment.domain.access import PERMISSIONS
from assessment.domain.config import BatchConfig
from assessment.domain.judge import JudgeSpec
from assessment.domain.release import ReleasePolicy
from assessment.domain.retention import RetentionPolicy

_REFERENCE = "#/components/schemas/{model}"
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class FieldProblem(BaseModel):
    """One wrong field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457); `type` is stable, `errors` names each wrong field."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class Accepted(BaseModel):
    """What was sent is queued."""

    status: Literal["accepted"]
    correlation_id: str


class Health(BaseModel):
    """The API answers."""

    status: Literal["ok"]
    version: str


BATCH_REQUEST = create_model(
    "BatchRequestBody",
    __base__=BatchRequest,
    __doc__="A request to assess essays together, with the settings and judges that it may name.",
    config=(BatchConfig, Field(default_factory=BatchConfig)),
    judge=(JudgeSpec | list[JudgeSpec] | None, None),
)
"""`BatchRequest` with what its use case reads in it later."""


@dataclass(frozen=True)
class Operation:
    """A route as a caller sees it."""

    summary: str
    status: int = 200
    answer: type[BaseModel] | None = None
    media_type: str | None = None
    body: type[BaseModel] | None = None
    is_body_required: bool = True
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()
    is_done_at_once: bool = False
    """Whether it may also answer 204, where nothing was left to do."""


_BATCH = "/v1/batches/<batch_id>"
_ESSAY = f"{_BATCH}/essays/<essay_id>"
_INSTRUCTIONS = "/admin/v1/assessment-instructions"
_WEBHOOKS = "/admin/v1/webhooks"
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/v1/anchors/register"): Operation(
        "Register an assignment's anchors, grade scale and instructions",
        201, AnchorsRegistered, body=AnchorRegistration,
    ),
    ("GET", "/v1/anchors/<assignment_id>"): Operation(
        "List the anchors of an assignment", answer=AnchorList, problems=(404,)
    ),
    ("DELETE", "/v1/anchors/<assignment_id>/<anchor_ref>"): Operation(
        "Remove an anchor of an assignment", answer=Deleted, problems=(404,)
    ),
    ("GET", _INSTRUCTIONS): Operation(
        "List the organisation's assignments", answer=AssignmentList, query=AssignmentQuery
    ),
    ("PUT", f"{_INSTRUCTIONS}/<assignment_id>"): Operation(
        "Create an assignment, or replace its scale, instructions, rubric and settings",
        answer=AssignmentView, body=AssessmentInstructions,
    ),
    ("GET", f"{_INSTRUCTIONS}/<assignment_id>"): Operation(
        "Read what holds for an assignment", answer=AssignmentView, problems=(404,)
    ),
    ("DELETE", f"{_INSTRUCTIONS}/<assignment_id>"): Operation(
        "Remove an assignment with its anchors", answer=Deleted, problems=(404,)
    ),
    ("POST", "/admin/v1/student-prompts"): Operation(
        "Give an assignment its student prompt", 201, AssignmentView, body=StudentPrompt,
        problems=(404,),
    ),
    ("GET", "/admin/v1/student-prompts"): Operation(
        "Read the student prompt of an assignment", answer=StudentPromptView,
        query=AssignmentPath, problems=(404,),
    ),
    ("POST", "/v1/content"): Operation(
        "Store a text, which requests name by its hash", 201, StoredContent, body=ContentText,
    ),
    ("POST", "/v1/content/uploads"): Operation(
        "Get links by which many texts are uploaded", 201, UploadLinks, body=UploadRequest,
    ),
    ("POST", "/v1/manifests"): Operation(
        "Get a link by which a manifest of essays (JSON lines) is uploaded", 201, ManifestLink,
    ),
    ("GET", f"{_BATCH}/files"): Operation(
        "Get links to a batch's files", answer=BatchFiles, problems=(404,)
    ),
    ("POST", "/v1/batches"): Operation(
        "Request a batch", 202, BatchAccepted, body=BATCH_REQUEST,
        headers=("Idempotency-Key",), problems=(404, 409),
    ),
    ("GET", "/v1/batches"): Operation(
        "List the organisation's batches, the newest first", answer=BatchList, query=BatchQuery
    ),
    ("GET", _BATCH): Operation("Read a batch's progress", answer=BatchProgress, problems=(404,)),
    ("GET", f"{_BATCH}/results"): Operation(
        "Read a completed batch's result", answer=ResultDocument, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/report"): Operation(
        "Read a batch's report as one page that needs no network",
        media_type="text/html", query=ReportQuery, problems=(404, 409),
    ),
    ("GET", _ESSAY): Operation(
        "Read an essay as its judges read it", answer=EssayView, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/comparisons"): Operation(
        "Read a batch's comparisons, with what their judges said",
        answer=ComparisonList, query=ComparisonQuery, problems=(404,),
    ),
    ("GET", f"{_BATCH}/comparisons/<comparison_id>/prompt"): Operation(
        "Read what the judge of a comparison was told, and what it answered",
        answer=PromptView, problems=(404, 409),
    ),
    ("POST", f"{_BATCH}/cancel"): Operation(
        "Cancel a batch", answer=BatchAccepted, problems=(404, 409)
    ),
    ("POST", f"{_BATCH}/resume"): Operation(
        "Resume a batch that failed by a fault around it", 202, BatchAccepted, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/audit"): Operation(
        "Read the audit trail of a batch", answer=BatchAudit, problems=(404,)
    ),
    ("POST", _WEBHOOKS): Operation(
        "Add a webhook; its secret is shown this once", 201, NewWebhook,
        body=WebhookRequest, problems=(409,),
    ),
    ("GET", _WEBHOOKS): Operation("List the webhooks", answer=WebhookList),
    ("GET", f"{_WEBHOOKS}/<webhook_id>"): Operation(
        "Read a webhook with its last attempt", answer=WebhookView, problems=(404,)
    ),
    ("DELETE", f"{_WEBHOOKS}/<webhook_id>"): Operation(
        "Remove a webhook", answer=Deleted, problems=(404,)
    ),
    ("POST", f"{_WEBHOOKS}/<webhook_id>/replay"): Operation(
        "Send again what the webhook did not take", 202, WebhookReplay, problems=(404, 409)
    ),
    ("POST", f"{_BATCH}/invitations"): Operation(
        "Invite people to judge a batch; the links are shown this once", 201, NewInvitations,
        body=InvitationRequest, headers=("Idempotency-Key",), problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/invitations"): Operation(
        "List the invitations of a batch with their progress",
        answer=InvitationList, problems=(404,),
    ),
    ("DELETE", f"{_BATCH}/invitations/<invitation_id>"): Operation(
        "Take an invitation back", answer=InvitationView, problems=(404,)
    ),
    ("GET", f"{_BATCH}/next-comparison"): Operation(
        "Take the next comparison to judge in person",
        answer=PersonOffer, query=OfferQuery, problems=(404, 409),
    ),
    ("PUT", f"{_ESSAY}/decision"): Operation(
        "Confirm or change the grade that is proposed for an essay",
        answer=EssayDecisionView, body=DecisionRequest, problems=(404, 409),
    ),
    ("GET", f"{_ESSAY}/decision"): Operation(
        "Read what is proposed and decided about an essay",
        answer=EssayDecisionView, problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/decisions"): Operation(
        "Read how far the decisions about a batch are", answer=DecisionsView, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/attention"): Operation(
        "List the essays that need a person, the most urgent first",
        answer=AttentionView, query=AttentionQuery, problems=(404, 409),
    ),
    ("POST", f"{_BATCH}/release"): Operation(
        "Release the grades of a batch", answer=ReleaseView, body=ReleaseRequest,
        is_body_required=False, problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/release"): Operation(
        "Read the released grades with all decisions",
        answer=DecisionsDocument, problems=(404, 409),
    ),
    ("DELETE", _BATCH): Operation(
        "Erase a batch everywhere; once nothing is left of it, 204", 202, ErasureView,
        problems=(404,), is_done_at_once=True,
    ),
    ("DELETE", _ESSAY): Operation(
        "Erase one pupil's essay from a batch that has ended", 202, ErasureView,
        problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/erasures"): Operation(
        "Read what was erased of a batch, and how far that is",
        answer=ErasureList, problems=(404,),
    ),
    ("GET", f"{_ESSAY}/export"): Operation(
        "Export everything that is kept about one essay", answer=EssayExport, problems=(404,)
    ),
    ("GET", "/v1/release-policy"): Operation(
        "Read what the organisation demands of a release", answer=ReleasePolicy
    ),
    ("PUT", "/v1/release-policy"): Operation(
        "Forbid or allow the release of grades without decisions",
        answer=ReleasePolicy, body=ReleasePolicy,
    ),
    ("GET", "/v1/retention-policy"): Operation(
        "Read how long the organisation keeps its batches", answer=RetentionPolicy
    ),
    ("PUT", "/v1/retention-policy"): Operation(
        "Set how long the organisation keeps the batches that are requested from now on",
        answer=RetentionPolicy, body=RetentionPolicy,
    ),
    ("POST", f"{_BATCH}/verdicts"): Operation(
        "Give a verdict in person", 202, Accepted, body=PersonVerdict, problems=(404, 409)
    ),
    ("GET", "/v1/audit"): Operation(
        "Read the organisation's audit trail, the newest first", answer=AuditPageView, query=Page
    ),
    ("POST", "/v1/callbacks"): Operation(
        "Bring a verdict of a judge's endpoint, signed",
        202, Accepted, body=CallbackBody,
        headers=(TIMESTAMP_HEADER, SIGNATURE_HEADER), problems=(401, 409),
    ),
    ("GET", "/v1/healthz"): Operation("Ask whether the API answers", answer=Health),
    ("GET", "/app"): Operation("Open the rooms for people", media_type="text/html"),
    ("GET", "/app/<file_name>"): Operation(
        "Read a file of the rooms", media_type="text/javascript", problems=(404,)
    ),
    ("GET", "/v1/openapi.json"): Operation("Read this document"),
    ("GET", "/v1/docs"): Operation("Read this document as a page"),
}  # fmt: skip
"""Every route; a test compares it with those that are registered."""

_DESCRIPTION = (
    "Comparative judgement of essays. Errors are problem documents (RFC 9457). A token names its "
    "caller, their organisation and their roles; what is another organisation's is a 404."
)
_TITLES = {
    400: "A field is wrong; the document names it",
    401: "No valid token, or no valid signature",
    403: "The caller's roles do not permit this",
    404: "There is no such thing in the caller's organisation",
    410: "The batch was erased",
    409: "The present state does not permit this",
    413: "The request is too large",
    429: "Too many requests; wait for as long as Retry-After says",
    500: "A defect, or a service around the API",
    503: "Try again later",
    504: "It took too long; it may have been carried out",
}
_ALWAYS = (400, 413, 429, 500, 503, 504)


type Mode = Literal["validation", "serialization"]


def _models() -> list[tuple[type[BaseModel], Mode]]:
    sent = [operation.body for operation in OPERATIONS.values() if operation.body]
    answered: list[type[BaseModel]] = [Problem]
    answered += [operation.answer for operation in OPERATIONS.values() if operation.answer]
    models: list[tuple[type[BaseModel], Mode]] = []
    models += [(model, "validation") for model in dict.fromkeys(sent)]
    models += [(model, "serialization") for model in dict.fromkeys(answered)]
    return models


@cache
def make_document() -> dict[str, Any]:
    """The document."""
    references, definitions = models_json_schema(_models(), ref_template=_REFERENCE)
    schemas = {model: references[model, mode] for model, mode in _models()}
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        described = _describe(method, path, operation, schemas)
        paths.setdefault(_template(path), {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "CJ Assessment", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "/live"}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _template(path: str) -> str:
    return path.replace("<", "{").replace(">", "}")


def _describe(
    method: str, path: str, operation: Operation, schemas: dict[type[BaseModel], Any]
) -> dict[str, Any]:
    action = ROUTES.get((method, path))
    parameters = [*_path_parameters(path), *_query_parameters(operation), *_headers(operation)]
    described: dict[str, Any] = {
        "operationId": name_operation(method, path),
        "summary": operation.summary,
        "responses": _responses(operation, schemas, path=path, is_guarded=action is not None),
    }
    if links := make_links(method, path, OPERATIONS):
        described["responses"][str(operation.status)]["links"] = links
    if action is not None:
        roles = ", ".join(sorted(PERMISSIONS[action]))
        described |= {"description": f"Roles: {roles}.", "security": [{"bearer": []}]}
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": schemas[operation.body]}}
        required = operation.is_body_required
        described["requestBody"] = {"required": required, "content": content}
    return described


def _path_parameters(path: str) -> list[dict[str, Any]]:
    schemas = {
        "batch_id": {"type": "string", "pattern": _UUID},
        "essay_id": {"type": "string", "minLength": 1, "maxLength": 128},
        "comparison_id": {"type": "string", "pattern": "^w[0-9]+-[0-9]+$"},
        "file_name": {"type": "string", "maxLength": 100},
        "assignment_id": {"type": "string", "minLength": 1, "maxLength": 128},
        "invitation_id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "webhook_id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "anchor_ref": {"type": "string", "minLength": 1, "maxLength": 64},
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in schemas.items()
        if f"<{name}>" in path
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    whole = operation.query.model_json_schema()
    definitions = whole.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in whole.get("required", ()),
            "schema": _inlined(schema, definitions),
        }
        for name, schema in whole["properties"].items()
    ]


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema of a parameter with what it refers to in its place."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return definitions[reference.rpartition("/")[2]]
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def _headers(operation: Operation) -> list[dict[str, Any]]:
    optional = {"Idempotency-Key": {"type": "string", "maxLength": 255}}
    return [
        {
            "name": name,
            "in": "header",
            "required": name not in optional,
            "schema": optional.get(name, {"type": "string"}),
        }
        for name in operation.headers
    ]


def _responses(
    operation: Operation, schemas: dict[type[BaseModel], Any], *, path: str, is_guarded: bool
) -> dict[str, Any]:
    good: dict[str, Any] = {"description": operation.summary}
    if operation.media_type is not None:
        good["content"] = {operation.media_type: {"schema": {"type": "string"}}}
    if operation.answer is not None:
        good["content"] = {"application/json": {"schema": schemas[operation.answer]}}
    problem = {"application/problem+json": {"schema": schemas[Problem]}}
    statuses = {*operation.problems, *_ALWAYS, *((401, 403) if is_guarded else ())}
    # A request may bear the key of a batch that was erased.
    if "<batch_id>" in path or "Idempotency-Key" in operation.headers:
        statuses.add(410)
    done = {"204": {"description": "It is done"}} if operation.is_done_at_once else {}
    return {
        str(operation.status): good,
        **done,
        **{
            str(status): {"description": _TITLES[status], "content": problem}
            for status in sorted(statuses)
        },
    }


@cache
def make_page() -> str:
    """The document as a page without scripts, so that it asks nothing of anybody."""
    document = make_document()
    operations = [
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
        f"<p>{escape(described['summary'])}. {escape(described.get('description', ''))}</p>"
        f"<details><summary>Parameters, body, answers</summary><pre>"
        f"{escape(json.dumps(described, indent=2))}</pre></details>"
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    schemas = [
        f"<details><summary><code>{escape(name)}</code></summary>"
        f"<pre>{escape(json.dumps(schema, indent=2))}</pre></details>"
        for name, schema in document["components"]["schemas"].items()
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>CJ Assessment</title>'
        f"<h1>CJ Assessment {escape(__version__)}</h1><p>{escape(_DESCRIPTION)}</p>"
        '<p><a href="openapi.json">OpenAPI 3.1 document</a></p>'
        f"{''.join(operations)}<h2>Schemas</h2>{''.join(schemas)}</html>"
    )


def document_text() -> str:
    """The document as it is committed."""
    return json.dumps(make_document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    # The routes register themselves.
    from assessment.api import (  # noqa: F401
        anchors,
        assignments,
        audit,
        batches,
        callbacks,
        content,
        decisions,
        erasure,
        invitations,
        pages,
        people,
        reports,
        webhooks,
    )

    target = Path(sys.argv[1] if len(sys.argv) > 1 else "schemas/openapi.json")
    target.write_text(document_text(), encoding="utf-8")
