"""Grade projections: the probability of every grade, and how the anchors placed the grades.

Abilities, boundaries, residuals and standard errors are in logits.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.grading import GradeRule
from assessment.domain.grading_prior import PopulationPrior

HIGH_BELOW = 0.35
MID_BELOW = 0.65
HIGH_FROM = 0.75


class Confidence(StrEnum):
    """How sure the likeliest grade is."""

    HIGH = "HIGH"
    MID = "MID"
    LOW = "LOW"


def confidence_label(normalised_entropy: float, likeliest: float) -> Confidence:
    """The label of a grade distribution.

    Parameters
    ----------
    normalised_entropy
        Entropy over the logarithm of the number of grades: 0 certain, 1 no idea.
    likeliest
        Probability of the likeliest grade.

    Returns
    -------
    Confidence
        HIGH below an entropy of .35 if the likeliest grade has at least .75, MID below .65,
        otherwise LOW. Entropy alone calls a toss between two of eight grades HIGH (.33).
    """
    if normalised_entropy < HIGH_BELOW and likeliest >= HIGH_FROM:
        return Confidence.HIGH
    return Confidence.MID if normalised_entropy < MID_BELOW else Confidence.LOW


class NoGradesReason(StrEnum):
    """Why a batch has no grades.

    It has no anchors; all of them have one grade; anchors with higher grades were judged worse;
    the anchors' abilities do not rise with their grades; the verdicts are too few to tell the judge
    from one who ignores the essays; the ranking is not reliable enough.
    """

    NO_ANCHORS = "no_anchors"
    ONE_GRADE = "one_anchor_grade"
    REVERSED = "anchors_reversed"
    UNORDERED = "anchors_unordered"
    FEW_VERDICTS = "too_few_verdicts"
    UNRELIABLE = "reliability_too_low"


class NoGrades(BaseModel):
    """Why there are no grades: the code, and the same in English with the figures."""

    model_config = ConfigDict(frozen=True)

    code: NoGradesReason
    message: str


class AnchorHealth(BaseModel):
    """What the calibration thinks of one anchor.

    A `weight` below .5 suggests a misgrade. `residual` is its ability less the centre of its grade,
    and `misorder` counts the anchors of other grades on whose wrong side it lies. `boundary_shift`
    is the most that any boundary moves without it (None if none can be placed without it).
    """

    model_config = ConfigDict(frozen=True)

    essay_id: str
    anchor_ref: str | None = None
    grade: str
    weight: float
    residual: float
    misorder: int = 0
    boundary_shift: float | None = None


class CalibrationFinding(BaseModel):
    """Something about the anchors that a reader should know; `anchors` are essay ids."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    anchors: list[str] = []


class CalibrationCheck(BaseModel):
    """How well each anchor is graded by the others, leaving it out.

    `rps` is the ranked probability score (0 best, 1 worst), `ece` the expected calibration error of
    the likeliest grade; with a dozen anchors both are rough.
    """

    model_config = ConfigDict(frozen=True)

    anchors: int
    rps: float | None
    ece: float | None


class AnchorDrift(BaseModel):
    """How far an anchor has moved against the others since earlier batches."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    moved: float
    standard_error: float


class AnchorHistoryReport(BaseModel):
    """What earlier batches of the assignment under the same judge added to the anchors."""

    model_config = ConfigDict(frozen=True)

    batches: int
    drift_sd: float
    anchors: list[AnchorDrift]


class SetCalibration(BaseModel):
    """Where the line of `calibrated_sets` lies, and what it rests on.

    `target` is the share of essays whose set is to hold their grade, `least_probability` what a
    grade of a set must have. `expected_coverage` is what model and anchors together expect;
    `guaranteed_coverage` holds on average even if the probabilities are wrong, for essays like the
    anchors of their grade, if the shares of the grades are right. `anchors` were graded by the
    others, `anchors_held` of them had their own grade in the set, `earlier_anchors` were measured
    by earlier batches only; `effective_anchors` is what all are worth for students spread as these
    are.
    """

    model_config = ConfigDict(frozen=True)

    target: float
    least_probability: float
    expected_coverage: float
    guaranteed_coverage: float
    anchors: int
    anchors_held: int
    earlier_anchors: int
    effective_anchors: float


class CalibrationInfo(BaseModel):
    """How grades were attached to the ability scale.

    `anchor_spread` is how far anchors lie from the centres of their grades, in grade widths; about
    .3 where graders agree.
    """

    model_config = ConfigDict(frozen=True)

    method: str
    boundaries: dict[str, float]
    boundary_se: dict[str, float]
    grade_centres: dict[str, float]
    anchors: list[AnchorHealth]
    extrapolated_grades: list[str]
    warnings: list[str]
    findings: list[CalibrationFinding] = []
    self_check: CalibrationCheck | None = None
    anchor_spread: float | None = None
    population: PopulationPrior | None = None
    history: AnchorHistoryReport | None = None


class GradeProjections(BaseModel):
    """The probability of every grade for every student essay, or why there is none.

    `reason` says in English why, `reason_code` is one of `NoGradesReason` (absent from results of
    schema version 2). All dictionaries are by essay id. `primary_grades` follow `grade_rule`.
    `confidence_scores` are 1 less the normalised entropy. Each of `grade_sets` holds 90% of its
    essay's probability;
    `calibrated_sets` hold the grade of 90% of the batch's essays, see `SetCalibration`; they are
    made of `set_probabilities`, which take grades for as common as they are in the class, or of
    `grade_probabilities` where there are none.
    `refined_grades` have the minus of the scales that refine; `further_comparisons` estimates, for
    each essay that needs more evidence, how many comparisons would give it (None: not comparisons
    but anchors are missing).
    """

    model_config = ConfigDict(frozen=True)

    projections_available: bool
    reason: str | None = None
    reason_code: str | None = None
    grade_scale: list[str] = []
    grade_rule: GradeRule | None = None
    primary_grades: dict[str, str] = {}
    grade_probabilities: dict[str, dict[str, float]] = {}
    confidence_labels: dict[str, Confidence] = {}
    confidence_scores: dict[str, float] = {}
    grade_sets: dict[str, list[str]] = {}
    calibrated_sets: dict[str, list[str]] = {}
    set_probabilities: dict[str, dict[str, float]] = {}
    set_calibration: SetCalibration | None = None
    refined_grades: dict[str, str] = {}
    pass_probabilities: dict[str, float] = {}
    needs_more_evidence: list[str] = []
    further_comparisons: dict[str, int | None] = {}
    calibration_info: CalibrationInfo | None = None


def refuse_grades(why: NoGrades) -> GradeProjections:
    """No grades, for this reason."""
    return GradeProjections(projections_available=False, reason=why.message, reason_code=why.code)


def withhold(projections: GradeProjections, why: NoGrades) -> GradeProjections:
    """No grades, for this reason; where there were none before, for the reason given then."""
    return refuse_grades(why) if projections.projections_available else projections
