"""The audit trail: who changed what, and when. Entries are added and never changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.access import Action, Role


class Phase(StrEnum):
    """A change has two entries; one that only began was broken off, and may have taken effect."""

    BEGUN = "begun"
    ENDED = "ended"


class AuditEntry(BaseModel):
    """One entry.

    The hashes are those of the thing that was changed, as it is stored; null where it did not
    exist, or where the change is an addition to it (a verdict). A policy that was never set has the
    hash of the default; a webhook's is without its last attempt. `status` is the HTTP status that
    the caller was answered with. `request_sha256` is the hash of what was sent.
    """

    model_config = ConfigDict(frozen=True)

    change_id: str
    phase: Phase
    moment: datetime
    subject: str
    roles: tuple[Role, ...]
    action: Action
    route: str
    batch_id: str | None = None
    assignment_id: str | None = None
    webhook_id: str | None = None
    request_sha256: str
    before_sha256: str | None = None
    after_sha256: str | None = None
    status: int | None = None
