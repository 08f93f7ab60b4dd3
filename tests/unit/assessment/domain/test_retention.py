"""When a batch is to be erased by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assessment.domain.errors import NotPermittedError
from assessment.domain.retention import find_expiry

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("requested", "stack", "is_admin", "days"),
    [
        (None, 400, False, 400),
        (30, 400, False, 30),
        (400, 400, False, 400),
        (1000, 400, True, 1000),
        (None, 0, False, None),
        (1000, 0, False, 1000),
    ],
)
def test_the_requests_days_or_the_stacks(
    requested: int | None, stack: int, *, is_admin: bool, days: int | None
) -> None:
    expiry = find_expiry(requested, stack, is_admin=is_admin, now=NOW)
    assert expiry == (None if days is None else NOW + timedelta(days=days))


def test_only_an_administrator_keeps_a_batch_longer_than_the_stack_does() -> None:
    with pytest.raises(NotPermittedError, match="400 days"):
        find_expiry(401, 400, is_admin=False, now=NOW)
