"""HTTP shapes of the API: JSON bodies in, problem documents (RFC 9457) out."""

from __future__ import annotations

import json
import re
import string
import traceback
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from pydantic import BaseModel

from assessment import bootstrap
from assessment.api.cors import make_cors_headers
from assessment.domain.access import Caller
from assessment.domain.errors import (
    PROBLEM_TYPE_PREFIX,
    AnswerTooLargeError,
    CJError,
    InvalidRequestError,
    QuotaExceededError,
    TransientError,
    UnexpectedError,
)
from assessment.domain.identifiers import is_batch_id, join_key
from assessment.domain.plain_text import normalise
from assessment.observability import count, logger
from assessment.settings import HandleApiSettings

PROBLEM_TYPE = "application/problem+json"
HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer: what is said of pupils is kept nowhere on its way."""
MAX_ANSWER_BYTES = 5_500_000
"""Lambda hands API Gateway at most 6 MB, in which quotation marks are escaped once more."""

_MAX_KEY_CHARACTERS = 255
_RETRY_SECONDS = 5
_QUOTA_SECONDS = 3600
# A body may be wrong in a hundred thousand places, and an answer has to stay small.
_MOST_PROBLEMS = 100
_MAX_SHOWN = 2000


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


def read_event(event: dict[str, Any]) -> dict[str, Any]:
    """The event as routes match it.

    Its path is of ASCII: routes match no other letters, and gateways decode some. HEAD is answered
    as GET, without the body.
    """
    path = quote(event.get("path") or "/", safe=string.printable)
    method = "GET" if event.get("httpMethod") == "HEAD" else event.get("httpMethod")
    return {**event, "path": path, "httpMethod": method}


def find_base_url(event: dict[str, Any]) -> str:
    """The API's own address, as the caller reached it."""
    context = event.get("requestContext") or {}
    host, path = context.get("domainName"), str(context.get("path") or "")
    if not host:
        headers = {name.lower(): text for name, text in (event.get("headers") or {}).items()}
        host = headers.get("host", "localhost")
    # With a domain of its own the API has no stage in its paths.
    stage = f"/{context.get('stage', '')}" if path.startswith(f"/{context.get('stage')}/") else ""
    scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    return f"{scheme}://{host}{stage}"


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


def read_essay_id(path_part: str) -> str:
    """The essay id that a part of the path stands for; it holds no % itself."""
    return normalise(unquote(path_part))


def idempotency_key(event: BaseProxyEvent, caller: Caller) -> str | None:
    """The caller's own key: two callers may use the same one without meeting.

    Raises
    ------
    InvalidRequestError
        If it is longer than a key may be.
    """
    key = event.headers.get("Idempotency-Key")
    if not key:
        return None
    if len(key) > _MAX_KEY_CHARACTERS:
        raise InvalidRequestError(
            f"a key has at most {_MAX_KEY_CHARACTERS} characters", field="Idempotency-Key"
        )
    return join_key("api", caller.subject, key)


def name_person(caller: Caller) -> str:
    """The caller's name as a judge.

    Raises
    ------
    InvalidRequestError
        If the token's subject cannot serve as a judge's name.
    """
    if not re.fullmatch(r"[\w.:@+-]{1,80}", caller.subject):
        raise InvalidRequestError(
            "a person who judges needs a token whose subject has 1 to 80 letters, digits or _.:@+-",
            field="sub",
        )
    return caller.subject


def _field_errors(error: CJError) -> list[dict[str, str]]:
    return [
        {"field": field[:_MAX_SHOWN], "message": message[:_MAX_SHOWN]}
        for field, message in error.problems[:_MOST_PROBLEMS]
    ]


def problem(error: CJError) -> Response[str]:
    """The problem document for an error of the domain."""
    logger.info("request refused", extra={"code": error.code, "status": error.status})
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": str(error)[:_MAX_SHOWN],
    }
    if errors := _field_errors(error):
        body["errors"] = errors
    # The type that a reader of the header needs is a union; an answer has one value for each.
    headers: dict[str, str | list[str]] = {}
    if isinstance(error, TransientError):
        headers["Retry-After"] = str(_RETRY_SECONDS)
    if isinstance(error, QuotaExceededError):
        headers["Retry-After"] = str(_QUOTA_SECONDS)
    return Response(
        status_code=error.status, content_type=PROBLEM_TYPE, body=json.dumps(body), headers=headers
    )


def explain_unexpected_error(error: Exception) -> Response[str]:
    """The problem document for an error of no kind that is known; it says nothing of the cause."""
    # Without its message, which may quote what was sent.
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    logger.error("unexpected error", extra={"error": type(error).__name__, "where": places})
    count("unexpected_errors")
    return problem(UnexpectedError("the request could not be completed; try again later"))


def check_size(body: str) -> str:
    """The body of an answer, if the gateway carries it.

    Raises
    ------
    AnswerTooLargeError
    """
    if len(json.dumps(body)) > MAX_ANSWER_BYTES:
        raise AnswerTooLargeError(
            "this report is larger than the API can send; `cj report` makes it from the result"
        )
    return body


def answer(status: int, body: BaseModel | dict[str, Any] | str) -> Response[str]:
    """A JSON answer from a model, a document, or JSON that is kept as it is."""
    if isinstance(body, BaseModel):
        text = body.model_dump_json()
    else:
        text = body if isinstance(body, str) else json.dumps(body)
    return Response(status_code=status, content_type="application/json", body=text)


def see_other(link: str) -> Response[str]:
    """Where what is asked for is to be fetched, without the token."""
    body = json.dumps({"link": link})
    return Response(
        status_code=303,
        content_type="application/json",
        body=body,
        headers={"Location": link},
    )


def answer_nothing() -> Response[str]:
    """The answer that there is nothing to say: what was asked for is done."""
    return Response(status_code=204, content_type=None, body="")


def respond(event: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    """The answer with the headers that all have, and a line in the log that says who got it."""
    several = answered.setdefault("multiValueHeaders", {})
    for name, value in HEADERS.items():
        # The pages, which are everybody's, say for themselves how long they may be kept.
        several.setdefault(name, [value])
    several.update({name: [value] for name, value in _cors_headers(event, several).items()})
    if event.get("httpMethod") == "HEAD":
        answered["body"] = ""
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    logger.info(
        "request answered",
        extra={
            "subject": authorizer.get("principalId"),
            "organisation": authorizer.get("organisation"),
            "method": event.get("httpMethod"),
            # The gateway's own resource stands for many routes; `guard_route` names the one.
            "route": logger.get_current_keys().get("route", event.get("resource")),
            "request_id": (event.get("requestContext") or {}).get("requestId"),
            "status": answered["statusCode"],
        },
    )
    return answered


def _cors_headers(event: dict[str, Any], several: dict[str, list[str]]) -> Mapping[str, str]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if "origin" not in headers:
        return {}
    is_preflight = "access-control-request-method" in headers
    return make_cors_headers(
        headers["origin"],
        origins=bootstrap.adapters(HandleApiSettings).settings.allowed_origins,
        methods=", ".join(several.get("Allow", [])) if is_preflight else None,
    )
