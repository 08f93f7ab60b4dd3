"""How long a batch is kept before it is erased by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.errors import NotPermittedError

DEFAULT_RETENTION_DAYS = 400
"""More than a school year: a grade can be appealed until the next one is given."""
MAX_RETENTION_DAYS = 3653


class RetentionPolicy(BaseModel):
    """How many days an organisation keeps its batches; null leaves it to the stack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retention_days: Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS)] | None

    def choose_days(self, stack_days: int) -> int:
        """The organisation's days, or those of the stack."""
        return stack_days if self.retention_days is None else self.retention_days


def find_expiry(
    requested_days: int | None, stack_days: int, *, is_admin: bool, now: datetime
) -> datetime | None:
    """When a batch that is requested now is to be erased; None if it is kept until it is deleted.

    Parameters
    ----------
    requested_days
        Days that the request sets; None where it leaves them to the stack.
    stack_days
        Days of the organisation, or of the stack; with 0 batches are kept until they are deleted.

    Raises
    ------
    NotPermittedError
        If somebody who is no administrator wants the batch to be kept longer than that.
    """
    days = stack_days if requested_days is None else requested_days
    if not is_admin:
        _check_days(days, stack_days)
    return now + timedelta(days=days) if days else None


def _check_days(days: int, stack_days: int) -> None:
    if stack_days and days > stack_days:
        raise NotPermittedError(
            f"only an administrator may keep a batch for more than {stack_days} days",
            field="retention_days",
        )
