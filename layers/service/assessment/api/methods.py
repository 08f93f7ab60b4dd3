"""Which methods the path of a request has, and the answer where its own is none of them."""

from __future__ import annotations

import re

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from assessment.api.responses import problem
from assessment.domain.errors import MethodNotAllowedError, NotFoundError


def find_methods(path: str) -> tuple[str, ...]:
    """The methods that a path has; none where the API has no such path.

    Where there is GET there is HEAD, and OPTIONS is everywhere. A path that is spelt out has its
    own methods, and not those of a path with an id in that place.
    """
    # Imported for those who ask something else than the routes are: no other request waits for it.
    from assessment.api.operations import OPERATIONS

    routes = {
        route
        for _, route in OPERATIONS
        if re.fullmatch(re.sub("<[a-z_]+>", "[^/]+", re.escape(route)), path.rstrip("/"))
    }
    if not routes:
        return ()
    nearest = min(routes, key=lambda route: route.count("<"))
    methods = {method for method, route in OPERATIONS if route == nearest}
    return tuple(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


def answer_without_route(event: BaseProxyEvent) -> Response[str]:
    """What is answered where no route fits both path and method."""
    methods = find_methods(event.path)
    method = event.http_method.upper()
    if (method in methods and method != "OPTIONS") or not methods:
        return problem(NotFoundError("the API has no such path"))
    if method != "OPTIONS":
        refusal = f"the path has no method {method}; it has {', '.join(methods)}"
        return _allow(problem(MethodNotAllowedError(refusal[:200])), methods)
    return _allow(Response(status_code=204, content_type=None, body=""), methods)


def _allow(response: Response[str], methods: tuple[str, ...]) -> Response[str]:
    response.headers["Allow"] = ", ".join(methods)
    return response
