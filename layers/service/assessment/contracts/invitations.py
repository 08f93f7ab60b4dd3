"""What callers send and get about invitations of judges."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assessment.domain.control_pair import Consistency, measure_consistency
from assessment.domain.identifiers import GroupLabel
from assessment.domain.invitation import LONGEST_DAYS, InvitationState, Person
from assessment.domain.judge import PERSON_LABEL

_MOST_NAMES = 100


class InvitationRequest(BaseModel):
    """Invitations of a batch, one for each name; they open it for `days`.

    Without `days`, for fourteen or until the batch's `judging_deadline`, whichever is later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[list[GroupLabel], Field(min_length=1, max_length=_MOST_NAMES)]
    quota: Annotated[int, Field(ge=1, le=100_000)] | None = None
    days: Annotated[float, Field(gt=0, le=LONGEST_DAYS)] | None = None

    @field_validator("names")
    @classmethod
    def _check_distinct(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            message = "a name occurs twice; invite everybody once"
            raise ValueError(message)
        return names


class InvitationView(BaseModel):
    """An invitation with how far the person is."""

    invitation_id: str
    name: str
    judge: str
    state: InvitationState
    quota: int | None
    n_judged: int
    consistency: Consistency | None = None
    last_verdict_at: datetime | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def from_person(cls, person: Person, *, now: datetime) -> Self | None:
        """The view of a person who was invited; None for others."""
        invitation = person.invitation
        if invitation is None:
            return None
        judge = f"{PERSON_LABEL}{person.name}"
        return cls(
            judge=judge,
            consistency=measure_consistency(judge, person.controls),
            state=invitation.find_state(now=now),
            n_judged=person.n_judged,
            last_verdict_at=person.last_verdict_at,
            **invitation.model_dump(exclude={"batch_id"}),
        )


class NewInvitation(BaseModel):
    """An invitation as it is made: the link and its token are shown this once."""

    invitation_id: str
    name: str
    quota: int | None
    expires_at: datetime
    link: Annotated[str, Field(repr=False)]
    token: Annotated[str, Field(repr=False)]


class NewInvitations(BaseModel):
    """The invitations that were made, in the order of their names."""

    batch_id: str
    invitations: list[NewInvitation]


class InvitationList(BaseModel):
    """All invitations of a batch, the oldest first, with the verdicts that each has given."""

    batch_id: str
    invitations: list[InvitationView]
