"""What is wrong with a request, in the words of its first validation error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def first_error(error: ValidationError) -> tuple[str, str]:
    """The message of the first error, and the path of the field that it is about."""
    first = error.errors()[0]
    path = ".".join(map(str, first["loc"]))
    return f"{path}: {first['msg']}", path
