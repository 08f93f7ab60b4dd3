"""From a document to a model, or to the names of its wrong fields."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError
from assessment.domain.field_problems import format_path, list_problems

type Location = tuple[int | str, ...]
"""Where a value is in a document."""

_NOT_TEXT = "has half of a surrogate pair, which is no character; send valid Unicode"


def _find_surrogates(value: object, place: Location) -> Iterator[Location]:
    """Where strings are that cannot be stored: JSON's escapes may spell what UTF-8 cannot."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield place
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _find_surrogates(key, place)
            yield from _find_surrogates(entry, (*place, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _find_surrogates(entry, (*place, index))


def _check_text(data: dict[str, object]) -> None:
    broken = [(format_path(place) or "body", _NOT_TEXT) for place in _find_surrogates(data, ())]
    if broken:
        raise ManyInvalidFieldsError(broken)


def parse[M: BaseModel](model: type[M], data: object) -> M:
    """The data as a model.

    Raises
    ------
    ManyInvalidFieldsError
        With one entry per wrong field. Neither the values nor any essay text are repeated.
    """
    if not isinstance(data, dict):
        raise InvalidRequestError("send a JSON object", field="body")
    _check_text(data)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ManyInvalidFieldsError(list_problems(error)) from None
