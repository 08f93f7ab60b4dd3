"""What an answer of the API is good for: the operations that take an id from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_BATCH = "/v1/batches/<batch_id>"
_SOURCES: dict[tuple[str, str], tuple[str, str]] = {
    ("POST", "/v1/batches"): ("batch_id", "/batch_id"),
    ("GET", "/v1/batches"): ("batch_id", "/batches/0/batch_id"),
    ("POST", f"{_BATCH}/invitations"): ("invitation_id", "/invitations/0/invitation_id"),
    ("POST", "/admin/v1/webhooks"): ("webhook_id", "/webhook_id"),
    ("GET", f"{_BATCH}/decisions"): ("essay_id", "/essays/0/essay_id"),
    ("PUT", "/admin/v1/assessment-instructions/<assignment_id>"): (
        "assignment_id",
        "$request.path.assignment_id",
    ),
    ("GET", "/v1/anchors/<assignment_id>"): ("anchor_ref", "/anchors/0/anchor_ref"),
}
"""By route, the id that its answer tells, and where in it."""


def name_operation(method: str, path: str) -> str:
    """The id of an operation in the document."""
    return f"{method.lower()}{''.join(c if c.isalnum() else '_' for c in path)}"


def make_links(
    method: str, path: str, routes: Iterable[tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """The links of a route's good answer, by the operation that each leads to."""
    source = _SOURCES.get((method, path))
    if source is None:
        return {}
    name, place = source
    value = place if place.startswith("$") else f"$response.body#{place}"
    expressions = {each: f"$request.path.{each}" for each in _list_parameters(path)} | {name: value}
    return {
        name_operation(*route): {
            "operationId": name_operation(*route),
            "parameters": {each: expressions[each] for each in _list_parameters(route[1])},
        }
        for route in routes
        if name in _list_parameters(route[1])
        and set(_list_parameters(route[1])) <= expressions.keys()
    }


def _list_parameters(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("<")]
