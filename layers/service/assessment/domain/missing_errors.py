"""Errors about what does not exist, or not any more; their tree is in `errors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from assessment.domain.error_base import CJError


class NotFoundError(CJError):
    """Something named in the request does not exist."""

    code = "not-found"
    status = 404
    title = "Not found"


class UnknownBatchError(NotFoundError):
    """No batch has this id."""

    code = "unknown-batch"
    title = "There is no such batch"

    @classmethod
    def from_id(cls, batch_id: str) -> Self:
        """The error for an id that no batch has."""
        return cls(f"there is no batch {batch_id}", field="batch_id")


class ErasedBatchError(UnknownBatchError):
    """The batch was erased: nothing is left of it but that it was."""

    code = "erased-batch"
    status = 410
    title = "The batch was erased"

    @classmethod
    def from_id(cls, batch_id: str) -> Self:
        """The error for the id of an erased batch."""
        return cls(f"batch {batch_id} was erased; nothing of it is kept", field="batch_id")


class UnknownAssignmentError(NotFoundError):
    """No anchors or instructions were registered for this assignment."""

    code = "unknown-assignment"
    title = "There is no such assignment"

    @classmethod
    def from_id(cls, assignment_id: str) -> Self:
        """The error for an id under which nothing is registered."""
        return cls(
            f"nothing is registered for {assignment_id!r}; register its anchors or instructions "
            "first, or leave the field out",
            field="assignment_id",
        )


class UnknownAnchorError(NotFoundError):
    """The assignment has no anchor with this reference."""

    code = "unknown-anchor"
    title = "There is no such anchor"

    @classmethod
    def from_id(cls, assignment_id: str, anchor_ref: str) -> Self:
        """The error for a reference that no anchor of the assignment has."""
        return cls(f"assignment {assignment_id!r} has no anchor {anchor_ref!r}", field="anchor_ref")


class UnknownInvitationError(NotFoundError):
    """The batch has no invitation with this id."""

    code = "unknown-invitation"
    title = "There is no such invitation"

    @classmethod
    def from_id(cls, batch_id: str, invitation_id: str) -> Self:
        """The error for an id that no invitation of the batch has."""
        return cls(f"batch {batch_id} has no invitation {invitation_id}", field="invitation_id")


class UnknownContentError(NotFoundError):
    """The organisation has stored no text under this id."""

    code = "unknown-content"
    title = "There is no such text"

    @classmethod
    def from_ids(cls, content_ids: Sequence[str], *, essay_id: str) -> Self:
        """The error for ids of texts, the first of which is that of the essay."""
        others = f", and {len(content_ids) - 1} others" if len(content_ids) > 1 else ""
        return cls(
            f"no text {content_ids[0]} is stored (essay {essay_id}{others}); store it first",
            field="content_id",
        )


class UnknownManifestError(NotFoundError):
    """The organisation has uploaded no manifest under this id."""

    code = "unknown-manifest"
    title = "There is no such manifest"

    @classmethod
    def from_id(cls, manifest_id: str) -> Self:
        """The error for an id under which nothing was uploaded."""
        return cls(f"no manifest {manifest_id} was uploaded", field="manifest_id")


class UnknownComparisonError(NotFoundError):
    """A callback or message names a comparison that was never planned."""

    code = "unknown-comparison"
    title = "There is no such comparison"

    @classmethod
    def from_id(cls, batch_id: str, comparison_id: str) -> Self:
        """The error for an id that no comparison of the batch has."""
        return cls(f"batch {batch_id} has no comparison {comparison_id}", field="comparison_id")


class MissingDocumentError(NotFoundError):
    """A text or document that was stored is not there."""

    code = "missing-document"
    title = "A stored document is missing"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """The error for a key under which nothing is stored."""
        return cls(f"the content store has no {key}")
