"""The release of a batch's grades, and what an organisation demands of it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, StrictBool


class Release(BaseModel):
    """That the grades of a batch are released: no decision about them changes any more.

    `decisions_sha256` is that of the document that holds them. `is_published` says that the event
    is on the bus; a release that broke off before is finished by asking for it again.
    """

    model_config = ConfigDict(frozen=True)

    released_at: datetime
    released_by: str
    decisions_sha256: str
    is_published: bool = False


class ReleasePolicy(BaseModel):
    """Whether an organisation forbids the release of grades that nobody decided on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decisions_required: StrictBool = False
