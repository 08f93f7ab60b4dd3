"""Invitations: a person without an account judges one batch, for a time, until it is taken back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.comparison import ComparisonLease
from assessment.domain.control_pair import ControlPair
from assessment.domain.errors import InvitationEndedError
from assessment.domain.judge import JudgeSpec

INVITED_PREFIX = "invited:"
"""Beginning of the subject of whoever comes by an invitation; the id of the invitation follows."""

LONGEST_DAYS = 90


class InvitationState(StrEnum):
    """Whether an invitation opens its batch."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Invitation(BaseModel):
    """What an invitation says; `name` is for whoever invites and is in no result."""

    model_config = ConfigDict(frozen=True)

    invitation_id: str
    batch_id: str
    name: str
    quota: Annotated[int, Field(ge=1)] | None = None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None

    @property
    def subject(self) -> str:
        """Who judges by it: the subject of its token, and the name of the judge in results."""
        return f"{INVITED_PREFIX}{self.invitation_id}"

    def find_state(self, *, now: datetime) -> InvitationState:
        """Whether it opens its batch now."""
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.EXPIRED if now >= self.expires_at else InvitationState.OPEN


class Person(BaseModel):
    """A person as a batch knows them: the invitation, the verdicts, and what they hold now."""

    model_config = ConfigDict(frozen=True)

    name: str
    invitation: Invitation | None = None
    n_judged: int = 0
    held: tuple[ComparisonLease, ...] = ()
    held_until: datetime | None = None
    last_verdict_at: datetime | None = None
    last_judged: str | None = None
    """The comparison of their last verdict: they hold it until the verdict is recorded."""
    controls: tuple[ControlPair, ...] = ()

    @property
    def n_controls(self) -> int:
        """How many control pairs they have judged; `n_judged` does not count them."""
        return sum(control.winner is not None for control in self.controls)

    def find_quota(self, judge: JudgeSpec) -> int | None:
        """How many verdicts they may give: as their invitation says, or as the batch does."""
        if self.invitation is not None and self.invitation.quota is not None:
            return self.invitation.quota
        return judge.quota


def check_invitation(person: Person, *, now: datetime) -> None:
    """Refuse whoever came by an invitation that does not open its batch.

    Raises
    ------
    InvitationEndedError
    """
    if not person.name.startswith(INVITED_PREFIX):
        return
    if person.invitation is None:
        raise InvitationEndedError("there is no such invitation; ask whoever sent it for another")
    state = person.invitation.find_state(now=now)
    if state is not InvitationState.OPEN:
        raise InvitationEndedError(f"this invitation is {state}; ask whoever sent it for another")
