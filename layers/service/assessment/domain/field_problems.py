"""From an error of pydantic to the wrong fields, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

IS_MISSING = "is missing"
# In place of pydantic's own words, which speak to a programmer.
_MESSAGES = {
    "missing": IS_MISSING,
    "extra_forbidden": "there is no such field; leave it out",
}


def make_field_error(field: str, message: str) -> PydanticCustomError:
    """A ValueError for a validator of a whole model that finds one field wrong."""
    return PydanticCustomError("field", "{message}", {"field": field, "message": message})


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


def _locate(problem: ErrorDetails, prefix: str) -> str:
    named = (problem["ctx"]["field"],) if problem["type"] == "field" else ()
    start = (prefix,) if prefix else ()
    return format_path([*start, *problem["loc"], *named])


def _describe(problem: ErrorDetails) -> str:
    return _MESSAGES.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")


def describe_problems(error: ValidationError, *, most: int = 5) -> str:
    """The first problems on one line: `essays[3].text: is missing; ...`."""
    return "; ".join(f"{path}: {message}" for path, message in list_problems(error)[:most])
