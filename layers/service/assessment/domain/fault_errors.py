"""Errors of the stack itself: services, settings, statistics; their tree is in `errors`."""

from __future__ import annotations

from typing import Self

from assessment.domain.error_base import CJError


class ScoringFailedError(CJError):
    """The verdicts could not be turned into abilities; the message carries the reason."""

    code = "scoring-failed"
    title = "The verdicts could not be scored"


class TransientError(CJError):
    """A call of AWS or a database failed in a way that is worth repeating (a lost race)."""

    code = "transient"
    status = 503
    title = "Please try again"


class CorruptStoreError(CJError):
    """A database on this machine is no database, or one of another version."""

    code = "corrupt-store"
    title = "The database cannot be used"


class ServiceRefusedError(CJError):
    """An AWS service refuses a request of the product: a repeat would change nothing."""

    code = "service-refused"
    title = "A service refused a request of the product"


class PermissionMissingError(ServiceRefusedError):
    """The role of a function lacks a right; the message names it."""

    code = "permission-missing"
    title = "The product lacks a permission"

    @classmethod
    def from_action(cls, action: str) -> Self:
        """The error for an IAM action that was denied."""
        return cls(f"the role of this function may not call {action}")


class UnexpectedError(CJError):
    """What was not foreseen, as the API tells it to a caller: a defect, not an input."""

    code = "unexpected"


class MissingSettingError(CJError):
    """The function's environment lacks a variable or has a wrong one; the message names it."""

    code = "missing-setting"
    title = "The stack is not set up completely"


class UnplannedWaveError(CJError):
    """The state machine asked to submit a wave that was never planned: a defect, not an input."""

    code = "unplanned-wave"
    title = "The wave was never planned"
