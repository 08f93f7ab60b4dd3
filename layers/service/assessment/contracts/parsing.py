"""One way from a bad document to the names of its wrong fields."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import (
    BaseModel,
    ValidationError,
)

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError


def field_path(location: tuple[int | str, ...]) -> str:
    """A pydantic location as a reader writes it: `essays[3].text`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


_NOT_TEXT = "has half of a surrogate pair, which is no character; send valid Unicode"


def _surrogates(value: object, place: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Where strings are that cannot be stored: JSON's escapes may spell what UTF-8 cannot."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield place
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _surrogates(key, place)
            yield from _surrogates(entry, (*place, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _surrogates(entry, (*place, index))


def list_problems(error: ValidationError) -> list[tuple[str, str]]:
    """(path, message) of every wrong field; `body` where it is the whole. Quotes no value."""
    return [
        (field_path(problem["loc"]) or "body", problem["msg"].removeprefix("Value error, "))
        for problem in error.errors(include_input=False, include_url=False)
    ]


def describe_problems(error: ValidationError, *, most: int = 5) -> str:
    """The first problems on one line: `essays[3].text: Field required; ...`."""
    return "; ".join(f"{path}: {message}" for path, message in list_problems(error)[:most])


def parse[M: BaseModel](model: type[M], data: object) -> M:
    """The data as a model.

    Raises
    ------
    ManyInvalidFieldsError
        With one entry per wrong field. Neither the values nor any essay text are repeated.
    """
    if not isinstance(data, dict):
        raise InvalidRequestError("send a JSON object", field="body")
    broken = [(field_path(place) or "body", _NOT_TEXT) for place in _surrogates(data, ())]
    if broken:
        raise ManyInvalidFieldsError(broken)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ManyInvalidFieldsError(list_problems(error)) from None
