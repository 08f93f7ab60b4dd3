"""The API as one OpenAPI 3.1 document, made from its operations, and as a page.

`python -m assessment.api.openapi` writes it to `schemas/openapi.json`. It is made when it is first
asked for: no other request pays for it.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from assessment import __version__
from assessment.api.access import ROUTES
from assessment.api.openapi_links import make_links, name_operation
from assessment.api.operations import OPERATIONS, Operation
from assessment.domain.access import PERMISSIONS

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
    bodies = [operation.body for operation in OPERATIONS.values() if operation.body]
    answered: list[type[BaseModel]] = [Problem]
    answered += [operation.answer for operation in OPERATIONS.values() if operation.answer]
    models: list[tuple[type[BaseModel], Mode]] = []
    models += [(model, "validation") for model in dict.fromkeys(bodies)]
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
            "schema": _inline(schema, definitions),
        }
        for name, schema in whole["properties"].items()
    ]


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema of a parameter with what it refers to in its place."""
    if isinstance(schema, list):
        return [_inline(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return definitions[reference.rpartition("/")[2]]
    return {name: _inline(value, definitions) for name, value in schema.items()}


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
    empty_answer = {"204": {"description": "It is done"}} if operation.is_done_at_once else {}
    return {
        str(operation.status): good,
        **empty_answer,
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
    from assessment.api import (  # noqa: F401 - routes register themselves
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
