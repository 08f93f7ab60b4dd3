"""What a batch ends in: rankings, grade projections, reliability, all with their uncertainty."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import Outcome
from assessment.domain.comparison import ComparisonTally
from assessment.domain.decision import Decision
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.llm_protocol import TokenUsage

RESULT_SCHEMA_VERSION = 1
HIGH_BELOW = 0.35
MID_BELOW = 0.65


class Confidence(StrEnum):
    """How concentrated a grade distribution is."""

    HIGH = "HIGH"
    MID = "MID"
    LOW = "LOW"


def confidence_label(normalised_entropy: float) -> Confidence:
    """HIGH below an entropy of .35, MID below .65, otherwise LOW."""
    if normalised_entropy < HIGH_BELOW:
        return Confidence.HIGH
    return Confidence.MID if normalised_entropy < MID_BELOW else Confidence.LOW


class Ranking(BaseModel):
    """One essay's place on the scale; abilities and standard errors are in logits."""

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


class AnchorHealth(BaseModel):
    """What the calibration thinks of one anchor; a weight below .5 suggests a misgrade."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    grade: str
    weight: float
    residual: float


class CalibrationInfo(BaseModel):
    """How grades were attached to the ability scale."""

    model_config = ConfigDict(frozen=True)

    method: str
    boundaries: dict[str, float]
    boundary_se: dict[str, float]
    grade_centres: dict[str, float]
    anchors: list[AnchorHealth]
    extrapolated_grades: list[str]
    warnings: list[str]


class GradeProjections(BaseModel):
    """The probability of every grade for every student essay, or why there is none."""

    model_config = ConfigDict(frozen=True)

    projections_available: bool
    reason: str | None = None
    grade_scale: list[str] = []
    primary_grades: dict[str, str] = {}
    grade_probabilities: dict[str, dict[str, float]] = {}
    confidence_labels: dict[str, Confidence] = {}
    confidence_scores: dict[str, float] = {}
    needs_more_evidence: list[str] = []
    calibration_info: CalibrationInfo | None = None


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


class Reliability(BaseModel):
    """Reliability figures, every one under its own name."""

    model_config = ConfigDict(frozen=True)

    model_reliability: float
    separation_reliability: float | None = None
    mean_se: float
    max_se: float


class Scores(BaseModel):
    """A fit of all verdicts so far; abilities and standard errors are in logits."""

    model_config = ConfigDict(frozen=True)

    rankings: list[Ranking]
    reliability: Reliability
    order_effects: list[OrderEffect]
    audit: AuditReport
    components: int
    isolated_essays: int
    anchor_order: float | None = None


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
    rankings: list[Ranking]
    grade_projections: GradeProjections
    reliability: Reliability
    audit: AuditReport
    order_effects: list[OrderEffect]
    judges: list[str]
    essay_flags: dict[str, list[EssayFlag]] = {}
    excluded_essays: list[str] = []
    token_usage: TokenUsage = TokenUsage()
    cost_usd: float
    repeated_calls: int = 0
    config: dict[str, Any]
    config_sources: dict[str, str]
    spec_hash: str
    seed: int
    versions: dict[str, str]
