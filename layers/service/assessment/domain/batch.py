"""A batch: one assessment run, its lifecycle as a table, and its budget."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from math import comb

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.access import DEFAULT_ORGANISATION, OrganisationId
from assessment.domain.config import BatchConfig, Source
from assessment.domain.decision import Decision
from assessment.domain.errors import STEP_REFUSALS, IllegalTransitionError, MissingDocumentError
from assessment.domain.judge import JudgeSpec
from assessment.domain.masking import MaskingRecord
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.release import Release


class BatchStatus(StrEnum):
    """Where a batch stands; the last three are final."""

    INITIALIZING = "INITIALIZING"
    GENERATING_PAIRS = "GENERATING_PAIRS"
    WAITING_CALLBACKS = "WAITING_CALLBACKS"
    SCORING = "SCORING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Outcome(StrEnum):
    """How a batch ended."""

    COMPLETE_STABLE = "COMPLETE_STABLE"
    COMPLETE_BUDGET = "COMPLETE_BUDGET"
    COMPLETE_SATURATED = "COMPLETE_SATURATED"
    COMPLETE_UNPROVEN = "COMPLETE_UNPROVEN"
    FAILED_CRITICALLY = "FAILED_CRITICALLY"
    FAILED_BY_DECISION = "FAILED_BY_DECISION"
    CANCELLED = "CANCELLED"


# A document can be brought back from the versions that the bucket keeps.
_MENDABLE = frozenset({MissingDocumentError.__name__})

FINAL_STATUSES = frozenset({BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.CANCELLED})

_ENDINGS = {BatchStatus.FAILED, BatchStatus.CANCELLED}
LEGAL_TRANSITIONS: dict[BatchStatus, frozenset[BatchStatus]] = {
    BatchStatus.INITIALIZING: frozenset({BatchStatus.GENERATING_PAIRS} | _ENDINGS),
    BatchStatus.GENERATING_PAIRS: frozenset(
        {BatchStatus.WAITING_CALLBACKS, BatchStatus.SCORING} | _ENDINGS
    ),
    BatchStatus.WAITING_CALLBACKS: frozenset({BatchStatus.SCORING} | _ENDINGS),
    BatchStatus.SCORING: frozenset(
        {BatchStatus.GENERATING_PAIRS, BatchStatus.COMPLETED} | _ENDINGS
    ),
    BatchStatus.COMPLETED: frozenset(),
    BatchStatus.FAILED: frozenset(),
    BatchStatus.CANCELLED: frozenset(),
}


def list_sources(target: BatchStatus) -> frozenset[BatchStatus]:
    """The statuses from which a batch may reach the target; what a conditional write demands."""
    return frozenset(s for s, targets in LEGAL_TRANSITIONS.items() if target in targets)


def check_transition(current: BatchStatus, target: BatchStatus) -> None:
    """Refuse a step that the lifecycle does not have.

    Raises
    ------
    IllegalTransitionError
        If the table of legal transitions has no such step.
    """
    if target not in LEGAL_TRANSITIONS[current]:
        raise IllegalTransitionError(f"a batch that is {current} cannot become {target}")


class Failure(BaseModel):
    """Why a batch failed: what happened, why, and what to do about it.

    `code` is a `Reason`, or the name of an error. `problem` is the kind of error as a problem
    document names it, where the error is one of ours; `remedy_code` is a code of the remedy, which
    pages have words for. Batches that failed before these were kept have neither.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    remedy: str
    problem: str | None = None
    remedy_code: str | None = None


class EssaySource(StrEnum):
    """Where the texts of a request's essays are: in itself, stored before, or in a manifest."""

    REQUEST = "request"
    CONTENT = "content"
    MANIFEST = "manifest"


class Batch(BaseModel):
    """The record of one assessment run."""

    model_config = ConfigDict(frozen=True)

    batch_id: str
    organisation: OrganisationId = DEFAULT_ORGANISATION
    status: BatchStatus
    correlation_id: str
    assignment_id: str | None = None
    config: BatchConfig
    config_sources: dict[str, Source]
    judges: tuple[JudgeSpec, ...] = (JudgeSpec(),)
    seed: int
    spec_hash: str | None = None
    request_sha256: str
    essay_source: EssaySource = EssaySource.REQUEST
    own_texts: tuple[str, ...] = ()
    """Which of the texts for the judge the request brought; the others are the assignment's."""
    masking: MaskingRecord | None = None
    """What was masked before the essays were stored."""
    essays: int = 0
    anchors: int = 0
    wave: int = 0
    outcome: Outcome | None = None
    decision: Decision | None = None
    failure: Failure | None = None
    not_assessed: tuple[NotAssessed, ...] = ()
    result_sha256: str | None = None
    cost_usd: float = 0.0
    """What its judges cost up to the latest decision."""
    callback_key: str = Field(default="", repr=False)
    failed_from: BatchStatus | None = None
    n_executions: int = 1
    n_decisions: int = 0
    release: Release | None = None
    has_erasures: bool = False
    n_reminders: int = 0
    """How often people were reminded that the batch waits for them, since the deadline moved."""
    deadline_moved_at: datetime | None = None
    expires_at: datetime | None = None
    """When it is erased by itself."""
    created_at: datetime
    updated_at: datetime

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more."""
        return self.status in FINAL_STATUSES

    @property
    def deadline_set_at(self) -> datetime:
        """When people were given the time that they have."""
        return self.deadline_moved_at or self.created_at

    def name_reminder(self, number: int) -> str:
        """A name that no reminder before the deadline moved has."""
        moved = self.deadline_moved_at
        return f"{number}" if moved is None else f"{number} since {moved.isoformat()}"

    @property
    def execution_name(self) -> str:
        """The name of the batch's latest execution; the first one has the batch's own id."""
        return self.batch_id if self.n_executions == 1 else f"{self.batch_id}-{self.n_executions}"

    @property
    def n_essays(self) -> int:
        """Students and anchors together."""
        return self.essays + self.anchors


def find_resumed_status(batch: Batch) -> BatchStatus:
    """The status that a failed batch goes back to when it is resumed.

    The one way out of a final status: it is open to a batch that failed by a fault around it
    (a service, a worker, a right that was missing), at the place where it stood. A decision about
    its verdicts and a refusal of its request would be the same again.

    Raises
    ------
    IllegalTransitionError
        If the batch did not fail, or failed for a reason that stays.
    """
    if batch.status is not BatchStatus.FAILED:
        raise IllegalTransitionError(f"status: a batch that is {batch.status} cannot be resumed")
    code = batch.failure.code if batch.failure else ""
    lasting = batch.outcome is not Outcome.FAILED_CRITICALLY or code in STEP_REFUSALS - _MENDABLE
    if lasting or batch.failed_from is None:
        raise IllegalTransitionError(
            f"status: the batch failed for a reason that a repeat does not change ({code}); "
            "request it again under a new idempotency key"
        )
    return batch.failed_from


class WaveStatus(StrEnum):
    """Where a wave stands."""

    PLANNED = "PLANNED"
    SUBMITTED = "SUBMITTED"
    SCORED = "SCORED"


class ClosedBy(StrEnum):
    """What ended the waiting for a wave's callbacks."""

    CALLBACKS = "callbacks"
    DEADLINE = "deadline"
    TIMEOUT = "timeout"
    WATCH = "watch"


class WaveScore(BaseModel):
    """What the fit after a wave says about the whole batch.

    `mean_se` and `max_se` are in logits, `standardised_se` and `max_score_change` in standard
    deviations of the abilities. `cost_usd` is what all of it had cost by then, US dollars.
    """

    model_config = ConfigDict(frozen=True)

    mean_se: float
    max_se: float
    standardised_se: float | None = None
    max_score_change: float | None
    reliability: float | None
    reliability_interval: tuple[float, float] | None = None
    recorded: int
    failed: int
    cost_usd: float | None = None


def possible_pairs(n_essays: int) -> int:
    """How many different pairs there are."""
    return comb(n_essays, 2)


def find_cap_per_essay(config: BatchConfig) -> int:
    """How often an essay may be read."""
    most = config.max_comparisons_per_essay
    readings = config.max_readings_per_essay
    return most if readings is None else min(most, readings)


def budget(config: BatchConfig, n_essays: int) -> int:
    """The most pairs the batch may plan, or as many readings in lists: a cap, not a duty."""
    per_essay = find_cap_per_essay(config)
    return min(config.max_pairwise_comparisons, per_essay * n_essays // 2)


def count_reachable_pairs(config: BatchConfig, n_essays: int, *, list_size: int = 2) -> int:
    """How many pairs the budget's readings meet in lists of this size: in each of k - 1 others."""
    return budget(config, n_essays) * (min(list_size, n_essays) - 1)


def completion_denominator(config: BatchConfig, n_essays: int, *, list_size: int = 2) -> int:
    """How many different pairs would make the batch complete."""
    return min(
        count_reachable_pairs(config, n_essays, list_size=list_size), possible_pairs(n_essays)
    )


def compute_wave_size(config: BatchConfig, n_essays: int) -> int:
    """How many comparisons a whole wave has; at least one."""
    return max(1, config.comparisons_per_essay_per_wave * n_essays // 2)
