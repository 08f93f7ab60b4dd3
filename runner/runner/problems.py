"""Problem documents (RFC 9457) of the API, back to the named errors they were made from."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx

from assessment.domain.errors import CJError, InvalidRequestError, ManyInvalidFieldsError
from runner.errors import NotAuthorisedError, RunnerError, StackNotReachableError

_TYPE_PREFIX = "urn:cj-assessment:problem:"
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def _family(base: type[CJError]) -> Iterator[type[CJError]]:
    yield base
    for child in base.__subclasses__():
        yield from _family(child)


def _error_class(problem_type: str) -> type[CJError] | None:
    """The class that owns the problem type's code; of those that inherit it, the first."""
    code = problem_type.removeprefix(_TYPE_PREFIX)
    return next((cls for cls in _family(CJError) if cls.code == code), None)


def _fields(document: dict[str, Any]) -> list[tuple[str, str]]:
    errors = document.get("errors")
    if not isinstance(errors, list):
        return []
    return [
        (str(error.get("field", "")), str(error.get("message", "")))
        for error in errors
        if isinstance(error, dict)
    ]


def error_from_problem(document: dict[str, Any]) -> CJError | None:
    """The domain's error for a problem document, or None for a type it does not know."""
    cls = _error_class(str(document.get("type", "")))
    if cls is None:
        return None
    fields = _fields(document)
    if issubclass(cls, InvalidRequestError) and fields:
        if len(fields) > 1:
            return ManyInvalidFieldsError(fields)
        return cls(fields[0][1], field=fields[0][0])
    # Some errors build their message from an id that only the message still has: keep that.
    message = str(document.get("detail") or document.get("title") or cls.title)
    return cls.__new__(cls, message)


def error_from_response(response: httpx.Response) -> CJError | RunnerError:
    """The error that an answer other than success stands for. The body is never repeated."""
    document = _json(response)
    if isinstance(document, dict) and (error := error_from_problem(document)) is not None:
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
