"""What callers send and get about the time that people have to judge."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict


class JudgingDeadline(BaseModel):
    """Until when people may judge a batch, with its zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judging_deadline: AwareDatetime


class MovedDeadline(BaseModel):
    """The deadline as it is now.

    `n_invitations_ending_before` counts open invitations whose links end before it; those people
    need new ones.
    """

    batch_id: str
    judging_deadline: AwareDatetime
    n_invitations_ending_before: int
