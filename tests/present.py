"""What a test reads of a value that its type says may be missing."""

from __future__ import annotations


def present[T](value: T | None) -> T:
    """The value, which the test expects to be there."""
    assert value is not None
    return value
