"""What callers send and get about decisions, and the document that a release consists of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from assessment.domain.attention import AttentionCause
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grade_decision import Basis, DecisionState, GradeDecision
from assessment.domain.grading_result import GradeProjections
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.release import Release
from assessment.domain.result import JudgeFit, Ranking

DECISIONS_SCHEMA_VERSION = 1


class DecisionRequest(BaseModel):
    """An assessor's decision about an essay; a null grade says that it gets none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grade: Annotated[str, Field(max_length=200)] | None
    reason: Annotated[str, Field(max_length=2000)] | None = None


class ReleaseRequest(BaseModel):
    """A release; `without_decisions` releases proposed grades that nobody decided on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    without_decisions: StrictBool = False


class ProposingResult(BaseModel):
    """What a result document says that matters to people who decide on its grades."""

    model_config = ConfigDict(frozen=True)

    rankings: list[Ranking]
    grade_projections: GradeProjections
    essay_flags: dict[str, list[EssayFlag]] = {}
    excluded_essays: list[str] = []
    not_assessed: list[NotAssessed] = []
    judge_fit: list[JudgeFit] = []


class EssayDecisionView(BaseModel):
    """An essay as an assessor sees it.

    `grade` is null until the essay is decided. `decisions` has those that the caller may see, the
    oldest first: with two assessors, another's not before the essay is decided or both have
    decided.
    """

    batch_id: str
    essay_id: str
    result_sha256: str
    proposed_grade: str | None
    state: DecisionState
    grade: str | None
    decisions: list[GradeDecision]


class EssaySummary(BaseModel):
    """How far the decision about an essay is."""

    essay_id: str
    proposed_grade: str | None
    state: DecisionState
    grade: str | None


class DecisionsView(BaseModel):
    """How far the decisions about a batch are; a release waits for `n_waiting` essays.

    `cursor` asks for the essays that follow; it is null where these are the last.
    """

    batch_id: str
    result_sha256: str
    grade_scale: list[str]
    two_assessors: bool
    release: Release | None
    n_essays: int
    n_waiting: int
    essays: list[EssaySummary]
    cursor: str | None = None


class EssayAttentionView(BaseModel):
    """An essay that needs a person, why, and how far the decision about it is."""

    essay_id: str
    proposed_grade: str | None
    state: DecisionState
    causes: list[AttentionCause]


class AttentionView(BaseModel):
    """The essays that need a person, the most urgent first; `n_essays` is the number of all."""

    batch_id: str
    result_sha256: str
    n_essays: int
    essays: list[EssayAttentionView]


class ReleaseView(Release):
    """The release of a batch, as the caller is answered."""

    batch_id: str


class ReleasedGrade(BaseModel):
    """A grade as it is released, what it rests on, and all decisions about it."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    proposed_grade: str | None
    grade: str | None
    basis: Basis
    decisions: list[GradeDecision]


class DecisionsDocument(BaseModel):
    """The released grades of a batch, with every decision that was taken.

    A document of its own: it names the result by its SHA-256 and leaves its bytes as they are.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = DECISIONS_SCHEMA_VERSION
    batch_id: str
    correlation_id: str
    organisation: str
    assignment_id: str | None
    result_sha256: str
    grade_scale: list[str]
    two_assessors: bool
    without_decisions: bool
    released_at: datetime
    released_by: str
    essays: list[ReleasedGrade]


def canonical_decisions(document: DecisionsDocument) -> str:
    """The document as JSON in canonical form (RFC 8785), which is what its SHA-256 is of."""
    dumped: dict[str, Any] = document.model_dump(mode="json")
    return rfc8785.dumps(dumped).decode()
