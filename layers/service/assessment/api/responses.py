"""HTTP shapes of the API: JSON bodies in, problem documents (RFC 9457) out."""

from __future__ import annotations

import json
import re
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from pydantic import BaseModel

from assessment.domain.errors import (
    PROBLEM_TYPE_PREFIX,
    CJError,
    InvalidRequestError,
    ManyInvalidFieldsError,
)
from assessment.domain.identifiers import is_batch_id
from assessment.observability import logger

PROBLEM_TYPE = "application/problem+json"
ADMIN_SCOPE = "cj:admin"


def json_body(text: str | None) -> object:
    """The request's body as data.

    Raises
    ------
    InvalidRequestError
        If it is missing or not JSON; says where the text stops being JSON.
    """
    if not text:
        raise InvalidRequestError("send a JSON object", field="body")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidRequestError(
            f"this is not JSON: {error.msg} at line {error.lineno} column {error.colno}",
            field="body",
        ) from error
    except (ValueError, RecursionError) as error:
        # A number with thousands of digits, or brackets nested thousands deep.
        raise InvalidRequestError(
            "this JSON has a number or a nesting that is too large to be read", field="body"
        ) from error


def check_batch_id(text: str) -> str:
    """The path's batch id.

    Raises
    ------
    InvalidRequestError
        If it does not have the form of one.
    """
    if not is_batch_id(text):
        raise InvalidRequestError("a batch id is a lower-case UUID", field="batch_id")
    return text


def idempotency_key(event: BaseProxyEvent) -> str | None:
    """The caller's own key: two callers may use the same one without meeting."""
    key = event.headers.get("Idempotency-Key")
    if not key:
        return None
    authorizer = event.raw_event.get("requestContext", {}).get("authorizer") or {}
    return f"api/{authorizer.get('principalId', '')}/{key}"


def caller(event: dict[str, Any]) -> str:
    """Who calls, as the authorizer found it in the token.

    Raises
    ------
    InvalidRequestError
        If the token's subject cannot serve as a judge's name.
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    name = str(authorizer.get("principalId", ""))
    if not re.fullmatch(r"[\w.:@+-]{1,80}", name):
        raise InvalidRequestError(
            "a person who judges needs a token whose subject has 1 to 80 letters, digits or _.:@+-",
            field="sub",
        )
    return name


def is_admin(event: dict[str, Any]) -> bool:
    """Whether the authorizer found administrator rights in the caller's token."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    return ADMIN_SCOPE in str(authorizer.get("scope", "")).split()


def _field_errors(error: CJError) -> list[dict[str, str]]:
    if isinstance(error, ManyInvalidFieldsError):
        return [{"field": field, "message": message} for field, message in error.problems]
    if error.field:
        return [{"field": error.field, "message": error.message}]
    return []


def problem(error: CJError) -> Response[str]:
    """The problem document for an error of the domain."""
    logger.info("request refused", extra={"code": error.code, "status": error.status})
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": str(error),
    }
    if errors := _field_errors(error):
        body["errors"] = errors
    return Response(status_code=error.status, content_type=PROBLEM_TYPE, body=json.dumps(body))


def answer(status: int, body: BaseModel | dict[str, Any] | str) -> Response[str]:
    """A JSON answer from a model, a document, or JSON that is kept as it is."""
    if isinstance(body, BaseModel):
        text = body.model_dump_json()
    else:
        text = body if isinstance(body, str) else json.dumps(body)
    return Response(status_code=status, content_type="application/json", body=text)
