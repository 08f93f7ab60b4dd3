"""HTTP to providers: one way to post, and one reading of what a status means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from assessment.adapters.judges.classification import classify
from assessment.adapters.judges.event_stream import read_event_stream
from assessment.adapters.judges.provider_error import read_provider_error
from assessment.contracts.json_text import load_response
from assessment.contracts.valid_values import read_name
from assessment.domain.judge_errors import JudgeError, JudgeUnavailableError, UnknownModelError

_REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "x-generation-id")


@dataclass(frozen=True)
class Answer:
    """A successful response; `body` is None where it is not a JSON object.

    `request_id` and `answered_at` are the provider's own, from its headers.
    """

    body: dict[str, Any] | None
    request_id: str | None = None
    answered_at: datetime | None = None


async def call(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout_seconds: float,
    provider: str,
    texts: Iterable[str] = (),
    **content: Any,
) -> httpx.Response:
    """A successful response; `content` is what httpx takes: json, params, data, files.

    Raises
    ------
    JudgeError
        Of the class that `classify` tells, with the provider's words but never with the key, nor
        with words of `texts`; JudgeUnavailableError after a time-out or a broken connection.
    """
    try:
        response = await client.request(
            method, url, headers=headers, timeout=timeout_seconds, **content
        )
    except httpx.RequestError as error:
        raise read_silence(error, provider=provider) from error
    except httpx.InvalidURL as error:
        raise UnknownModelError(f"{provider} has no such address: {error}") from error
    if response.is_success:
        return response
    raise read_problem(response, provider=provider, secrets=headers.values(), texts=texts)


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, Any],
    *,
    headers: Mapping[str, str],
    timeout_seconds: float,
    provider: str,
    texts: Iterable[str] = (),
) -> Answer:
    """Post JSON and give the answer's; raises as `call` does.

    Raises
    ------
    JudgeUnavailableError
        Also where the response is no JSON at all: a proxy's page, or nothing. Events in place of
        the one document that was asked for are joined to it.
    """
    response = await call(
        client,
        "POST",
        url,
        headers=headers,
        timeout_seconds=timeout_seconds,
        provider=provider,
        texts=texts,
        json=body,
    )
    document = load_response(response.content)
    if document is None:
        document = read_event_stream(response.content)
    if isinstance(document, list) and document:
        raise read_error_in_answer(document, provider=provider, texts=texts)
    if not isinstance(document, dict) and not response.content.lstrip().startswith(b"{"):
        raise JudgeUnavailableError(f"{provider} answered {response.status_code} without JSON")
    return Answer(
        document if isinstance(document, dict) else None,
        request_id=_read_request_id(response.headers),
        answered_at=read_date(response.headers),
    )


def _read_request_id(headers: Mapping[str, str]) -> str | None:
    request_ids = (read_name(headers.get(name)) for name in _REQUEST_IDS)
    return next((request_id for request_id in request_ids if request_id), None)


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """When a response was made, by the clock of the server that made it."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


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
    body = load_response(response.content)
    if not isinstance(body, dict):
        raise JudgeUnavailableError(f"{provider} answered {response.status_code} without JSON")
    if isinstance(body.get("error"), dict):
        raise read_error_in_answer(body["error"], provider=provider)
    return body


_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def read_silence(error: httpx.RequestError, *, provider: str) -> JudgeUnavailableError:
    """What it means that no response came that can be read: a request may have been worked on."""
    return JudgeUnavailableError(
        f"{provider} did not answer: {type(error).__name__}",
        may_be_paid=not isinstance(error, _UNSENT),
    )


def read_problem(
    response: httpx.Response,
    *,
    provider: str,
    secrets: Iterable[str] = (),
    texts: Iterable[str] = (),
) -> JudgeError:
    """What a response with an error status means; HTML and plain texts are read as words."""
    document = load_response(response.content)
    error = read_provider_error(
        response.status_code,
        response.text if document is None else document,
        headers=response.headers,
        secrets=secrets,
        texts=texts,
    )
    return classify(error, provider=provider)


def read_line_problem(
    status: object, body: object, *, provider: str, texts: Iterable[str] = ()
) -> JudgeError:
    """What the error in a line of a batch means."""
    error = read_provider_error(
        status if isinstance(status, int) and not isinstance(status, bool) else 0,
        body,
        texts=texts,
    )
    return classify(error, provider=provider)


def read_error_in_answer(
    error: object, *, provider: str, texts: Iterable[str] = (), code: str = ""
) -> JudgeError:
    """What an error means that is in the body, or in the choice, of a response with 200."""
    body = {"error": error, "code": code} if code else {"error": error}
    return classify(read_provider_error(HTTPStatus.OK, body, texts=texts), provider=provider)
