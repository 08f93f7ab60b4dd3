"""Find batches that no longer progress: resume, restart or fail them, so that none hangs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from assessment.contracts.queue_messages import ProviderBatchV1
from assessment.domain.batch import Batch, BatchStatus, ClosedBy
from assessment.domain.judge import BatchingMode
from assessment.domain.release import Release
from assessment.domain.wave import Wave
from assessment.ports.groups import WatchPorts
from assessment.ports.stores import ActiveBatches
from assessment.usecases.close_wave import close_at_deadline, close_if_complete
from assessment.usecases.fail_batch import fail_batch, make_stalled_failure
from assessment.usecases.release_batch import publish_release
from assessment.usecases.remind_judges import remind_judges
from assessment.usecases.resume_batch import restart_execution
from assessment.usecases.wave_messages import build_messages, list_submitted

# Long enough for the step that is under way to finish by itself.
_GRACE = timedelta(minutes=2)
# An overdue batch is given new executions for this long before it is given up.
_REVIVING = timedelta(minutes=30)


class Repair(StrEnum):
    """What the watchdog did for a batch."""

    NONE = "none"
    STARTED = "started"
    RESTARTED = "restarted"
    CLOSED = "closed"
    CLOSED_AT_DEADLINE = "closed_at_deadline"
    LOOKED_AFTER = "looked_after"
    FAILED = "failed"
    PUBLISHED = "published"
    UNLISTED = "unlisted"
    IMPOSSIBLE = "impossible"


@dataclass
class WatchReport:
    """Batches by status and by repair; ids only."""

    statuses: Counter[str] = field(default_factory=Counter)
    repairs: dict[str, Repair] = field(default_factory=dict)
    reminded: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    n_left: int = 0


def watch_batches(
    *,
    listing: ActiveBatches,
    ports_of: Callable[[str], WatchPorts],
    mode: BatchingMode = BatchingMode.SERIAL_BUNDLE,
    now: datetime,
    has_time: Callable[[], bool] = lambda: True,
) -> WatchReport:
    """Look at the batches that have not ended, those first that wait longest for a look.

    Parameters
    ----------
    listing
        The batches of all organisations that have not ended.
    ports_of
        The ports for a batch by its id: those of its organisation.
    mode
        The stack's way to put comparisons into calls.
    has_time
        Whether this round may look at one more; what it leaves is first in the next round.
    """
    report = WatchReport()
    active = listing.list_active_batches()
    for n_seen, batch_id in enumerate(active):
        if not has_time():
            report.n_left = len(active) - n_seen
            break
        try:
            # Before the look: a batch that breaks the watch must not come first for ever.
            listing.note_look(batch_id, now=now)
            ports = ports_of(batch_id)
            batch = ports.batches.get_batch(batch_id)
            report.statuses[batch.status] += 1
            repair = _Watch(ports, mode, now).repair(batch)
            if repair is Repair.NONE and remind_judges(batch, ports=ports, now=now):
                report.reminded.append(batch_id)
        except Exception as error:  # noqa: BLE001 - one batch that fails must not keep the others
            repair = Repair.IMPOSSIBLE
            report.errors[batch_id] = f"{type(error).__name__}: {error}"
        if repair is not Repair.NONE:
            report.repairs[batch_id] = repair
    return report


@dataclass(frozen=True)
class _Watch:
    """One round of the watchdog."""

    ports: WatchPorts
    mode: BatchingMode
    now: datetime

    def repair(self, batch: Batch) -> Repair:
        """Repair one batch, the gentlest way first."""
        if batch.release is not None and not batch.release.is_published:
            return self._publish(batch, batch.release)
        if batch.is_final:
            # The status was written but the listing was not removed: writing it again removes it.
            self.ports.batches.transition(batch.batch_id, batch.status, now=self.now)
            return Repair.UNLISTED
        idle = self.now - batch.updated_at
        if idle < _GRACE:
            return Repair.NONE
        overdue = self._count_idle(batch) - timedelta(hours=batch.config.batch_timeout_hours)
        if not self.ports.workflow.is_running(batch.execution_name):
            # No execution is left to be resumed, whatever the records of the wave say.
            return self._end_idle(batch) if overdue >= _REVIVING else self._restart(batch)
        repair = self._repair_wave(batch)
        if repair is Repair.NONE and overdue >= timedelta(0):
            return self._end_idle(batch)
        return repair

    def _publish(self, batch: Batch, release: Release) -> Repair:
        """Publish a release whose function ended between marking and publishing it."""
        if self.now - release.released_at < _GRACE:
            return Repair.NONE
        publish_release(batch, release, ports=self.ports)
        return Repair.PUBLISHED

    def _count_idle(self, batch: Batch) -> timedelta:
        """How long nothing happened that should have; people have until their deadline."""
        deadline = batch.config.judging_deadline
        if deadline is None or batch.status is not BatchStatus.WAITING_CALLBACKS:
            return self.now - batch.updated_at
        return self.now - max(batch.updated_at, deadline)

    def _restart(self, batch: Batch) -> Repair:
        revived = restart_execution(batch, ports=self.ports)
        if revived.is_final:
            # It ended between our reading and now, and its execution with it.
            return Repair.NONE
        renamed = revived.n_executions > batch.n_executions
        return Repair.RESTARTED if renamed else Repair.STARTED

    def _repair_wave(self, batch: Batch) -> Repair:
        if batch.status is not BatchStatus.WAITING_CALLBACKS:
            return Repair.NONE
        wave = self.ports.batches.get_wave(batch.batch_id, batch.wave)
        if wave is None:
            return Repair.NONE
        if close_if_complete(
            batch.batch_id,
            wave.wave,
            closed_by=ClosedBy.WATCH,
            ports=self.ports,
        ):
            return Repair.CLOSED
        if wave.deadline is None or self.now <= wave.deadline + _GRACE:
            return self._look_after_submissions(batch, wave)
        closed = close_at_deadline(
            batch.batch_id,
            wave.wave,
            closed_by=ClosedBy.WATCH,
            ports=self.ports,
            now=self.now,
        )
        return Repair.CLOSED_AT_DEADLINE if closed else Repair.NONE

    def _look_after_submissions(self, batch: Batch, wave: Wave) -> Repair:
        """Send the message of a provider's batch again that nobody has looked at for long.

        Its verdicts are paid for, and before `finish_by` somebody must cancel it.
        """
        if not any(judge.uses_provider_batches(self.mode) for judge in batch.judges):
            return Repair.NONE
        submitted = list_submitted(batch.batch_id, wave, self.ports.comparisons)
        neglected = [
            message
            for message in build_messages(batch, wave.wave, submitted, set(), self.mode)
            if isinstance(message, ProviderBatchV1) and self._is_neglected(message)
        ]
        self.ports.judge_queue.send(neglected)
        return Repair.LOOKED_AFTER if neglected else Repair.NONE

    def _is_neglected(self, message: ProviderBatchV1) -> bool:
        record = self.ports.provider_batches.find(message.batch_id, message.name)
        return record is None or record.is_neglected(now=self.now)

    def _end_idle(self, batch: Batch) -> Repair:
        self.ports.workflow.stop(batch.execution_name, cause="the batch made no progress")
        fail_batch(
            batch.batch_id,
            make_stalled_failure(
                f"nothing happened for {batch.config.batch_timeout_hours:g} hours"
            ),
            by_decision=False,
            ports=self.ports,
            now=self.now,
        )
        return Repair.FAILED
