"""Requests to the API, as API Gateway hands them on."""

from __future__ import annotations

import json
from typing import Any

from tests.handlers.conftest import event, invoke


def call(name: str) -> tuple[int, dict[str, Any], str]:
    """The handler's answer to an event: status, body and content type."""
    response = invoke("handle_api", event(f"handle_api/{name}.json"))
    headers = {**response.get("headers", {}), **response.get("multiValueHeaders", {})}
    content_type = headers["Content-Type"]
    kind = content_type if isinstance(content_type, str) else content_type[0]
    return response["statusCode"], json.loads(response["body"]), kind


def header(response: dict[str, Any], name: str) -> list[str]:
    several: dict[str, list[str]] = response["multiValueHeaders"]
    return several.get(name, [])


def ask_otherwise(name: str, method: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer to an event's path under another method."""
    given = event(f"handle_api/{name}.json") | {"httpMethod": method, "body": None}
    given["headers"] |= headers
    response = invoke("handle_api", given)
    shown = {key: ", ".join(values) for key, values in response["multiValueHeaders"].items()}
    return response["statusCode"], shown, response["body"]


def ask(name: str, **query: str) -> dict[str, Any]:
    """The answer to an event with another query."""
    given = event(f"handle_api/{name}.json")
    given["queryStringParameters"] = query
    body: dict[str, Any] = json.loads(invoke("handle_api", given)["body"])
    return body
