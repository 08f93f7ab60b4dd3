"""Find batches that no longer move: wake, restart or fail them, so that none hangs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from assessment.domain.batch import Batch, BatchStatus, ClosedBy
from assessment.ports.groups import WatchPorts
from assessment.usecases.close_wave import close_at_deadline, wake_if_complete
from assessment.usecases.fail_batch import fail_batch, stalled

# Long enough for the step that is under way to finish by itself.
_GRACE = timedelta(minutes=2)
# An overdue batch whose execution is restarted this long without getting anywhere is given up.
_REDRIVING = timedelta(minutes=30)


class Repair(StrEnum):
    """What the watchdog did for a batch."""

    NONE = "none"
    STARTED = "started"
    WOKEN = "woken"
    CLOSED_AT_DEADLINE = "closed_at_deadline"
    REDRIVEN = "redriven"
    FAILED = "failed"
    UNLISTED = "unlisted"
    IMPOSSIBLE = "impossible"


@dataclass
class WatchReport:
    """Batches by status and by repair; ids only."""

    statuses: Counter[str] = field(default_factory=Counter)
    repairs: dict[str, Repair] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def watch_batches(
    *,
    ports: WatchPorts,
    now: datetime,
) -> WatchReport:
    """Look at every batch that has not ended."""
    watch = _Watch(ports, now)
    report = WatchReport()
    for batch_id in ports.batches.active_batches():
        try:
            batch = ports.batches.get_batch(batch_id)
            report.statuses[batch.status] += 1
            repair = watch.look_at(batch)
        except Exception as error:  # noqa: BLE001
            # One batch that cannot be repaired must not keep the others waiting.
            repair = Repair.IMPOSSIBLE
            report.errors[batch_id] = f"{type(error).__name__}: {error}"
        if repair is not Repair.NONE:
            report.repairs[batch_id] = repair
    return report


@dataclass(frozen=True)
class _Watch:
    """One round of the watchdog."""

    ports: WatchPorts
    now: datetime

    def look_at(self, batch: Batch) -> Repair:
        """Repair one batch, the gentlest way first."""
        if batch.is_final:
            # The status was written but the listing was not removed: writing it again removes it.
            self.ports.batches.transition(batch.batch_id, batch.status, now=self.now)
            return Repair.UNLISTED
        idle = self.now - batch.updated_at
        if idle < _GRACE:
            return Repair.NONE
        overdue = idle - timedelta(hours=batch.config.batch_timeout_hours)
        running = self.ports.workflow.is_running(batch.batch_id)
        if overdue >= timedelta(0) and not running:
            # Nobody is left to be woken, whatever the records of the wave say.
            return self._end_idle(batch, may_redrive=overdue < _REDRIVING)
        if batch.status is BatchStatus.INITIALIZING and not running:
            self.ports.workflow.start(batch.batch_id)
            return Repair.STARTED
        repair = self._repair_wave(batch)
        if repair is Repair.NONE and overdue >= timedelta(0):
            return self._end_idle(batch, may_redrive=False)
        return repair

    def _repair_wave(self, batch: Batch) -> Repair:
        if batch.status is not BatchStatus.WAITING_CALLBACKS:
            return Repair.NONE
        wave = self.ports.batches.get_wave(batch.batch_id, batch.wave)
        if wave is None:
            return Repair.NONE
        if wake_if_complete(
            batch.batch_id,
            wave.wave,
            closed_by=ClosedBy.WATCH,
            ports=self.ports,
        ):
            return Repair.WOKEN
        if wave.deadline is None or self.now <= wave.deadline + _GRACE:
            return Repair.NONE
        close_at_deadline(
            batch.batch_id,
            wave.wave,
            closed_by=ClosedBy.WATCH,
            ports=self.ports,
            now=self.now,
        )
        return Repair.CLOSED_AT_DEADLINE

    def _end_idle(self, batch: Batch, *, may_redrive: bool) -> Repair:
        if may_redrive and batch.wave > 0 and self.ports.workflow.redrive(batch.batch_id):
            return Repair.REDRIVEN
        if self.ports.workflow.is_running(batch.batch_id):
            self.ports.workflow.stop(batch.batch_id, cause="the batch made no progress")
        fail_batch(
            batch.batch_id,
            stalled(f"nothing happened for {batch.config.batch_timeout_hours:g} hours"),
            by_decision=False,
            ports=self.ports,
            now=self.now,
        )
        return Repair.FAILED
