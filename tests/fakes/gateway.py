"""API Gateway over HTTP in this process: routes of the template, the real authorizer and handler.

What the gateway answers by itself comes from the template's declarations too.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.stack.gateway import read_declared_responses
from local.stack.processes import ROOT

type Handler = Callable[[str, dict[str, Any]], dict[str, Any]]

_ARN = "arn:aws:execute-api:eu-north-1:123456789012:example/live"
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"]
# What API Gateway takes of a body at most.
_MAX_BODY = 10_000_000


class _Template(yaml.SafeLoader):
    """A loader that leaves CloudFormation's functions as they are."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@functools.cache
def declared_routes() -> dict[str, dict[str, bool]]:
    """By path and method, whether the template asks for a token."""
    text = (ROOT / "template.yaml").read_text()
    template = yaml.load(text, Loader=_Template)  # noqa: S506 - a safe loader
    routes: dict[str, dict[str, bool]] = {}
    for event in template["Resources"]["HandleApiFunction"]["Properties"]["Events"].values():
        properties = event["Properties"]
        asks = (properties.get("Auth") or {}).get("Authorizer") != "NONE"
        routes.setdefault(properties["Path"], {})[properties["Method"].upper()] = asks
    return routes


def _own_answer(kind: str) -> Response:
    """An answer of the gateway's own."""
    declared = read_declared_responses()[kind]
    headers = {
        name: value.strip("'") for name, value in declared["ResponseParameters"]["Headers"].items()
    }
    body = declared["ResponseTemplates"]["application/json"]
    return Response(body, status_code=declared["StatusCode"], headers=headers)


def _make_event(request: Request, path: str, body: bytes) -> dict[str, Any]:
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    return {
        "resource": path,
        "path": request.url.path.removeprefix("/live"),
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(request.path_params) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": request.method,
            "path": request.url.path,
            "stage": "live",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": body.decode(errors="replace") or None,
        "isBase64Encoded": False,
    }


async def _answer(
    request: Request, *, path: str, methods: dict[str, bool], invoke: Handler
) -> Response:
    asks_for_token = methods.get(request.method, methods.get("ANY"))
    if asks_for_token is None:
        return _own_answer("MISSING_AUTHENTICATION_TOKEN")
    body = await request.body()
    if len(body) > _MAX_BODY:
        return _own_answer("REQUEST_TOO_LARGE")
    event = _make_event(request, path, body)
    if asks_for_token:
        token = request.headers.get("Authorization")
        if not token:
            return _own_answer("UNAUTHORIZED")
        asked = {"methodArn": f"{_ARN}/{request.method}/", "authorizationToken": token}
        policy = invoke("authorize_request", asked)
        if policy["policyDocument"]["Statement"][0]["Effect"] != "Allow":
            return _own_answer("ACCESS_DENIED")
        event["requestContext"]["authorizer"] = {
            "principalId": policy["principalId"],
            **policy["context"],
        }
    answered = invoke("handle_api", json.loads(json.dumps(event)))
    response = Response(answered["body"] or "", status_code=answered["statusCode"])
    for name, values in (answered.get("multiValueHeaders") or {}).items():
        for value in values:
            response.headers[name] = value
    return response


def _rank(declared: tuple[str, dict[str, bool]]) -> tuple[bool, int]:
    """The gateway's order: what is spelt out, then one part of a path, then the rest of a path."""
    path = declared[0]
    return "{proxy+}" in path, path.count("{")


@contextmanager
def serving(invoke: Handler) -> Iterator[str]:
    """The API's address on the loopback while its functions are called by `invoke`."""

    def no_route(_: Request, _error: Exception) -> Response:
        return _own_answer("MISSING_AUTHENTICATION_TOKEN")

    routes = []
    for path, methods in sorted(declared_routes().items(), key=_rank):
        answer = functools.partial(_answer, path=path, methods=methods, invoke=invoke)
        pattern = path.replace("{proxy+}", "{proxy:path}")
        # A slash at the end names the same resource.
        routes += [Route(f"/live{pattern}{end}", answer, methods=_METHODS) for end in ("", "/")]
    # Not one more route: those match no line break, which a path may hold.
    app = Starlette(routes=routes, exception_handlers={404: no_route})
    config = uvicorn.Config(app, port=0, log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    pause = threading.Event()
    thread.start()
    while not server.started:
        pause.wait(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/live"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
