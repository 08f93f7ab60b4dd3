"""The caller of a request, and routes that let in only whom the rules let in.

Every route but the open ones is made by `guard_route`: it names the action that the route is, and
the rules of `domain.access` decide before the route's own code runs. What changes something is kept
in the audit trail, before it begins and when it has ended.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from assessment import bootstrap
from assessment.api.responses import explain_unexpected_error, problem
from assessment.domain.access import Action, Caller, Role, authorise
from assessment.domain.errors import CJError, TokenRefusedError
from assessment.domain.identifiers import is_batch_id
from assessment.domain.plain_text import normalise
from assessment.domain.webhook import is_webhook_id
from assessment.observability import logger
from assessment.settings import HandleApiSettings
from assessment.usecases.audit_changes import Change, begin_change, end_change

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


def guard_route(
    router: Router, method: str, path: str, action: Action
) -> Callable[[Endpoint], Endpoint]:
    """Make a route that only those reach who may do the action; what it changes is kept."""

    def register(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        def check_and_answer(**parameters: Any) -> Response[str]:
            event = router.current_event
            logger.append_keys(route=path.replace("<", "{").replace(">", "}"))
            caller = read_caller(event.raw_event)
            batch_id = parameters.get("batch_id")
            authorise(caller, action, batch_id=batch_id)
            if method == "GET":
                try:
                    return endpoint(**parameters)
                finally:
                    _note_batch(caller.organisation, batch_id)
            change = Change(
                change_id=str(uuid.uuid4()),
                caller=caller,
                action=action,
                route=f"{method} {path}",
                request_body=event.body or "",
                batch_id=batch_id if is_batch_id(batch_id or "") else None,
                assignment_id=_read_assignment_id(event, parameters.get("assignment_id")),
                webhook_id=_read_webhook_id(parameters),
            )
            try:
                return _answer_and_keep(change, functools.partial(endpoint, **parameters))
            finally:
                _note_batch(caller.organisation, batch_id)

        ROUTES[method, path] = action
        router.route(path, method=method)(check_and_answer)
        return endpoint

    return register


def _note_batch(organisation: str, batch_id: str | None) -> None:
    """Let the lines that follow carry the ids of the batch, as far as it was read."""
    if is_batch_id(batch_id or ""):
        own = bootstrap.adapters(HandleApiSettings).select(organisation)
        logger.append_keys(**own.find_log_keys(batch_id or ""))


def _answer_and_keep(change: Change, answer: Callable[[], Response[str]]) -> Response[str]:
    """The answer, with an entry of the audit trail before and after it."""
    own = bootstrap.adapters(HandleApiSettings).select(change.caller.organisation)
    before = begin_change(change, ports=own.audit_ports, now=datetime.now(UTC))
    try:
        response = answer()
    except CJError as error:
        response = problem(error)
    except Exception as error:  # noqa: BLE001 - the trail tells of it, and so does the answer
        response = explain_unexpected_error(error)
    body = json.loads(response.body or "{}")
    batch_id = body.get("batch_id")
    end_change(
        replace(
            change,
            webhook_id=change.webhook_id or _read_webhook_id(body),
            content_id=body.get("content_id"),
        ),
        before=before,
        status=response.status_code,
        batch_id=str(batch_id) if batch_id and change.batch_id is None else None,
        ports=own.audit_ports,
        now=datetime.now(UTC),
    )
    return response


def _read_webhook_id(named: dict[str, Any]) -> str | None:
    """The webhook that a path or an answer names."""
    webhook_id = str(named.get("webhook_id") or "")
    return webhook_id if is_webhook_id(webhook_id) else None


def _read_assignment_id(event: BaseProxyEvent, path_part: str | None) -> str | None:
    """The assignment of a change as its path or its body names it, whatever else is wrong."""
    value: object = None if path_part is None else normalise(unquote(path_part))
    if path_part is None:
        try:
            body = json.loads(event.body or "{}")
        except (ValueError, RecursionError):
            return None
        value = body.get("assignment_id") if isinstance(body, dict) else None
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 128 else None  # noqa: PLR2004 - as long as an id
