"""People's decisions and releases in memory, with the conditions of the real store."""

from __future__ import annotations

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.grade_decision import GradeDecision
from assessment.domain.release import Release, ReleasePolicy
from tests.fakes.stores import InMemoryBatchStore


class InMemoryDecisionStore:
    """Decisions beside the batches whose records count them."""

    def __init__(self, batches: InMemoryBatchStore) -> None:
        self._batches = batches
        self._decisions: dict[str, dict[tuple[str, int], GradeDecision]] = {}

    def append(self, batch_id: str, decision: GradeDecision) -> bool:
        known = self._decisions.setdefault(batch_id, {})
        key = (decision.essay_id, decision.number)
        batch = self._batches.batches.get(batch_id)
        if key in known or batch is None or not self._is_open(batch, decision.result_sha256):
            return False
        known[key] = decision
        self._set(batch, n_decisions=batch.n_decisions + 1)
        return True

    def list_of_essay(self, batch_id: str, essay_id: str) -> list[GradeDecision]:
        return [each for each in self.list_of_batch(batch_id) if each.essay_id == essay_id]

    def list_of_batch(self, batch_id: str) -> list[GradeDecision]:
        return [each for _, each in sorted(self._decisions.get(batch_id, {}).items())]

    def release(self, batch: Batch, release: Release) -> bool:
        stored = self._batches.get_batch(batch.batch_id)
        is_open = self._is_open(stored, batch.result_sha256)
        if not is_open or stored.n_decisions != batch.n_decisions:
            return False
        self._set(stored, release=release)
        self._batches.active.add(batch.batch_id)
        return True

    def note_published(self, batch_id: str, release: Release) -> Release:
        published = release.model_copy(update={"is_published": True})
        self._set(self._batches.get_batch(batch_id), release=published)
        self._batches.active.discard(batch_id)
        return published

    @staticmethod
    def _is_open(batch: Batch, result_sha256: str | None) -> bool:
        is_completed = batch.status is BatchStatus.COMPLETED
        return is_completed and batch.release is None and batch.result_sha256 == result_sha256

    def _set(self, batch: Batch, **changes: object) -> None:
        self._batches.batches[batch.batch_id] = batch.model_copy(update=changes)


class InMemoryReleasePolicies:
    """What the organisation demands of a release."""

    def __init__(self) -> None:
        self.policy = ReleasePolicy()

    def get_policy(self) -> ReleasePolicy:
        return self.policy

    def put_policy(self, policy: ReleasePolicy) -> None:
        self.policy = policy
