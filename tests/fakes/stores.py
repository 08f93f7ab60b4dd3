"""Assignments, batches and comparisons in memory, with the conditions of the real stores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.assignment import Assignment
from assessment.domain.batch import (
    FINAL_STATUSES,
    Batch,
    BatchStatus,
    check_transition,
    find_resumed_status,
    list_sources,
)
from assessment.domain.comparison import (
    Comparison,
    ComparisonStatus,
    JudgeFailure,
    Settlement,
)
from assessment.domain.config import BatchConfig, Source
from assessment.domain.errors import (
    ComparisonLeasedError,
    IllegalTransitionError,
    UnknownBatchError,
    UnknownComparisonError,
)
from assessment.domain.grading_history import AnchorHistory, BatchMeasurement
from assessment.domain.invitation import Person
from assessment.domain.judge import JudgeSpec
from assessment.domain.provider_batch import ProviderBatch
from assessment.domain.verdict import ListVerdict, Verdict
from assessment.domain.wave import Wave
from assessment.ports.stores import AssignmentPage, BatchFilter, BatchPage, ComparisonPage, KeyClaim
from tests.fakes.people import InMemoryPeople, InMemoryPeopleQueue


class InMemoryAssignmentStore:
    """The registry of anchors."""

    def __init__(self) -> None:
        self.assignments: dict[str, Assignment] = {}
        self.measurements: dict[tuple[str, str], dict[str, BatchMeasurement]] = defaultdict(dict)

    def put_assignment(self, assignment: Assignment) -> None:
        before = self.assignments.get(assignment.assignment_id)
        anchors = {anchor.anchor_ref: anchor for anchor in (before.anchors if before else [])}
        anchors |= {anchor.anchor_ref: anchor for anchor in assignment.anchors}
        self.assignments[assignment.assignment_id] = assignment.model_copy(
            update={"anchors": [anchors[ref] for ref in sorted(anchors)]}
        )

    def get_assignment(self, assignment_id: str) -> Assignment | None:
        return self.assignments.get(assignment_id)

    def list_assignments(self, *, limit: int, after: str | None) -> AssignmentPage:
        ids = [one for one in sorted(self.assignments) if after is None or one > after]
        page = [self.assignments[one].model_copy(update={"anchors": []}) for one in ids[:limit]]
        return AssignmentPage(page, ids[limit - 1] if len(ids) > limit else None)

    def delete_assignment(self, assignment_id: str) -> bool:
        return self.assignments.pop(assignment_id, None) is not None

    def delete_anchor(self, assignment_id: str, anchor_ref: str) -> bool:
        assignment = self.assignments[assignment_id]
        kept = [anchor for anchor in assignment.anchors if anchor.anchor_ref != anchor_ref]
        self.assignments[assignment_id] = assignment.model_copy(update={"anchors": kept})
        return len(kept) < len(assignment.anchors)

    def put_measurement(
        self, assignment_id: str, judge_spec_hash: str, measurement: BatchMeasurement
    ) -> None:
        known = self.measurements[assignment_id, judge_spec_hash]
        known.setdefault(measurement.spec_hash, measurement)

    def get_history(self, assignment_id: str, judge_spec_hash: str) -> AnchorHistory:
        known = self.measurements[assignment_id, judge_spec_hash].values()
        return AnchorHistory(batches=sorted(known, key=lambda m: (m.measured_at, m.spec_hash)))


def _fits(batch: Batch, wanted: BatchFilter) -> bool:
    return (
        wanted.status in (None, batch.status)
        and wanted.assignment_id in (None, batch.assignment_id)
        and (wanted.created_since is None or wanted.created_since <= batch.created_at)
        and (wanted.created_before is None or batch.created_at < wanted.created_before)
    )


class InMemoryBatchStore:
    """Batches whose lifecycle is held by the table of legal transitions."""

    def __init__(self) -> None:
        self.batches: dict[str, Batch] = {}
        self.active: set[str] = set()
        self.looks: dict[str, datetime] = {}
        self.waves: dict[tuple[str, int], Wave] = {}
        self.claims: dict[str, KeyClaim] = {}
        self.people = InMemoryPeople()

    def claim_key(self, key: str, *, batch_id: str, request_sha256: str) -> KeyClaim:
        return self.claims.setdefault(key, KeyClaim(batch_id, request_sha256))

    def list_batches(self, wanted: BatchFilter, *, limit: int, cursor: str | None) -> BatchPage:
        fitting = sorted(
            (batch for batch in self.batches.values() if _fits(batch, wanted)),
            key=lambda batch: (batch.created_at, batch.batch_id),
            reverse=True,
        )
        start = 0 if cursor is None else int(cursor)
        page = fitting[start : start + limit]
        return BatchPage(page, None if start + limit >= len(fitting) else str(start + limit))

    def count_batches(self, *, since: datetime, limit: int) -> int:
        return min(limit, sum(each.created_at >= since for each in self.batches.values()))

    def create_batch(self, batch: Batch) -> bool:
        if batch.batch_id in self.batches:
            return False
        self.batches[batch.batch_id] = batch
        self.active.add(batch.batch_id)
        return True

    def get_callback_key(self, batch_id: str) -> str:
        return self.get_batch(batch_id).callback_key

    def get_judges(self, batch_id: str) -> tuple[JudgeSpec, ...]:
        return self.get_batch(batch_id).judges

    def get_batch(self, batch_id: str) -> Batch:
        if batch_id not in self.batches:
            raise UnknownBatchError.from_id(batch_id)
        return self.batches[batch_id]

    def transition(
        self, batch_id: str, target: BatchStatus, *, now: datetime, **changes: Any
    ) -> Batch:
        stored = self.get_batch(batch_id)
        repeatable = target not in FINAL_STATUSES and stored.status is target
        if repeatable or stored.status in list_sources(target):
            stored = stored.model_copy(update={"status": target, "updated_at": now, **changes})
            self.batches[batch_id] = Batch.model_validate(stored.model_dump())
        elif stored.status is not target:
            check_transition(stored.status, target)
        if target in FINAL_STATUSES:
            self.active.discard(batch_id)
        return self.batches[batch_id]

    def resume(self, batch_id: str, *, now: datetime) -> Batch:
        stored = self.get_batch(batch_id)
        changes = {
            "status": find_resumed_status(stored),
            "failure": None,
            "outcome": None,
            "failed_from": None,
            "n_executions": stored.n_executions + 1,
            "updated_at": now,
        }
        self.batches[batch_id] = stored.model_copy(update=changes)
        self.active.add(batch_id)
        return self.batches[batch_id]

    def renew_execution(self, batch: Batch) -> Batch:
        stored = self.get_batch(batch.batch_id)
        if (stored.status, stored.n_executions) == (batch.status, batch.n_executions):
            stored = stored.model_copy(update={"n_executions": batch.n_executions + 1})
            self.batches[batch.batch_id] = stored
        return stored

    def list_active_batches(self) -> list[str]:
        unseen = datetime.min.replace(tzinfo=UTC)
        return sorted(self.active, key=lambda name: (self.looks.get(name, unseen), name))

    def note_look(self, batch_id: str, *, now: datetime) -> None:
        self.looks[batch_id] = now

    def note_reminders(self, batch_id: str, n_reminders: int) -> None:
        batch = self.batches[batch_id]
        noted = max(batch.n_reminders, n_reminders)
        self.batches[batch_id] = batch.model_copy(update={"n_reminders": noted})

    def move_deadline(
        self, batch_id: str, config: BatchConfig, sources: Mapping[str, Source], *, now: datetime
    ) -> Batch:
        batch = self.get_batch(batch_id)
        if batch.is_final:
            raise IllegalTransitionError(f"status: the batch is {batch.status}")
        changes = {"config": config, "config_sources": dict(sources), "deadline_moved_at": now}
        self.batches[batch_id] = batch.model_copy(update={**changes, "n_reminders": 0})
        return self.batches[batch_id]

    def put_wave(self, batch_id: str, wave: Wave) -> Wave:
        return self.waves.setdefault((batch_id, wave.wave), wave)

    def get_wave(self, batch_id: str, wave_number: int) -> Wave | None:
        return self.waves.get((batch_id, wave_number))

    def list_waves(self, batch_id: str) -> list[Wave]:
        found = sorted(wave for owner, wave in self.waves if owner == batch_id)
        return [self.waves[batch_id, n].model_copy(update={"context": None}) for n in found]

    def read_with_waves(self, batch_id: str) -> tuple[Batch, list[Wave]]:
        return self.get_batch(batch_id), self.list_waves(batch_id)

    def read_with_person(self, batch_id: str, name: str) -> tuple[Batch, Person]:
        return self.get_batch(batch_id), self.people.get_person(batch_id, name)

    def count_settled(
        self, batch_id: str, wave_number: int, *, n_recorded: int, n_failed: int
    ) -> None:
        stored = self.waves[batch_id, wave_number]
        self.update_wave(
            batch_id,
            wave_number,
            n_recorded=stored.n_recorded + n_recorded,
            n_failed=stored.n_failed + n_failed,
        )

    def update_wave(self, batch_id: str, wave_number: int, **changes: Any) -> None:
        stored = self.waves[batch_id, wave_number]
        self.waves[batch_id, wave_number] = Wave.model_validate(
            stored.model_copy(update=changes).model_dump()
        )


class InMemoryComparisonStore(InMemoryPeopleQueue):
    """Comparisons with leases, verdicts that are never replaced, and pending marks."""

    def __init__(self) -> None:
        super().__init__()
        self.comparisons: dict[str, dict[str, Comparison]] = defaultdict(dict)
        self.pending: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        self.leases: dict[tuple[str, str], datetime] = {}
        self.reopened: set[tuple[str, str, int]] = set()
        self.served_models: dict[tuple[str, str], str] = {}

    def put_comparisons(self, batch_id: str, comparisons: Sequence[Comparison]) -> None:
        for comparison in comparisons:
            self.comparisons[batch_id].setdefault(comparison.comparison_id, comparison)

    def get_comparison(self, batch_id: str, wave_number: int, comparison_id: str) -> Comparison:
        found = self.comparisons[batch_id].get(comparison_id)
        if found is None or found.wave != wave_number:
            raise UnknownComparisonError.from_id(batch_id, comparison_id)
        return found

    def list_comparisons(self, batch_id: str, n_waves: int) -> list[Comparison]:
        known = sorted(self.comparisons[batch_id].values(), key=lambda c: c.comparison_id)
        return [comparison for comparison in known if comparison.wave <= n_waves]

    def list_page(
        self, batch_id: str, n_waves: int, *, limit: int, cursor: str | None
    ) -> ComparisonPage:
        left = [
            comparison
            for comparison in self.list_comparisons(batch_id, n_waves)
            if cursor is None or comparison.comparison_id > cursor
        ]
        page = left[:limit]
        return ComparisonPage(page, page[-1].comparison_id if len(left) > limit else None)

    def resubmit(self, batch_id: str, comparison: Comparison, *, wave_number: int) -> None:
        stored = self.comparisons[batch_id][comparison.comparison_id]
        if stored.verdict is not None or stored.attempt != comparison.attempt:
            return
        self.leases.pop((batch_id, comparison.comparison_id), None)
        self._set(
            batch_id,
            stored,
            status=ComparisonStatus.PENDING,
            submitted_wave=wave_number,
            attempt=comparison.attempt + 1,
            sent=False,
            failure=None,
            calls=0,
            repeated_calls=comparison.paid_again,
            spent_before=comparison.spent,
        )

    def put_pending(
        self, batch_id: str, wave_number: int, comparisons: Sequence[Comparison]
    ) -> None:
        self.pending[batch_id, wave_number] |= {c.comparison_id: c.wave for c in comparisons}

    def clear_mark_if_settled(
        self, batch_id: str, wave_number: int, comparison: Comparison
    ) -> None:
        stored = self.get_comparison(batch_id, comparison.wave, comparison.comparison_id)
        if stored.status is not ComparisonStatus.PENDING:
            self.pending[batch_id, wave_number].pop(comparison.comparison_id, None)

    def list_pending(self, batch_id: str, wave_number: int) -> list[str]:
        return sorted(self.pending[batch_id, wave_number])

    def has_pending(self, batch_id: str, wave_number: int) -> bool:
        return bool(self.pending[batch_id, wave_number])

    def lease(
        self, request: JudgeRequestV1, *, now: datetime, seconds: int, is_submission: bool = False
    ) -> Comparison | None:
        stored = self.get_comparison(request.batch_id, request.wave, request.comparison_id)
        current = stored.status is ComparisonStatus.PENDING and not stored.sent
        if not current or stored.attempt != request.attempt:
            return None
        key = (request.batch_id, request.comparison_id)
        if key in self.leases and self.leases[key] >= now:
            raise ComparisonLeasedError(f"comparison {request.comparison_id} is leased")
        self.leases[key] = now + timedelta(seconds=seconds)
        self._set(request.batch_id, stored, calls=1 if is_submission else stored.calls + 1)
        return self.comparisons[request.batch_id][request.comparison_id]

    def mark_sent(self, request: JudgeRequestV1) -> None:
        if self._is_current(request):
            self._end_lease(request)
            stored = self.comparisons[request.batch_id][request.comparison_id]
            self._set(request.batch_id, stored, sent=True)

    def release(self, request: JudgeRequestV1, *, may_be_paid: bool = False) -> None:
        if self._is_current(request) and self._end_lease(request):
            stored = self.comparisons[request.batch_id][request.comparison_id]
            self._set(request.batch_id, stored, calls=stored.calls - (0 if may_be_paid else 1))

    def reopen(self, request: JudgeRequestV1) -> None:
        stored = self.comparisons[request.batch_id][request.comparison_id]
        if self._is_current(request) and stored.sent and stored.verdict is None:
            self._end_lease(request)
            self._set(request.batch_id, stored, sent=False, calls=stored.calls - 1)

    def reopen_once(self, request: JudgeRequestV1) -> None:
        key = (request.batch_id, request.comparison_id, request.attempt)
        if key not in self.reopened:
            self.reopen(request)
            self.reopened.add(key)

    def pin_model(self, batch_id: str, judge: str, served_model: str) -> str:
        return self.served_models.setdefault((batch_id, judge), served_model)

    def _end_lease(self, request: JudgeRequestV1) -> bool:
        return self.leases.pop((request.batch_id, request.comparison_id), None) is not None

    def record_verdict(
        self,
        batch_id: str,
        wave_number: int,
        comparison_id: str,
        verdict: Verdict | ListVerdict,
        *,
        now: datetime,
    ) -> Settlement:
        stored = self.get_comparison(batch_id, wave_number, comparison_id)
        if stored.verdict is not None:
            return Settlement(settled=False, wave_number=stored.submitted_wave)
        self._settle(
            batch_id,
            stored,
            verdict=verdict,
            failure=None,
            spent_before=stored.spent if stored.failure else stored.spent_before,
            status=ComparisonStatus.RECORDED,
        )
        had_failed = stored.failure is not None
        return Settlement(settled=True, wave_number=stored.submitted_wave, had_failed=had_failed)

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
        stored = self.get_comparison(batch_id, wave_number, comparison_id)
        if stored.status is not ComparisonStatus.PENDING or stored.attempt != attempt:
            return Settlement(settled=False, wave_number=stored.submitted_wave)
        status = ComparisonStatus.TIMED_OUT if timed_out else ComparisonStatus.FAILED
        self._settle(batch_id, stored, failure=failure, status=status)
        return Settlement(settled=True, wave_number=stored.submitted_wave)

    def _settle(self, batch_id: str, stored: Comparison, **changes: Any) -> None:
        self._set(batch_id, stored, **changes)
        self.pending[batch_id, stored.submitted_wave].pop(stored.comparison_id, None)

    def _set(self, batch_id: str, stored: Comparison, **changes: Any) -> None:
        self.comparisons[batch_id][stored.comparison_id] = stored.model_copy(update=changes)

    def _is_current(self, request: JudgeRequestV1) -> bool:
        stored = self.comparisons[request.batch_id].get(request.comparison_id)
        return stored is not None and stored.attempt == request.attempt


class InMemoryProviderBatchStore:
    """Submissions to providers' batches, held by one worker at a time."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], ProviderBatch] = {}
        self.held: dict[tuple[str, str], datetime] = {}
        self.claims: set[str] = set()

    def take(self, batch_id: str, name: str, *, now: datetime, seconds: int) -> ProviderBatch:
        key = (batch_id, name)
        if key in self.held and self.held[key] >= now:
            raise ComparisonLeasedError(f"submission {name} is tended")
        self.held[key] = now + timedelta(seconds=seconds)
        return self.records.setdefault(key, ProviderBatch(name=name))

    def update(self, batch_id: str, name: str, **changes: Any) -> ProviderBatch:
        changed = self.records[batch_id, name].model_copy(update=changes)
        self.records[batch_id, name] = changed
        return changed

    def find(self, batch_id: str, name: str) -> ProviderBatch | None:
        return self.records.get((batch_id, name))

    def give_back(self, batch_id: str, name: str) -> None:
        self.held.pop((batch_id, name), None)

    def claim(self, provider_batch_id: str, *, now: datetime) -> None:
        self.claims.add(provider_batch_id)

    def is_claimed(self, provider_batch_id: str) -> bool:
        return provider_batch_id in self.claims
