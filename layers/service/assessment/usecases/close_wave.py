"""Close a wave: wake the execution when nothing is pending, or settle what is left in time."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import ClosedBy
from assessment.domain.comparison import ComparisonStatus, JudgeFailure
from assessment.ports.groups import ClosePorts
from assessment.ports.stores import ComparisonStore

TIMED_OUT = JudgeFailure(
    code="timed_out", message="no verdict came before the wave's deadline", retryable=True
)


def wake_if_complete(
    batch_id: str,
    wave_number: int,
    *,
    closed_by: ClosedBy,
    ports: ClosePorts,
) -> bool:
    """Wake the execution if the wave waits for nothing; whether this call woke it.

    Two callers may both find the wave complete; the second wake-up is refused by the token.
    """
    if ports.comparisons.any_pending(batch_id, wave_number):
        return False
    wave = ports.batches.get_wave(batch_id, wave_number)
    if wave is None or wave.task_token is None or not wave.markers_written or wave.decision:
        return False
    if wave.closed_by is None:
        ports.batches.update_wave(batch_id, wave_number, closed_by=closed_by)
    return ports.workflow.wave_closed(
        wave.task_token,
        {"batch_id": batch_id, "wave": wave_number, "closed_by": wave.closed_by or closed_by},
    )


def settle_outstanding(
    batch_id: str, wave_number: int, *, comparisons: ComparisonStore, now: datetime
) -> int:
    """Settle as timed out what the wave still waits for; how many there were.

    A verdict that arrives later is still recorded: it was paid for.
    """
    outstanding = set(comparisons.list_pending(batch_id, wave_number))
    if not outstanding:
        return 0
    for comparison in comparisons.list_comparisons(batch_id, wave_number):
        if comparison.comparison_id not in outstanding:
            continue
        if comparison.status is ComparisonStatus.PENDING:
            comparisons.record_failure(
                batch_id,
                comparison.wave,
                comparison.comparison_id,
                TIMED_OUT,
                attempt=comparison.attempt,
                timed_out=True,
                now=now,
            )
        else:
            comparisons.clear_mark_if_settled(batch_id, wave_number, comparison)
    return len(outstanding)


def close_at_deadline(
    batch_id: str,
    wave_number: int,
    *,
    closed_by: ClosedBy,
    ports: ClosePorts,
    now: datetime,
) -> bool:
    """The wave's time is up: settle what is outstanding and let the execution go on.

    Returns whether this call woke the execution.
    """
    wave = ports.batches.get_wave(batch_id, wave_number)
    if wave is None or wave.decision is not None or wave.task_token is None:
        return False
    settled = settle_outstanding(batch_id, wave_number, comparisons=ports.comparisons, now=now)
    return wake_if_complete(
        batch_id,
        wave_number,
        closed_by=closed_by if settled else ClosedBy.CALLBACKS,
        ports=ports,
    )
