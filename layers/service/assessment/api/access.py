"""The caller of a request, and routes that let in only whom the rules let in.

Every route but the open ones is made by `guarded`: it names the action that the route is, and the
rules of `domain.access` decide before the route's own code runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.domain.access import Action, Caller, Role, authorise
from assessment.domain.errors import TokenRefusedError

ROUTES: dict[tuple[str, str], Action] = {}
"""The action of every guarded route, by method and path."""

type Endpoint = Callable[..., Response[str]]


def authorizer_context(caller: Caller) -> dict[str, str]:
    """What the authorizer hands on about a caller; the gateway carries texts only."""
    context = {"organisation": caller.organisation, "roles": " ".join(sorted(caller.roles))}
    return context if caller.batch_id is None else context | {"batch_id": caller.batch_id}


def read_caller(event: dict[str, Any]) -> Caller:
    """Who calls, as the authorizer found it in the token.

    Raises
    ------
    TokenRefusedError
        If the request came past the authorizer.
    """
    context = (event.get("requestContext") or {}).get("authorizer") or {}
    if not context.get("principalId") or not context.get("organisation"):
        raise TokenRefusedError("send the header Authorization: Bearer <token>")
    return Caller(
        subject=context["principalId"],
        organisation=context["organisation"],
        roles=frozenset(Role(name) for name in str(context.get("roles", "")).split()),
        batch_id=context.get("batch_id"),
    )


def guarded(
    router: Router, method: str, path: str, action: Action
) -> Callable[[Endpoint], Endpoint]:
    """Make a route that only those reach who may do the action."""

    def register(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        def check_and_answer(**parameters: Any) -> Response[str]:
            caller = read_caller(router.current_event.raw_event)
            authorise(caller, action, batch_id=parameters.get("batch_id"))
            return endpoint(**parameters)

        ROUTES[method, path] = action
        router.route(path, method=method)(check_and_answer)
        return endpoint

    return register
