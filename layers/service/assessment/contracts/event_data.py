"""What the `data` of every event holds. Fields are only ever added within one version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from assessment.domain.batch import BatchStatus, Outcome
from assessment.domain.decision import Decision
from assessment.domain.grading import DECIMALS
from assessment.domain.grading_result import GradeProjections
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.result import Ranking


class EventData(BaseModel):
    """What every event says: which batch it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_id: str


class WaveTally(BaseModel):
    """Comparisons of the batch so far, by what became of them."""

    model_config = ConfigDict(frozen=True)

    planned: int
    recorded: int
    failed: int


class WaveScored(EventData):
    """Progress: a wave was scored and decided upon.

    `mean_se` is in logits, `standardised_se` in standard deviations of the abilities: what
    `target_mean_se` is compared with.
    The reliability has a 90% interval. Both are null where the verdicts are evidence of a judge at
    chance.
    """

    wave: int
    decision: Decision
    comparisons: WaveTally
    mean_se: float | None
    standardised_se: float | None = None
    reliability: float | None
    reliability_interval: tuple[float, float] | None = None


class JudgeProgress(BaseModel):
    """A person who judges, by the name that results give them, and how far they are."""

    model_config = ConfigDict(frozen=True)

    judge: str
    n_judged: int
    quota: int | None


class JudgingReminder(EventData):
    """People are to be reminded: the batch waits for their verdicts until `judging_deadline`.

    `n_waiting` counts the first thousand comparisons that wait. `judges` are up to 500 people who
    were invited or have judged, and may judge still; those who have judged least come first.
    """

    assignment_id: str | None
    judging_deadline: AwareDatetime
    n_waiting: int
    judges: list[JudgeProgress]


class AssessmentCompleted(EventData):
    """The batch has a result, kept under `result_key` in the content bucket."""

    assignment_id: str | None
    status: BatchStatus
    outcome: Outcome
    result_sha256: str
    result_key: str
    not_assessed: list[NotAssessed] = []


class AbilityEstimate(BaseModel):
    """The Bradley-Terry figures of a student essay, in logits."""

    model_config = ConfigDict(frozen=True)

    bradley_terry_score: float
    bradley_terry_se: float
    comparison_count: int


class PublishedProjections(GradeProjections):
    """Grades with what subscribers need beside them, so that they need not join it by essay id.

    `bt_stats` repeats figures of `rankings`; `normalised_entropies` are 1 less the
    `confidence_scores`.
    """

    normalised_entropies: dict[str, float] = Field(default_factory=dict)
    bt_stats: dict[str, AbilityEstimate] = Field(default_factory=dict)

    @classmethod
    def from_result(cls, projections: GradeProjections, rankings: Sequence[Ranking]) -> Self:
        """The projections with the figures of the essays that they are about."""
        return cls(
            **projections.model_dump(),
            normalised_entropies={
                essay_id: round(1.0 - score, DECIMALS)
                for essay_id, score in projections.confidence_scores.items()
            },
            bt_stats={
                ranking.essay_id: AbilityEstimate(
                    bradley_terry_score=ranking.bradley_terry_score,
                    bradley_terry_se=ranking.bradley_terry_se,
                    comparison_count=ranking.comparison_count,
                )
                for ranking in rankings
                if ranking.essay_id in projections.primary_grades
            },
        )


class ResultPublished(AssessmentCompleted):
    """The result itself, or only where it is kept if it is too large for an event."""

    result_included: bool
    rankings: list[Ranking] | None
    grade_projections: PublishedProjections | None


class AssessmentReleased(EventData):
    """People released the grades; the decisions are kept under `decisions_key` in the bucket.

    `n_changed` grades are not those that the result of `result_sha256` proposes;
    `n_without_decision` are released as proposed, and nobody decided on them. `grades` are by
    essay id, null for an essay that gets none; they are left out where they are too many for an
    event.
    """

    assignment_id: str | None
    result_sha256: str
    decisions_sha256: str
    decisions_key: str
    two_assessors: bool
    n_essays: int
    n_changed: int
    n_without_decision: int
    grades_included: bool
    grades: dict[str, str | None] | None


class ErrorInfo(BaseModel):
    """What happened, why, and what to do; `code` is stable.

    `problem` is the kind of error as problem documents name it, where the error is one of ours, and
    `remedy_code` stands for the words of `what_to_do`. Either is null where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    what: str
    why: str
    what_to_do: str
    problem: str | None = None
    remedy_code: str | None = None


class AssessmentFailed(EventData):
    """The batch ended without a result, or the request never became a batch (REFUSED)."""

    assignment_id: str | None
    status: BatchStatus | Literal["REFUSED"]
    error_info: ErrorInfo
