"""The result of a batch, one versioned wire model: the same verdicts give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import Outcome
from assessment.domain.comparison import ComparisonTally
from assessment.domain.decision import Decision
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading import DECIMALS
from assessment.domain.grading_result import Confidence, GradeProjections
from assessment.domain.result import (
    AuditReport,
    JudgeFit,
    MisfitFlag,
    OrderEffect,
    Ranking,
    Reliability,
)

RESULT_SCHEMA_VERSION = 1


class EssayRecord(BaseModel):
    """Everything about one student essay in one place; grades are None where there are none."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    rank: int
    rank_interval: tuple[int, int] | None
    ability: float
    standard_error: float
    comparisons: int
    infit: float | None
    outfit: float | None
    misfit_flags: list[MisfitFlag]
    projected_grade: str | None = None
    refined_grade: str | None = None
    grade_probabilities: dict[str, float] | None = None
    grade_set: list[str] | None = None
    pass_probability: float | None = None
    normalised_entropy: float | None = None
    confidence_label: Confidence | None = None
    confidence_score: float | None = None
    needs_more_evidence: bool | None = None
    further_comparisons: int | None = None


def essay_records(rankings: Sequence[Ranking], projections: GradeProjections) -> list[EssayRecord]:
    """The students' records in the order of their ids."""
    students = sorted((r for r in rankings if not r.is_anchor), key=lambda r: r.essay_id)
    return [
        EssayRecord(
            essay_id=ranking.essay_id,
            rank=ranking.rank,
            rank_interval=ranking.rank_interval,
            ability=ranking.bradley_terry_score,
            standard_error=ranking.bradley_terry_se,
            comparisons=ranking.comparison_count,
            infit=ranking.infit,
            outfit=ranking.outfit,
            misfit_flags=ranking.misfit_flags,
            **_grades_of(ranking.essay_id, projections),
        )
        for ranking in students
    ]


def _grades_of(essay_id: str, projections: GradeProjections) -> dict[str, Any]:
    if not projections.projections_available:
        return {}
    return {
        "projected_grade": projections.primary_grades[essay_id],
        "refined_grade": projections.refined_grades.get(essay_id),
        "grade_probabilities": projections.grade_probabilities[essay_id],
        "grade_set": projections.grade_sets.get(essay_id),
        "pass_probability": projections.pass_probabilities.get(essay_id),
        "normalised_entropy": projections.normalised_entropies.get(essay_id),
        "confidence_label": projections.confidence_labels[essay_id],
        "confidence_score": projections.confidence_scores[essay_id],
        "needs_more_evidence": essay_id in projections.needs_more_evidence,
        "further_comparisons": projections.further_comparisons.get(essay_id),
    }


class ResultDocument(BaseModel):
    """The versioned result of a batch: the same verdicts give the same bytes, so no clock here."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = RESULT_SCHEMA_VERSION
    batch_id: str
    correlation_id: str
    assignment_id: str | None
    status: str
    outcome: Outcome
    decision: Decision
    comparisons: ComparisonTally
    resampled_comparisons: int
    notes: list[str]
    students: int
    anchors: int
    waves: int
    essays: list[EssayRecord] = []
    rankings: list[Ranking]
    grade_projections: GradeProjections
    reliability: Reliability
    audit: AuditReport
    order_effects: list[OrderEffect]
    judges: list[str]
    judge_fit: list[JudgeFit] = []
    essay_flags: dict[str, list[EssayFlag]] = {}
    excluded_essays: list[str] = []
    cost_usd: float
    input_tokens: int = 0
    output_tokens: int = 0
    repeated_calls: int = 0
    config: dict[str, Any]
    config_sources: dict[str, str]
    spec_hash: str
    seed: int
    versions: dict[str, str]


def published(document: ResultDocument) -> ResultDocument:
    """The document with its figures rounded to `DECIMALS`; what is no finite number becomes None.

    Raises
    ------
    ValidationError
        If a figure that every result has is not a finite number.
    """
    return ResultDocument.model_validate(_rounded(document.model_dump()))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # Adding 0 turns a negative zero into a positive one.
        return round(value, DECIMALS) + 0.0 if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list | tuple) else value
