"""The way to a stack's API."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_retries import Retry, RetryTransport
from pydantic import BaseModel, ConfigDict

from assessment.contracts.assignments import AssignmentList
from assessment.contracts.views import BatchList, ComparisonList
from runner.api.answers import read_answer
from runner.errors import BadInputError, NotAuthorisedError, Problem, StackNotReachableError
from runner.problems import error_from_response

MAX_REQUEST_BYTES = 6_000_000
"""API Gateway hands a Lambda function at most 6 MiB of event; the rest is its envelope."""

# Every call may be repeated: reads by nature, anchors and cancelling because the API makes them
# idempotent, batch requests because they carry an idempotency key, decisions because the same one
# again adds nothing. A deletion that comes twice may be answered with 404: it is gone then.
RETRY = Retry(
    total=5,
    allowed_methods=["GET", "POST", "PUT", "DELETE"],
    backoff_factor=0.5,
    max_backoff_wait=10.0,
    total_timeout=30.0,
)
_PROBE = Retry(total=1, allowed_methods=["GET"], backoff_factor=0.25)
PAGE = 100
"""Entries of a list in one answer."""
_UPLOAD = httpx.Timeout(300.0, connect=5.0)
_TIMEOUT = httpx.Timeout(35.0, connect=5.0)  # API Gateway gives a function 29 s


class Health(BaseModel):
    """The stack's answer to whether it is there."""

    model_config = ConfigDict(frozen=True)

    status: str
    version: str


class ApiConnection:
    """The way to a stack's API: requests with retries and the token, answers as models."""

    def __init__(self, api_url: str, token: str | None = None, *, retry: Retry = RETRY) -> None:
        self.api_url = api_url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._has_token = token is not None
        try:
            self._http = httpx.Client(
                base_url=self.api_url,
                headers=headers,
                timeout=_TIMEOUT,
                transport=RetryTransport(retry=retry),
            )
        except httpx.InvalidURL as error:
            raise BadInputError(Problem(f"not a URL ({error})", field="--api-url")) from None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.api_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> Health:
        """Whether the stack answers; waits less long than the other calls. Needs no token."""
        return self._call(Health, "GET", "/v1/healthz", extensions={"retry": _PROBE})

    def _call[M: BaseModel](
        self,
        model: type[M],
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> M:
        response = self._send(method, path, body=body, headers=headers, extensions=extensions)
        return read_answer(model, response)

    def _pages[P: (AssignmentList, BatchList, ComparisonList)](
        self, model: type[P], path: str, query: Mapping[str, str | int | None]
    ) -> Iterator[P]:
        """The pages of a list, one after another."""
        parameters = {name: value for name, value in query.items() if value is not None}
        while True:
            page = read_answer(model, self._send("GET", path, query=parameters))
            yield page
            if page.cursor is None:
                return
            parameters["cursor"] = page.cursor

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        request = self._http.build_request(
            method,
            path,
            json=body,
            headers=headers,
            extensions=dict(extensions or {}),
            params=dict(query) if query else None,
        )
        _check_size(request)
        try:
            response = self._http.send(request)
            if response.status_code == httpx.codes.SEE_OTHER:
                return _follow_link(response.headers["Location"])
        except httpx.HTTPError as error:
            raise StackNotReachableError(
                f"{self.api_url} does not answer ({type(error).__name__}); "
                "check that the stack is deployed and running"
            ) from error
        if response.is_success:
            return response
        failure = error_from_response(response)
        if isinstance(failure, NotAuthorisedError) and not self._has_token:
            failure = NotAuthorisedError(
                "the stack needs a token: set CJ_TOKEN (`cj token` prints one)"
            )
        raise failure


def open_unsigned() -> httpx.Client:
    """A client without the token, for links: the link is the permission, and it leads elsewhere."""
    return httpx.Client(transport=RetryTransport(retry=RETRY), timeout=_UPLOAD)


def _follow_link(link: str) -> httpx.Response:
    with open_unsigned() as client:
        return client.get(link).raise_for_status()


def _check_size(request: httpx.Request) -> None:
    size = len(request.content)
    if size > MAX_REQUEST_BYTES:
        raise BadInputError(
            Problem(
                f"the texts make a request of {size / 1e6:.1f} MB; the API takes up to "
                f"{MAX_REQUEST_BYTES / 1e6:.0f} MB: send fewer or shorter texts at a time; the "
                "rankings of several batches are on one scale only where they share anchors"
            )
        )
