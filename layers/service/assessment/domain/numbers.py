"""Numbers as callers send them: Python would take a truth value for 0 or 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

NOT_A_NUMBER = "give a number, not true or false"


def find_loose_numbers(model: type[BaseModel], values: Mapping[str, Any]) -> list[str]:
    """The fields for numbers that have a truth value instead."""
    return [
        name
        for name, value in values.items()
        if isinstance(value, bool) and _takes_only_numbers(model, name)
    ]


def _takes_only_numbers(model: type[BaseModel], name: str) -> bool:
    field = model.model_fields.get(name)
    kinds = set(_kinds(field.annotation)) - {type(None)} if field else set()
    return bool(kinds) and kinds <= {int, float}


def _kinds(annotation: Any) -> Iterator[Any]:
    """The plain types of an annotation, out of unions and `Annotated`."""
    if hasattr(annotation, "__metadata__"):
        yield from _kinds(get_args(annotation)[0])
    elif parts := get_args(annotation):
        for part in parts:
            yield from _kinds(part)
    else:
        yield annotation
