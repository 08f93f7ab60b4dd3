"""The messages of the erasure queue, and what callers are told of erasures."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from assessment.domain.access import OrganisationId
from assessment.domain.erasure import Erasure, ErasureScope, ErasureState, ReplacedDocument


class EraseRequestV1(BaseModel):
    """A message of the erasure queue: go on with this erasure."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    schema_name: Annotated[Literal["EraseRequestV1"], Field(alias="schema")] = "EraseRequestV1"
    batch_id: str
    erasure_id: str


class SweepAnchorsV1(BaseModel):
    """A message of the erasure queue: erase the texts of the assignment's removed anchors."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    schema_name: Annotated[Literal["SweepAnchorsV1"], Field(alias="schema")] = "SweepAnchorsV1"
    organisation: OrganisationId
    assignment_id: str


_MESSAGES: TypeAdapter[EraseRequestV1 | SweepAnchorsV1] = TypeAdapter(
    EraseRequestV1 | SweepAnchorsV1
)


def read_erasure_message(body: str) -> EraseRequestV1 | SweepAnchorsV1:
    """The message of the erasure queue. Raises pydantic's ValidationError."""
    return _MESSAGES.validate_json(body)


class ErasureView(BaseModel):
    """An erasure as callers see it: no word of the essay or its id."""

    erasure_id: str
    batch_id: str
    scope: ErasureScope
    state: ErasureState
    requested_at: datetime
    erased_at: datetime | None
    checked_at: datetime | None
    documents: list[ReplacedDocument]
    n_provider_files: int

    @classmethod
    def from_erasure(cls, erasure: Erasure) -> Self:
        """The view of an erasure."""
        return cls.model_validate(erasure.model_dump(include=set(cls.model_fields)))


class ErasureList(BaseModel):
    """All erasures of a batch and of its essays, the oldest first."""

    batch_id: str
    erasures: list[ErasureView]
