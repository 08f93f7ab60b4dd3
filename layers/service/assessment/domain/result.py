"""What a batch ends in: rankings, grade projections, reliability, all with their uncertainty.

Abilities, boundaries, residuals and standard errors are in logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import isfinite
from typing import Any

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import Outcome
from assessment.domain.comparison import ComparisonTally
from assessment.domain.decision import Decision
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading import DECIMALS
from assessment.domain.grading_history import BatchMeasurement
from assessment.domain.grading_result import Confidence, GradeProjections

RESULT_SCHEMA_VERSION = 1
SPLIT_HALF_COMPARISONS = 2000


class MisfitFlag(StrEnum):
    """How verdicts disagree with the fit more than chance explains (deviate above 2)."""

    NOISY = "noisy"
    SURPRISING = "surprising"


class Ranking(BaseModel):
    """One essay's place on the scale, students and anchors together.

    `rank_interval` holds the rank with 90% probability. `infit` and `outfit` are mean squares, 1
    where the verdicts are as noisy as the model says.
    """

    model_config = ConfigDict(frozen=True)

    rank: int
    essay_id: str
    bradley_terry_score: float
    bradley_terry_se: float
    comparison_count: int
    is_anchor: bool
    anchor_grade: str | None = None
    infit: float | None = None
    outfit: float | None = None
    rank_interval: tuple[int, int] | None = None
    misfit_flags: list[MisfitFlag] = []


class OrderEffect(BaseModel):
    """How much a judge favours the essay shown first, in logits."""

    model_config = ConfigDict(frozen=True)

    judge: str
    estimate: float
    standard_error: float


class AuditReport(BaseModel):
    """How well earlier fits predicted the verdicts.

    The figures are those of random pairs, which adaptive pairing cannot flatter. The test against
    chance may use every predicted pair, `tested_pairs`: a coin is independent of any prediction
    that was made before it fell, however the pair was chosen.
    """

    model_config = ConfigDict(frozen=True)

    pairs: int
    tested_pairs: int = 0
    chance_z: float | None = None
    agreement: float | None = None
    agreement_interval: tuple[float, float] | None = None
    log_loss: float | None = None
    log_loss_interval: tuple[float, float] | None = None
    slope: float | None = None
    slope_interval: tuple[float, float] | None = None
    at_chance: bool = False


class ScaleSeparation(BaseModel):
    """The three formulas known as scale separation reliability, and the separation G.

    A is 1 - MSE / V, B is G^2 / (1 + G^2), C is V / (V + mean posterior variance). None is valid
    under adaptive pairing unless the prior is right; they are for comparison with other systems.
    """

    model_config = ConfigDict(frozen=True)

    formula_a: float
    formula_b: float
    formula_c: float
    separation: float | None


class Reliability(BaseModel):
    """Reliability figures, every one under its own name.

    `split_half` is Spearman-Brown corrected, from random halves of the comparisons; it is computed
    for batches of up to `SPLIT_HALF_COMPARISONS` comparisons.
    """

    model_config = ConfigDict(frozen=True)

    model_reliability: float
    mean_se: float
    max_se: float
    scale_separation: ScaleSeparation | None = None
    split_half: float | None = None


class JudgeFit(BaseModel):
    """One judge's verdicts: their number, ties and choices of the first essay, and misfit.

    `discrimination` is the factor by which the judge's logits differ from the jury's common scale:
    above 1 the judge tells essays apart more sharply. It is 1 for a judge alone.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    verdicts: int
    ties: int
    first_preferred: int
    discrimination: float = 1.0
    discrimination_se: float = 0.0
    infit: float
    outfit: float
    misfit_flags: list[MisfitFlag]


class Scores(BaseModel):
    """A fit of all verdicts so far."""

    model_config = ConfigDict(frozen=True)

    rankings: list[Ranking]
    reliability: Reliability
    order_effects: list[OrderEffect]
    audit: AuditReport
    components: int
    isolated_essays: int
    anchor_order: float | None = None


class Conclusion(BaseModel):
    """The last fit with everything that is said of it."""

    model_config = ConfigDict(frozen=True)

    scores: Scores
    projections: GradeProjections
    judges: list[JudgeFit]
    measurement: BatchMeasurement | None = None


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
