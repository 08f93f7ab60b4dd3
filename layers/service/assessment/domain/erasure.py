"""Erasures: a whole batch or one pupil's essay, removed from every store, and what is kept of that.

The record of an erasure drives it: whatever dies in the middle, the record says what is to be
removed. When nothing is left, it is a tombstone: what was erased, when, and the hashes of documents
before and after, without any personal data.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

ERASED = "ERASED"
"""What stands as the status of an erased batch; no step of the lifecycle begins there."""

CHECK_AFTER = timedelta(minutes=15)
"""When a second round looks for what was written during the first: longer than any worker runs."""

PROVIDER_PATIENCE = timedelta(hours=26)
"""How long a provider may take to end a batch that was cancelled, before its files are given up."""


class ErasureScope(StrEnum):
    """What is erased."""

    BATCH = "batch"
    ESSAY = "essay"


class ErasureState(StrEnum):
    """How far an erasure is; `ERASED` says that a round found nothing more to remove."""

    ERASING = "erasing"
    ERASED = "erased"


class ErasureTarget(BaseModel):
    """What a round must know to remove everything; it is dropped with the last round.

    `people` are those who judged, whose marks have partitions of their own. `submissions` are the
    names of the folders of providers' batches. `text_sha256s` are the hashes of the texts.
    """

    model_config = ConfigDict(frozen=True)

    n_waves: int
    essay_id: str | None = None
    people: tuple[str, ...] = ()
    submissions: tuple[str, ...] = ()
    text_sha256s: tuple[str, ...] = ()


class ReplacedDocument(BaseModel):
    """A document that was rewritten without the essay: its name and its hashes."""

    model_config = ConfigDict(frozen=True)

    name: str
    before_sha256: str
    after_sha256: str | None = None


class Erasure(BaseModel):
    """One erasure.

    `n_provider_files` counts batches at providers that would not be deleted; the provider deletes
    them by its own rules. `checked_at` is when the second round found nothing more.
    """

    model_config = ConfigDict(frozen=True)

    erasure_id: str
    batch_id: str
    scope: ErasureScope
    state: ErasureState = ErasureState.ERASING
    requested_at: datetime
    erased_at: datetime | None = None
    checked_at: datetime | None = None
    target: ErasureTarget | None = None
    documents: tuple[ReplacedDocument, ...] = ()
    n_provider_files: int = 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to do."""
        return self.checked_at is not None

    def concerns(self, essay_id: str | None) -> bool:
        """Whether it is the erasure of this essay, or of the batch where that is None."""
        if essay_id is None:
            return self.scope is ErasureScope.BATCH
        return self.target is not None and self.target.essay_id == essay_id
