"""The message that drives an erasure, and what callers are told of erasures."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.erasure import Erasure, ErasureScope, ErasureState, ReplacedDocument


class EraseRequestV1(BaseModel):
    """A message of the erasure queue: go on with this erasure."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    schema_name: Annotated[Literal["EraseRequestV1"], Field(alias="schema")] = "EraseRequestV1"
    batch_id: str
    erasure_id: str


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
