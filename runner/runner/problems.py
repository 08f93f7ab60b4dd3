"""Problem documents (RFC 9457) of the API, back to the named errors they were made from."""

from http import HTTPStatus

import httpx

from assessment.domain import (  # noqa: F401 - their errors join the tree so
    decision_errors,
    judge_errors,
)
from assessment.domain.errors import CJError, InvalidRequestError
from runner.errors import NotAuthorisedError, RunnerError, StackNotReachableError

_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def error_from_response(response: httpx.Response) -> CJError | RunnerError:
    """The error that an answer other than success stands for. The body is never repeated."""
    document = _json(response)
    if isinstance(document, dict) and (error := CJError.from_problem(document)) is not None:
        return error
    status = response.status_code
    if status in _REFUSED:
        return NotAuthorisedError(
            f"the stack does not accept the token, or has no such route (HTTP {status}); "
            "mint a new token with `cj token`, and check the address"
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return InvalidRequestError("the request is too large; send fewer texts at a time")
    return StackNotReachableError(
        f"{response.request.method} {response.request.url.path} answered HTTP {status} "
        "without a reason; look at the stack's logs"
    )


def _json(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None
