"""Methods that paths have, and what pages of other origins are told."""

from __future__ import annotations

import json

import pytest

from assessment import bootstrap
from tests.handlers.api_calls import ask_otherwise
from tests.handlers.conftest import Stack, event, invoke

ORIGIN = "https://school.example.org"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("get_batch", "DELETE, GET, HEAD, OPTIONS"),
        ("create_batch", "GET, HEAD, OPTIONS, POST"),
        ("cancel_batch", "OPTIONS, POST"),
        ("healthz", "GET, HEAD, OPTIONS"),
        ("register_anchors", "OPTIONS, POST"),
        ("get_rooms", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_path_lacks_is_told_apart_from_a_missing_path(
    stack: Stack, name: str, allowed: str
) -> None:
    for method in ("PATCH", "TRACE", "QUERY"):
        status, headers, body = ask_otherwise(name, method)
        assert (status, headers["Allow"]) == (405, allowed)
        assert headers["Content-Type"] == "application/problem+json"
        problem = json.loads(body)
        assert (problem["type"], problem["status"]) == (
            "urn:cj-assessment:problem:method-not-allowed", 405,
        )  # fmt: skip
    assert ask_otherwise(name, "OPTIONS")[0] == 204
    assert ask_otherwise(name, "OPTIONS")[1]["Allow"] == allowed


def test_the_path_that_registers_anchors_lists_none(stack: Stack) -> None:
    # It is no path of an assignment, and no assignment can be called so.
    status, headers, _ = ask_otherwise("register_anchors", "GET")
    assert (status, headers["Allow"]) == (405, "OPTIONS, POST")
    given = event("handle_api/register_anchors.json")
    body = json.loads(given["body"]) | {"assignment_id": "register"}
    refused = invoke("handle_api", {**given, "body": json.dumps(body)})
    assert refused["statusCode"] == 400
    assert json.loads(refused["body"])["errors"][0]["field"] == "assignment_id"


def test_a_missing_path_is_missing_under_every_method(stack: Stack) -> None:
    given = event("handle_api/get_batch.json") | {"path": "/v1/nothing/here"}
    for method in ("GET", "PATCH", "OPTIONS", "HEAD"):
        assert invoke("handle_api", given | {"httpMethod": method})["statusCode"] == 404


def test_head_is_get_without_the_body(stack: Stack) -> None:
    status, headers, body = ask_otherwise("healthz", "HEAD")
    assert (status, headers["Content-Type"], body) == (200, "application/json", "")
    assert ask_otherwise("get_batch_unknown", "HEAD")[0] == 404


@pytest.fixture
def admitted(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    """A stack that admits the pages of one origin."""
    monkeypatch.setenv("CORS_ORIGINS", f"{ORIGIN},http://localhost:5173")
    bootstrap.process.cache_clear()


CORS = {"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Vary"}


def test_nothing_is_said_to_other_origins_unless_the_stack_admits_them(stack: Stack) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        assert not CORS & ask_otherwise("healthz", method, **asked)[1].keys()


@pytest.mark.usefixtures("admitted")
def test_pages_of_an_admitted_origin_read_answers_and_refusals() -> None:
    for name, method in (("healthz", "GET"), ("get_batch_unknown", "GET"), ("healthz", "PATCH")):
        headers = ask_otherwise(name, method, Origin=ORIGIN)[1]
        assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (ORIGIN, "Origin")
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.usefixtures("admitted")
def test_a_preflight_tells_the_methods_and_headers_of_the_path() -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    status, headers, _ = ask_otherwise("create_batch", "OPTIONS", **asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, POST"
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(allowed)


@pytest.mark.usefixtures("admitted")
@pytest.mark.parametrize("origin", ["https://evil.example.org", f"{ORIGIN}.evil.org", "null", ""])
def test_pages_of_another_origin_are_told_nothing(origin: str) -> None:
    headers = ask_otherwise("healthz", "GET", Origin=origin)[1]
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"
