"""What the API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from assessment.domain.audit import AuditEntry
from assessment.domain.batch import Batch, BatchStatus, Outcome
from assessment.domain.comparison import Comparison, ComparisonTally
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.prompt import PromptBlock
from assessment.domain.release import Release


class BatchAccepted(BaseModel):
    """The answer to a request: where to look for progress and results."""

    batch_id: str
    status: str
    correlation_id: str
    links: dict[str, str]

    @classmethod
    def from_batch(cls, batch: Batch) -> Self:
        """The answer for a batch."""
        link = f"/v1/batches/{batch.batch_id}"
        return cls(
            batch_id=batch.batch_id,
            status=batch.status,
            correlation_id=batch.correlation_id,
            links={"self": link, "results": f"{link}/results"},
        )


class BatchSummary(BaseModel):
    """A batch in a list."""

    batch_id: str
    status: BatchStatus
    outcome: Outcome | None
    assignment_id: str | None
    correlation_id: str
    essays: int
    anchors: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_batch(cls, batch: Batch) -> Self:
        """The entry for a batch."""
        return cls.model_validate(batch.model_dump(include=set(cls.model_fields)))


class BatchList(BaseModel):
    """Batches, the newest first; ask again with `cursor` for more, until it is null."""

    batches: list[BatchSummary]
    cursor: str | None


class ComparisonList(BaseModel):
    """Comparisons by id in order, each as in `comparisons.jsonl`; `cursor` as in other lists."""

    batch_id: str
    comparisons: list[Comparison]
    cursor: str | None


class AuditPageView(BaseModel):
    """Entries of the audit trail, the newest first; `cursor` as in a list of batches."""

    entries: list[AuditEntry]
    cursor: str | None


class BatchAudit(BaseModel):
    """All entries of the audit trail about one batch, the oldest first."""

    batch_id: str
    entries: list[AuditEntry]


class WaveProgress(BaseModel):
    """One wave as its batch's reader sees it.

    `mean_se` is in logits, `standardised_se` in standard deviations of the abilities: what
    `target_mean_se` is compared with. `readings` are the essays that its new comparisons read,
    where there are lists among them: a comparison is one call, a reading one essay in it.
    `cost_usd` is what the batch had cost when the wave was scored, US dollars.
    """

    wave: int
    status: str
    planned: int
    readings: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    recorded: int
    failed: int
    mean_se: float | None = None
    standardised_se: float | None = None
    reliability: float | None = None
    reliability_interval: tuple[float, float] | None = None
    cost_usd: float | None = None
    closed_by: str | None = None


class JudgeTrouble(BaseModel):
    """A judge that does not answer now: since when, and why in the words of the last failure.

    `code` is the kind of that failure, as a problem document names it.
    """

    judge: str
    failing_since: datetime
    message: str
    code: str | None = None


class BatchProgress(BaseModel):
    """A batch as its reader sees it.

    `readings` are the essays that its comparisons read, where there are lists among them.
    """

    batch_id: str
    correlation_id: str
    assignment_id: str | None
    status: str
    outcome: str | None
    decision: dict[str, str] | None
    failure: dict[str, str] | None
    essays: int
    anchors: int
    comparisons: ComparisonTally
    readings: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    not_assessed: list[NotAssessed] = []
    judge_troubles: list[JudgeTrouble] = []
    waves: list[WaveProgress]
    config: dict[str, Any]
    config_sources: dict[str, str]
    result_sha256: str | None = None
    release: Release | None = None
    n_reminders: int = 0
    expires_at: str | None = None
    created_at: str
    updated_at: str


class RegisteredAnchor(BaseModel):
    """An anchor as the registration confirms it."""

    anchor_ref: str
    grade: str


class AnchorsRegistered(BaseModel):
    """The confirmation: all anchors that the assignment now has."""

    assignment_id: str
    registered: int
    grade_scale: tuple[str, ...]
    anchors: list[RegisteredAnchor]


class OfferedComparison(BaseModel):
    """A comparison for a person, until its lease ends; essay A is to be shown first."""

    comparison_id: str
    essay_a: Annotated[str, Field(repr=False)]
    essay_b: Annotated[str, Field(repr=False)]
    instructions: str
    student_prompt: str
    judge_rubric: str
    lease_until: datetime


class PersonOffer(BaseModel):
    """What a person is offered to judge, and how much is left.

    `comparison` is null when none waits for them now. `n_judged` counts their own verdicts;
    `n_waiting` those that the wave still waits for from anybody, without theirs. Nothing is asked
    after `judging_deadline`.
    """

    comparison: OfferedComparison | None
    n_judged: int
    n_waiting: int
    quota: int | None
    judging_deadline: datetime | None = None


class VerdictAccepted(BaseModel):
    """A person's verdict is queued.

    `offer` is what comes next, where the request asks for it; null where the next comparison
    has to be asked for, which then tells the reason.
    """

    status: Literal["accepted"]
    correlation_id: str
    offer: Annotated[PersonOffer | None, Field(exclude_if=lambda value: value is None)] = None


class EssayView(BaseModel):
    """An essay of a batch as its judges read it."""

    batch_id: str
    essay_id: str
    is_anchor: bool
    text: Annotated[str, Field(repr=False)]


class PromptView(BaseModel):
    """A comparison with what its judge was told about it and what the judge answered.

    `prompt` is about the comparison alone: where a judge was asked about several together, the
    others stood beside it.
    """

    batch_id: str
    comparison: Comparison
    judge: str
    prompt: Annotated[list[PromptBlock], Field(repr=False)]


class BatchFile(BaseModel):
    """A file of a batch, and a link to get it with, without a token."""

    name: str
    n_bytes: int
    link: Annotated[str, Field(repr=False)]


class BatchFiles(BaseModel):
    """The files of a batch by links, which open until `expires_at`."""

    batch_id: str
    files: list[BatchFile]
    expires_at: str
