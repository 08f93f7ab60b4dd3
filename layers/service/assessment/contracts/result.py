"""The result of a batch, one versioned wire model: the same verdicts give the same bytes."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any

import rfc8785
from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.assignment import TextSource
from assessment.domain.baselines import BaselineReport
from assessment.domain.batch import Outcome
from assessment.domain.comparison import ComparisonTally
from assessment.domain.control_pair import Consistency
from assessment.domain.decision import Decision
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading import DECIMALS
from assessment.domain.grading_result import GradeProjections
from assessment.domain.group_report import GroupReport
from assessment.domain.judges_in_lists import ListSharpness
from assessment.domain.masking import MaskingReport
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.note import ReadableNote
from assessment.domain.readings import ReadingTally
from assessment.domain.result import (
    AuditReport,
    JudgeFit,
    OrderEffect,
    Ranking,
    Reliability,
)
from assessment.domain.spending import CachedTokens

RESULT_SCHEMA_VERSION = 3


class ResultDocument(BaseModel):
    """The versioned result of a batch: the same verdicts give the same bytes, so no clock here.

    Every figure has one place: what was measured of an essay is in its `Ranking`, its grades are in
    `grade_projections` by essay id. What is said in words has a stable code beside it. A result of
    schema version 2 can be read: its notes are words alone.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = RESULT_SCHEMA_VERSION
    batch_id: str
    correlation_id: str
    assignment_id: str | None
    status: str
    outcome: Outcome
    decision: Decision
    comparisons: ComparisonTally
    readings: Annotated[ReadingTally | None, Field(exclude_if=lambda value: value is None)] = None
    resampled_comparisons: int
    notes: list[ReadableNote]
    n_students: int
    n_anchors: int
    n_waves: int
    rankings: list[Ranking]
    grade_projections: GradeProjections
    reliability: Reliability
    audit: AuditReport
    order_effects: list[OrderEffect]
    judges: list[str]
    judge_fit: list[JudgeFit] = []
    judge_consistency: list[Consistency] = []
    list_sharpness: Annotated[list[ListSharpness], Field(exclude_if=lambda value: not value)] = []
    groups: GroupReport | None = None
    baselines: BaselineReport | None = None
    essay_flags: dict[str, list[EssayFlag]] = {}
    excluded_essays: list[str] = []
    not_assessed: list[NotAssessed] = []
    masking: MaskingReport | None = None
    cost_usd: float
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: CachedTokens = 0
    cache_write_tokens: CachedTokens = 0
    repeated_calls: int = 0
    config: dict[str, Any]
    config_sources: dict[str, str]
    text_sources: dict[str, TextSource] = {}
    spec_hash: str
    seed: int
    versions: dict[str, str]


def round_figures(document: ResultDocument) -> ResultDocument:
    """The document with its figures rounded to `DECIMALS`; what is no finite number becomes None.

    Raises
    ------
    ValidationError
        If a figure that every result has is not a finite number.
    """
    return ResultDocument.model_validate(_round(document.model_dump()))


def canonical_bytes(document: ResultDocument) -> bytes:
    """The document as JSON in canonical form (RFC 8785), which is what its SHA-256 is of.

    Any program that knows the RFC makes the same bytes of the same document.
    """
    return rfc8785.dumps(document.model_dump(mode="json"))


def _round(value: Any) -> Any:
    if isinstance(value, float):
        # Adding 0 turns a negative zero into a positive one.
        return round(value, DECIMALS) + 0.0 if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _round(entry) for key, entry in value.items()}
    return [_round(entry) for entry in value] if isinstance(value, list | tuple) else value
