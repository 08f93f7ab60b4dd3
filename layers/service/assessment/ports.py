"""What the use cases need from the outside world, named by the need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from assessment.contracts.events import Envelope
from assessment.contracts.llm_protocol import (
    CompareRequestV1,
    JudgeMessage,
    JudgeRequestV1,
    LLMComparisonResultV1,
    PromptBlock,
    WaveDeadlineV1,
)
from assessment.domain.batch import Batch, BatchStatus, ClosedBy, WaveScore, WaveStatus
from assessment.domain.comparison import Comparison, JudgeFailure, PlannedPair, Settlement
from assessment.domain.config import BatchConfig
from assessment.domain.decision import ContinuationContext, Decision
from assessment.domain.essay import Anchor
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading_history import AnchorHistory, BatchMeasurement
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import EssayPair, JudgeInstructions
from assessment.domain.provider_batch import ProviderBatch, Tried
from assessment.domain.result import Conclusion, Scores
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Verdict


class Wave(BaseModel):
    """A wave as it is stored: the plan is written once, the rest as the wave goes on.

    The pairs themselves are a document under `plan_key`: a large wave's plan would not fit into
    one item of the table.
    """

    model_config = ConfigDict(frozen=True)

    wave: int
    status: WaveStatus = WaveStatus.PLANNED
    plan_key: str | None = None
    new_pairs: int = 0
    retried: list[str] = []
    task_token: str | None = None
    markers_written: bool = False
    messages_sent: bool = False
    deadline: datetime | None = None
    closed_by: ClosedBy | None = None
    score: WaveScore | None = None
    context: ContinuationContext | None = None
    decision: Decision | None = None
    unjudged: list[str] = []
    scored_at: datetime | None = None

    @property
    def planned(self) -> int:
        """How many comparisons the wave submits."""
        return self.new_pairs + len(self.retried)


class Assignment(BaseModel):
    """What is registered for an assignment."""

    model_config = ConfigDict(frozen=True)

    assignment_id: str
    instructions: JudgeInstructions
    grade_scale: GradeScale
    anchors: list[Anchor] = []
    population: PopulationPrior | None = None
    config: dict[str, Any] = {}


class AssignmentStore(Protocol):
    """Instructions and anchors by assignment."""

    def put_assignment(self, assignment: Assignment) -> None:
        """Create or replace the assignment; anchors are added or replaced by reference."""

    def get_assignment(self, assignment_id: str) -> Assignment | None:
        """The assignment with all its anchors, by reference in order; None if unknown."""

    def put_measurement(
        self, assignment_id: str, judge_spec_hash: str, measurement: BatchMeasurement
    ) -> None:
        """Keep what a batch measured of the anchors; the first of one specification stays."""

    def get_history(self, assignment_id: str, judge_spec_hash: str) -> AnchorHistory:
        """What batches under this judge specification measured, the oldest first."""


class BatchStore(Protocol):
    """Batches, their essays and their waves. Every write is idempotent or conditional."""

    def create_batch(self, batch: Batch) -> bool:
        """Store a new batch and list it as active; False if the id exists already."""

    def get_batch(self, batch_id: str) -> Batch:
        """The batch, strongly consistent; raises UnknownBatchError."""

    def transition(
        self, batch_id: str, target: BatchStatus, *, now: datetime, **changes: Any
    ) -> Batch:
        """Move to a status if the table of transitions allows it, with further changes.

        Repeating a step that was made already changes nothing. Raises IllegalTransitionError.
        """

    def active_batches(self) -> list[str]:
        """The ids of all batches that have not ended."""

    def put_wave(self, batch_id: str, wave: Wave) -> Wave:
        """Store a new wave; if it exists, change nothing and return the stored one."""

    def get_wave(self, batch_id: str, wave: int) -> Wave | None:
        """The wave, strongly consistent."""

    def list_waves(self, batch_id: str) -> list[Wave]:
        """All waves of the batch in order, without their plans."""

    def update_wave(self, batch_id: str, wave: int, **changes: Any) -> None:
        """Set attributes of a wave."""


class ComparisonStore(Protocol):
    """Comparisons, their verdicts, and what a wave still waits for."""

    def put_comparisons(self, batch_id: str, comparisons: Sequence[Comparison]) -> None:
        """Store those that do not exist yet; never touch one that does."""

    def get_comparison(self, batch_id: str, wave: int, comparison_id: str) -> Comparison:
        """One comparison, strongly consistent; raises UnknownComparisonError."""

    def list_comparisons(self, batch_id: str, waves: int) -> list[Comparison]:
        """All comparisons of waves 1 to `waves`, by id in order."""

    def resubmit(self, batch_id: str, comparison: Comparison, *, wave: int) -> None:
        """Move a failed comparison into a later wave with its attempt raised by one.

        Changes nothing when it was moved there already or has a verdict by now.
        """

    def put_pending(self, batch_id: str, wave: int, comparisons: Sequence[Comparison]) -> None:
        """Mark the comparisons as awaited by the wave."""

    def clear_mark_if_settled(self, batch_id: str, wave: int, comparison: Comparison) -> None:
        """Remove the wave's mark of a comparison that is settled by now."""

    def list_pending(self, batch_id: str, wave: int) -> list[str]:
        """The ids of the comparisons the wave still waits for, strongly consistent."""

    def any_pending(self, batch_id: str, wave: int) -> bool:
        """Whether the wave waits for anything, strongly consistent."""

    def lease(self, request: JudgeRequestV1, *, now: datetime, seconds: int) -> Comparison | None:
        """Take the comparison for one judge call; None if it is settled or sent.

        Raises ComparisonLeasedError while another delivery holds the lease.
        """

    def mark_sent(self, request: JudgeRequestV1) -> None:
        """The judge has the comparison: it must not be paid again in this attempt."""

    def release(self, request: JudgeRequestV1) -> None:
        """Give the lease back, because nothing was paid."""

    def record_verdict(
        self, batch_id: str, wave: int, comparison_id: str, verdict: Verdict, *, now: datetime
    ) -> Settlement:
        """Record a first verdict and remove the pending marker in one transaction.

        Not settled if a verdict was recorded before; raises UnknownComparisonError.
        """

    def record_failure(
        self,
        batch_id: str,
        wave: int,
        comparison_id: str,
        failure: JudgeFailure,
        *,
        attempt: int,
        timed_out: bool = False,
        now: datetime,
    ) -> Settlement:
        """Record that this attempt failed, unless it is settled or a later attempt runs."""


class ContentStore(Protocol):
    """Essay texts by content hash, and documents by key."""

    def put_text(self, text: str) -> str:
        """Store a text under its SHA-256 and return that."""

    def get_text(self, sha256: str) -> str:
        """The text with this hash."""

    def put_document(self, key: str, body: str, *, content_type: str = "application/json") -> None:
        """Store a document."""

    def get_document(self, key: str) -> str | None:
        """The document, or None."""

    def get_frozen_document(self, key: str) -> str:
        """A document that never changes once it exists, so it may come from a cache."""


class JudgeQueue(Protocol):
    """The way to call_judge."""

    def send(self, messages: Sequence[JudgeMessage]) -> None:
        """Queue comparisons, singly or as a provider's batch, for judging."""

    def send_later(self, message: JudgeMessage, *, seconds: int) -> None:
        """Queue a message anew, with its deliveries counted from zero, to be seen later."""

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Let a received message come back after this time instead of the queue's own."""


class CallbackQueue(Protocol):
    """The one way in for verdicts."""

    @property
    def address(self) -> str:
        """The queue's URL, as an endpoint needs it."""

    def send_result(self, result: LLMComparisonResultV1) -> None:
        """Hand a verdict or an error to record_callback."""

    def send_results(self, results: Sequence[LLMComparisonResultV1]) -> None:
        """Hand many over; raises TransientError if any was not taken, and all may be sent again."""

    def send_deadline(self, deadline: WaveDeadlineV1, *, delay_seconds: int) -> None:
        """Come back to the wave later."""


class PersonLeases(Protocol):
    """Who holds which comparison, and how much each person has done."""

    def take(
        self, batch_id: str, comparison_id: str, person: str, *, until: datetime, now: datetime
    ) -> bool:
        """Lease a comparison to a person, or prolong their lease; False if another holds it."""

    def holder(self, batch_id: str, comparison_id: str, *, now: datetime) -> str | None:
        """Who holds the comparison."""

    def given(self, batch_id: str, person: str) -> set[str]:
        """The comparisons of the batch that the person gave a verdict on."""

    def count(self, batch_id: str, person: str, comparison_id: str) -> None:
        """Count a verdict of the person; the same comparison counts once."""


class SeenSignatures(Protocol):
    """Signatures that were accepted lately."""

    def was_seen(self, signature: str) -> bool:
        """Whether the signature was accepted before."""

    def remember(self, signature: str, *, until: datetime) -> None:
        """Mark it as accepted until it could not be used again anyway."""


class Judge(Protocol):
    """Whoever decides which essay is better."""

    async def compare(
        self, requests: Sequence[CompareRequestV1]
    ) -> Sequence[LLMComparisonResultV1 | None]:
        """What one call says of these comparisons, in their order.

        They share one prompt. A result may be an error; None is a verdict that comes later by
        callback. Raises JudgeUnavailableError or JudgeRefusedError if the whole call failed.
        """


class BatchJudge(Protocol):
    """A provider that takes many comparisons together and answers within a day."""

    async def find(self, tried: Tried, *, claimed: Callable[[str], bool]) -> str | None:
        """The provider's id of a submission that may have arrived.

        `claimed` tells which ids are known to be of other submissions. Raises
        JudgeDeferredError if it cannot be told yet.
        """

    async def submit(self, name: str, requests: Sequence[CompareRequestV1]) -> str:
        """Hand the comparisons over, each with its own prompt; the provider's id of the batch."""

    async def ended(self, provider_batch_id: str) -> bool:
        """Whether the provider will add nothing more to the batch."""

    async def results(
        self, provider_batch_id: str, requests: Sequence[CompareRequestV1]
    ) -> Sequence[LLMComparisonResultV1]:
        """A result for every comparison, an error where the batch has no verdict."""

    async def cancel(self, provider_batch_id: str) -> None:
        """Ask the provider to begin no more of it; what was answered stays."""

    async def forget(self, provider_batch_id: str) -> None:
        """Delete what the provider keeps of the batch, essays and answers, where it can be."""


class ProviderBatchStore(Protocol):
    """What is known of submissions to providers' batches."""

    def take(self, batch_id: str, name: str, *, now: datetime, seconds: int) -> ProviderBatch:
        """The record, new or stored, held for so long by whoever took it.

        Raises ComparisonLeasedError while somebody else holds it.
        """

    def update(self, batch_id: str, name: str, **changes: Any) -> ProviderBatch:
        """Set attributes of a record that is held."""

    def give_back(self, batch_id: str, name: str) -> None:
        """Let the next one take it at once."""

    def claim(self, provider_batch_id: str, *, now: datetime) -> None:
        """Remember that this batch of the provider belongs to a known submission."""

    def is_claimed(self, provider_batch_id: str) -> bool:
        """Whether it does."""


class Judges(Protocol):
    """All providers."""

    def batches_of(self, judge: JudgeSpec) -> BatchJudge:
        """Whoever takes this judge's batches; raises JudgeRefusedError if its key is missing."""

    def of(self, judge: JudgeSpec) -> Judge:
        """Whoever answers for this judge; raises JudgeRefusedError if its key is missing."""


class JudgeCheck(Protocol):
    """What can be known of a judge before it is asked."""

    def check(self, judge: JudgeSpec) -> None:
        """Raise InvalidRequestError if its template or its secret would fail later."""


class Prompts(Protocol):
    """The templates of prompts."""

    def render(
        self,
        judge: JudgeSpec,
        instructions: JudgeInstructions,
        pairs: Sequence[EssayPair],
        *,
        bundle: bool,
    ) -> list[PromptBlock]:
        """The prompt about these pairs; raises InvalidRequestError if it does not render."""


class JudgeGate(Protocol):
    """Who may be asked now: circuit breakers and rate limits, shared by all workers."""

    def admit(self, judge: JudgeSpec, *, tokens: int, now: datetime) -> None:
        """Count a call about to be made; raises JudgeDeferredError if it must wait."""

    def succeeded(self, judge: JudgeSpec) -> None:
        """The provider answered."""

    def failed(self, judge: JudgeSpec, *, retry_after: float | None, now: datetime) -> None:
        """The provider did not answer."""


class Workflow(Protocol):
    """The state machine."""

    def start(self, batch_id: str) -> None:
        """Start the batch's execution; starting it twice is one start."""

    def wave_closed(self, token: str, output: dict[str, Any]) -> None:
        """Wake the execution; a token that is settled already is not an error."""

    def wave_failed(self, token: str, *, error: str, cause: str) -> None:
        """Fail the waiting state; a token that is settled already is not an error."""

    def is_running(self, batch_id: str) -> bool:
        """Whether an execution of the batch is running."""

    def redrive(self, batch_id: str) -> bool:
        """Restart a failed execution from its failed state; False if that cannot be done."""

    def stop(self, batch_id: str, *, cause: str) -> None:
        """End the batch's execution if it runs."""


class EventPublisher(Protocol):
    """The event bus."""

    def publish(self, events: Sequence[Envelope]) -> None:
        """Publish all events, or raise TransientError so that all are published again."""


class Statistics(Protocol):
    """The maths, on the essays of one specification and the comparisons made of them."""

    def plan(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        seed: int,
        wave: int,
        size: int,
    ) -> list[PlannedPair]:
        """The next wave's new pairs, at most `size`; none when every pair was used."""

    def score(
        self, spec: BatchSpec, comparisons: Sequence[Comparison], *, config: BatchConfig
    ) -> Scores:
        """Abilities with standard errors; raises ScoringFailedError."""

    def conclude(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        measured_at: str = "",
    ) -> Conclusion:
        """The last fit with grades, rank intervals and reliabilities; raises ScoringFailedError.

        `measured_at` dates the batch's measurement of its anchors.
        """
