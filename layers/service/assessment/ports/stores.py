"""Stores: assignments, batches, waves, comparisons, audit trail, provider batches, signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.assignment import Assignment
from assessment.domain.audit import AuditEntry
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison, JudgeFailure, Settlement
from assessment.domain.config import BatchConfig, Source
from assessment.domain.grading_history import AnchorHistory, BatchMeasurement
from assessment.domain.invitation import Person
from assessment.domain.judge import JudgeSpec
from assessment.domain.provider_batch import ProviderBatch
from assessment.domain.verdict import ListVerdict, Verdict
from assessment.domain.wave import Wave
from assessment.ports.people import PeopleQueue


class AssignmentPage(NamedTuple):
    """Assignments without their anchors, and the id that the next page begins after, if any."""

    assignments: list[Assignment]
    cursor: str | None


class AssignmentStore(Protocol):
    """Instructions and anchors by assignment."""

    def put_assignment(self, assignment: Assignment) -> None:
        """Create or replace the assignment; anchors are added or replaced by reference."""

    def get_assignment(self, assignment_id: str) -> Assignment | None:
        """The assignment with all its anchors, by reference in order; None if unknown."""

    def list_assignments(self, *, limit: int, after: str | None) -> AssignmentPage:
        """The next assignments by id in order, without their anchors."""

    def delete_assignment(self, assignment_id: str) -> bool:
        """Remove it with its anchors; False if nothing of it was there.

        What batches measured of its anchors stays: it holds no text, and counts again only for
        the same texts.
        """

    def delete_anchor(self, assignment_id: str, anchor_ref: str) -> bool:
        """Remove an anchor; False if there is none with this reference."""

    def put_measurement(
        self, assignment_id: str, judge_spec_hash: str, measurement: BatchMeasurement
    ) -> None:
        """Keep what a batch measured of the anchors; the first of one specification stays."""

    def get_history(self, assignment_id: str, judge_spec_hash: str) -> AnchorHistory:
        """What batches under this judge specification measured, the oldest first."""


class KeyClaim(NamedTuple):
    """The batch and the request that an idempotency key stands for."""

    batch_id: str
    request_sha256: str


class BatchFilter(NamedTuple):
    """Which batches are wanted: all that fit every value that is given."""

    status: BatchStatus | None = None
    assignment_id: str | None = None
    created_since: datetime | None = None
    created_before: datetime | None = None


class BatchPage(NamedTuple):
    """Batches, the newest first, and where the next page begins; None after the last."""

    batches: list[Batch]
    cursor: str | None


class ComparisonPage(NamedTuple):
    """Comparisons by id in order, and the id after which the next page begins; None at the end."""

    comparisons: list[Comparison]
    cursor: str | None


class AuditPage(NamedTuple):
    """Entries, the newest first, and where the next page begins; None after the last."""

    entries: list[AuditEntry]
    cursor: str | None


class AuditTrail(Protocol):
    """Who changed what of an organisation, and when: entries are added, never changed."""

    def append(self, entry: AuditEntry) -> None:
        """Add an entry."""

    def list_entries(self, *, limit: int, cursor: str | None) -> AuditPage:
        """The next entries, the newest first."""

    def list_of_batch(self, batch_id: str) -> list[AuditEntry]:
        """All entries about a batch, the oldest first."""


class ActiveBatches(Protocol):
    """The batches of all organisations that have not ended."""

    def list_active_batches(self) -> list[str]:
        """The ids of all batches that have not ended, those first that wait longest for a look."""

    def note_look(self, batch_id: str, *, now: datetime) -> None:
        """Remember when the batch was looked at, if it is still listed as active."""


class BatchStore(ActiveBatches, Protocol):
    """Batches, their essays and their waves. Every write is idempotent or conditional."""

    def claim_key(self, key: str, *, batch_id: str, request_sha256: str) -> KeyClaim:
        """Let the key stand for this batch; if it was claimed before, what it stands for."""

    def create_batch(self, batch: Batch) -> bool:
        """Store a new batch and list it as active; False if the id exists already."""

    def get_batch(self, batch_id: str) -> Batch:
        """The batch, strongly consistent; raises UnknownBatchError."""

    def list_batches(self, wanted: BatchFilter, *, limit: int, cursor: str | None) -> BatchPage:
        """The next batches of the organisation that fit, the newest first, at most `limit`.

        A page may have fewer, or none, though there are more: `cursor` tells.
        """

    def count_batches(self, *, since: datetime, limit: int) -> int:
        """How many batches the organisation has requested since; counting ends at `limit`."""

    def get_callback_key(self, batch_id: str) -> str:
        """The key of the batch's callback tokens, which never changes; raises UnknownBatchError."""

    def get_judges(self, batch_id: str) -> tuple[JudgeSpec, ...]:
        """The batch's judges, which never change; raises UnknownBatchError."""

    def transition(
        self, batch_id: str, target: BatchStatus, *, now: datetime, **changes: Any
    ) -> Batch:
        """Move to a status if the table of transitions allows it, with further changes.

        Repeating a step that was made already changes nothing. Raises IllegalTransitionError.
        """

    def resume(self, batch_id: str, *, now: datetime) -> Batch:
        """Take a failed batch back to where it stood, with a new execution to come.

        Raises UnknownBatchError, IllegalTransitionError.
        """

    def renew_execution(self, batch: Batch) -> Batch:
        """Give the batch the name of a further execution, once for each that it has had.

        Changes nothing if the batch moved on since it was read; the batch as it stands.
        """

    def note_reminders(self, batch_id: str, n_reminders: int) -> None:
        """Note how many reminders went out, unless more are noted already."""

    def move_deadline(
        self, batch_id: str, config: BatchConfig, sources: Mapping[str, Source], *, now: datetime
    ) -> Batch:
        """Store the configuration with another deadline of people, and count reminders anew.

        Raises UnknownBatchError, and IllegalTransitionError if the batch has ended.
        """

    def put_wave(self, batch_id: str, wave: Wave) -> Wave:
        """Store a new wave; if it exists, change nothing and return the stored one."""

    def get_wave(self, batch_id: str, wave_number: int) -> Wave | None:
        """The wave, strongly consistent."""

    def list_waves(self, batch_id: str) -> list[Wave]:
        """All waves of the batch in order, without their plans."""

    def read_with_waves(self, batch_id: str) -> tuple[Batch, list[Wave]]:
        """The batch, and its waves as in `list_waves`, in one read; raises UnknownBatchError."""

    def read_with_person(self, batch_id: str, name: str) -> tuple[Batch, Person]:
        """The batch, and a person as it knows them, in one read; raises UnknownBatchError."""

    def count_settled(
        self, batch_id: str, wave_number: int, *, n_recorded: int, n_failed: int
    ) -> None:
        """Add to the wave's counts of comparisons that have a verdict, and that failed."""

    def update_wave(self, batch_id: str, wave_number: int, **changes: Any) -> None:
        """Set attributes of a wave."""


class ComparisonStore(PeopleQueue, Protocol):
    """Comparisons, their verdicts, and what a wave still waits for."""

    def put_comparisons(self, batch_id: str, comparisons: Sequence[Comparison]) -> None:
        """Store those that do not exist yet; never touch one that does."""

    def get_comparison(self, batch_id: str, wave_number: int, comparison_id: str) -> Comparison:
        """One comparison, strongly consistent; raises UnknownComparisonError."""

    def list_comparisons(self, batch_id: str, n_waves: int) -> list[Comparison]:
        """All comparisons of waves 1 to `n_waves`, by id in order."""

    def list_page(
        self, batch_id: str, n_waves: int, *, limit: int, cursor: str | None
    ) -> ComparisonPage:
        """The next comparisons of waves 1 to `n_waves` after the one that the cursor names."""

    def resubmit(self, batch_id: str, comparison: Comparison, *, wave_number: int) -> None:
        """Move a failed comparison into a later wave with its attempt raised by one.

        Changes nothing when it was moved there already or has a verdict by now.
        """

    def put_pending(
        self, batch_id: str, wave_number: int, comparisons: Sequence[Comparison]
    ) -> None:
        """Mark the comparisons as awaited by the wave."""

    def clear_mark_if_settled(
        self, batch_id: str, wave_number: int, comparison: Comparison
    ) -> None:
        """Remove the wave's mark of a comparison that is settled by now."""

    def list_pending(self, batch_id: str, wave_number: int) -> list[str]:
        """The ids of the comparisons the wave still waits for, strongly consistent."""

    def has_pending(self, batch_id: str, wave_number: int) -> bool:
        """Whether the wave waits for anything, strongly consistent."""

    def lease(
        self, request: JudgeRequestV1, *, now: datetime, seconds: int, is_submission: bool = False
    ) -> Comparison | None:
        """Take the comparison for one judge call; None if it is settled or sent.

        For a submission to a provider's batch it is one call however often it is leased: the
        provider is asked whether it has the batch before it is submitted again.

        Raises ComparisonLeasedError while another delivery holds the lease.
        """

    def mark_sent(self, request: JudgeRequestV1) -> None:
        """The judge has the comparison: it must not be paid again in this attempt."""

    def release(self, request: JudgeRequestV1, *, may_be_paid: bool = False) -> None:
        """Give the lease back; unless it may have been paid for, its call does not count."""

    def reopen(self, request: JudgeRequestV1) -> None:
        """Let it be asked about again: the judge gave it back unread, and it was not paid."""

    def reopen_once(self, request: JudgeRequestV1) -> None:
        """Let it be asked in a call of its own: a batch of its provider gave it back unread.

        Once in an attempt, however often it is called: the call that follows is never undone.
        """

    def pin_model(self, batch_id: str, judge: str, served_model: str) -> str:
        """The model that this judge's first answer in the batch came from; stored once."""

    def record_verdict(
        self,
        batch_id: str,
        wave_number: int,
        comparison_id: str,
        verdict: Verdict | ListVerdict,
        *,
        now: datetime,
    ) -> Settlement:
        """Record a first verdict and remove the pending marker in one transaction.

        Not settled if a verdict was recorded before; raises UnknownComparisonError.
        """

    def record_failure(
        self,
        batch_id: str,
        wave_number: int,
        comparison_id: str,
        failure: JudgeFailure,
        *,
        attempt: int,
        timed_out: bool = False,
        now: datetime,
    ) -> Settlement:
        """Record that this attempt failed, unless it is settled or a later attempt runs."""


class SeenSignatures(Protocol):
    """Signatures that were accepted lately."""

    def was_seen(self, signature: str) -> bool:
        """Whether the signature was accepted before."""

    def remember(self, signature: str, *, until: datetime) -> None:
        """Mark it as accepted until it could not be used again anyway."""


class ProviderBatchStore(Protocol):
    """What is known of submissions to providers' batches."""

    def take(self, batch_id: str, name: str, *, now: datetime, seconds: int) -> ProviderBatch:
        """The record, new or stored, held for so long by whoever took it.

        Raises ComparisonLeasedError while somebody else holds it.
        """

    def update(self, batch_id: str, name: str, **changes: Any) -> ProviderBatch:
        """Set attributes of a record that is held."""

    def find(self, batch_id: str, name: str) -> ProviderBatch | None:
        """The record, if there is one, strongly consistent."""

    def give_back(self, batch_id: str, name: str) -> None:
        """Let the next one take it at once."""

    def claim(self, provider_batch_id: str, *, now: datetime) -> None:
        """Remember that this batch of the provider belongs to a known submission."""

    def is_claimed(self, provider_batch_id: str) -> bool:
        """Whether it does."""
