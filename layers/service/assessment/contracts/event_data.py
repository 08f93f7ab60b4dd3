"""What the `data` of every event holds. Fields are only ever added within one version."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import BatchStatus, Outcome
from assessment.domain.decision import Decision
from assessment.domain.grading_result import GradeProjections
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
    """Progress: a wave was scored and decided upon; the mean standard error is in logits."""

    wave: int
    decision: Decision
    comparisons: WaveTally
    mean_se: float | None
    reliability: float | None


class AssessmentCompleted(EventData):
    """The batch has a result, kept under `result_key` in the content bucket."""

    assignment_id: str | None
    status: BatchStatus
    outcome: Outcome
    result_sha256: str
    result_key: str


class ResultPublished(AssessmentCompleted):
    """The result itself, or only where it is kept if it is too large for an event."""

    result_included: bool
    rankings: list[Ranking] | None
    grade_projections: GradeProjections | None


class ErrorInfo(BaseModel):
    """What happened, why, and what to do; `code` is stable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    what: str
    why: str
    what_to_do: str


class AssessmentFailed(EventData):
    """The batch ended without a result, or the request never became a batch (REFUSED)."""

    assignment_id: str | None
    status: BatchStatus | Literal["REFUSED"]
    error_info: ErrorInfo
