"""HTTP to providers: one way to post, and one reading of what a status means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from assessment.domain.errors import (
    ContentRefusedError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
)

RETRYABLE = frozenset({408, 409, 425, 429})
SERVER_ERROR = 500
_LONGEST_MESSAGE = 300
_OVERSIZE = (
    *("context_length", "context length", "too long", "too many tokens", "too large"),
    "contextwindowexceeded",  # LiteLLM's word, whatever the provider behind it said
)
_CONTENT = ("content_filter", "content_policy", "content management policy", "responsible ai")
_SPENT = ("insufficient_quota", "billing", "credit balance")


@dataclass(frozen=True)
class Answer:
    """A successful response; `body` is None where it is not a JSON object."""

    body: dict[str, Any] | None


def retry_after(response: httpx.Response, *, now: datetime | None = None) -> float | None:
    """The seconds that a response asks to wait: a number or a date (RFC 9110, 10.2.3)."""
    given = response.headers.get("Retry-After")
    if given is None:
        return None
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


async def call(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout_seconds: float,
    provider: str,
    **content: Any,
) -> httpx.Response:
    """A successful response; `content` is what httpx takes: json, params, data, files.

    Raises
    ------
    JudgeUnavailableError
        After a time-out, a broken connection, 408, 409, 425, 429 or 5xx.
    JudgeRefusedError
        After any other status, with the provider's message but never with the key.
    """
    try:
        response = await client.request(
            method, url, headers=headers, timeout=timeout_seconds, **content
        )
    except httpx.TransportError as error:
        raise JudgeUnavailableError(f"{provider} did not answer: {type(error).__name__}") from error
    except httpx.InvalidURL as error:
        raise JudgeRefusedError(f"{provider} has no such address: {error}") from error
    if response.is_success:
        return response
    told = _message(_json_object(response), response.text)
    raise refusal(
        response.status_code,
        _without(told, headers.values()),
        provider=provider,
        after=retry_after(response),
    )


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, Any],
    *,
    headers: Mapping[str, str],
    timeout_seconds: float,
    provider: str,
) -> Answer:
    """Post JSON and give the answer's; raises as `call` does."""
    response = await call(
        client,
        "POST",
        url,
        headers=headers,
        timeout_seconds=timeout_seconds,
        provider=provider,
        json=body,
    )
    return Answer(_json_object(response))


async def call_for_json(
    client: httpx.AsyncClient, method: str, url: str, *, provider: str, **call_with: Any
) -> dict[str, Any]:
    """The JSON object of a successful response; raises as `call` does.

    Raises
    ------
    JudgeUnavailableError
        Also where the response is not a JSON object: something between us and the provider spoke.
    """
    response = await call(client, method, url, provider=provider, **call_with)
    body = _json_object(response)
    if body is None:
        raise JudgeUnavailableError(f"{provider} answered {response.status_code} without JSON")
    return body


def json_lines(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file; a line that is none, as a cut last one, is left out."""
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def refusal(
    status: int, told: str, *, provider: str, after: float | None = None
) -> JudgeUnavailableError | JudgeRefusedError:
    """What a provider's error means, by its status and its own words."""
    message = f"{provider} answered {status}"
    if told:
        message = f"{message}: {told[:_LONGEST_MESSAGE]}"
    lower = told.lower()
    spent = any(word in lower for word in _SPENT)
    if (status in RETRYABLE or status >= SERVER_ERROR) and not spent:
        busy = status == httpx.codes.TOO_MANY_REQUESTS
        return JudgeUnavailableError(message, retry_after=after, busy=busy)
    if any(word in lower for word in _OVERSIZE) or status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return OversizeError(message)
    if any(word in lower for word in _CONTENT):
        return ContentRefusedError(message)
    return JudgeRefusedError(message)


def told_in(body: object) -> str:
    """The code and message of an error document, wherever this provider puts them; no key."""
    return _without(_message(body if isinstance(body, dict) else None, ""), ())


def _message(body: dict[str, Any] | None, text: str) -> str:
    """The error's code and message, where OpenAI, Anthropic and their like put them."""
    if body is None:
        return text.strip()
    error = body.get("error") or body.get("error_detail") or body
    if not isinstance(error, dict):
        return str(error)
    parts = [error.get("code") or error.get("type"), error.get("message") or error.get("detail")]
    return ": ".join(str(part) for part in parts if part)


def _without(text: str, secrets: Any) -> str:
    """The text with our key taken out: providers like to quote it back."""
    for secret in secrets:
        bare = secret.removeprefix("Bearer ")
        if len(bare) >= 8:  # noqa: PLR2004 - shorter values are no keys but content types
            text = text.replace(bare, "[key]")
    words = text.split(" ")
    return " ".join("[key]" if word.lstrip("'\"").startswith("sk-") else word for word in words)
