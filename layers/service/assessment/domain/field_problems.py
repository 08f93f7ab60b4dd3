"""From an error of pydantic to the wrong fields, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

IS_MISSING = "is missing"
# In place of pydantic's own words, which are meant for programmers.
_MESSAGES = {
    "missing": IS_MISSING,
    "extra_forbidden": "there is no such field; leave it out",
}


class WrongFieldError(ValueError):
    """What a validator of a whole model raises when one field is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def format_path(location: Sequence[int | str]) -> str:
    """A pydantic location as a reader writes it: `essays[3].text`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def list_problems(error: ValidationError, *, prefix: str = "") -> list[tuple[str, str]]:
    """(path, message) of every wrong field, which quote no value.

    Parameters
    ----------
    error
        What pydantic found wrong with a document.
    prefix
        The path of the document in what the caller sent; empty where it is the whole.

    Returns
    -------
    list of (str, str)
        The path is `prefix`, or `body` without one, where the document itself is wrong.
    """
    problems = error.errors(include_input=False, include_url=False)
    return [(_locate(problem, prefix) or "body", _describe(problem)) for problem in problems]


def _locate(problem: Mapping[str, Any], prefix: str) -> str:
    start = (prefix,) if prefix else ()
    error = problem.get("ctx", {}).get("error")
    field = (error.field,) if isinstance(error, WrongFieldError) else ()
    return format_path([*start, *problem["loc"], *field])


def _describe(problem: Mapping[str, Any]) -> str:
    details = problem.get("ctx", {})
    if problem["type"] in ("string_too_long", "too_long") and details.get("field_type") != "List":
        length = details.get("actual_length")
        has = "is too long" if length is None else f"has {length} characters"
        return f"{has}; at most {details['max_length']} are allowed"
    return _MESSAGES.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")


def describe_problems(error: ValidationError, *, most: int = 5) -> str:
    """The first problems on one line: `essays[3].text: is missing; ...`."""
    return "; ".join(f"{path}: {message}" for path, message in list_problems(error)[:most])
