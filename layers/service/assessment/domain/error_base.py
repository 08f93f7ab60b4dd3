"""The base of all errors, and the error of a request that is not valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

PROBLEM_TYPE_PREFIX = "urn:cj-assessment:problem:"
"""Before the code of an error it makes the `type` of its problem document."""


class CJError(Exception):
    """Base of all errors; `code` is the stable slug of the problem type.

    `field` names what is wrong in the caller's input, if anything there is; `problems` lists every
    (field, message).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The request could not be completed"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field or ""
        self.problems: list[tuple[str, str]] = [(field, message)] if field else []

    @classmethod
    def find_code(cls, name: str) -> str | None:
        """The code of the error class with this name; None where it is not one of ours."""
        return next((kind.code for kind in _family(cls) if kind.__name__ == name), None)

    @classmethod
    def from_problem(cls, document: Mapping[str, Any]) -> CJError | None:
        """The error that a problem document (RFC 9457) stands for; None for a foreign type."""
        code = str(document.get("type", "")).removeprefix(PROBLEM_TYPE_PREFIX)
        # Of the classes that share a code, the first is the one that they inherit it from.
        kind = next((kind for kind in _family(cls) if kind.code == code), None)
        if kind is None:
            return None
        problems = _read_problems(document)
        if len(problems) > 1 and kind is InvalidRequestError:
            return ManyInvalidFieldsError(problems)
        if len(problems) == 1:
            field, message = problems[0]
            return kind(message, field=field)
        error = kind(str(document.get("detail") or document.get("title") or kind.title))
        error.problems = problems
        return error


def _family(kind: type[CJError]) -> Iterator[type[CJError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _read_problems(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(field, message) of every wrong field that the document lists."""
    errors = document.get("errors")
    if not isinstance(errors, list):
        return []
    return [
        (str(error.get("field", "")), str(error.get("message", "")))
        for error in errors
        if isinstance(error, dict)
    ]


class InvalidRequestError(CJError):
    """The request is wrong in a named field; the message says how to correct it."""

    code = "invalid-request"
    status = 400
    title = "The request is not valid"


class ManyInvalidFieldsError(InvalidRequestError):
    """Several fields are wrong at once; `problems` lists (field, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        field, message = problems[0]
        super().__init__(message, field=field)
        self.problems = problems
