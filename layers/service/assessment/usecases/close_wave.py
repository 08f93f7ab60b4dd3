"""Close a wave: when nothing is pending, or by settling what is left at its deadline."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import ClosedBy
from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure
from assessment.domain.wave import Wave
from assessment.ports.groups import ClosePorts, SettlePorts
from assessment.ports.stores import ComparisonStore

TIMED_OUT = JudgeFailure(
    code="timed_out", message="no verdict came before the wave's deadline", retryable=True
)


def close_if_complete(
    batch_id: str,
    wave_number: int,
    *,
    closed_by: ClosedBy,
    ports: ClosePorts,
) -> bool:
    """Resume the execution if the wave waits for nothing; whether this call resumed it.

    Two callers may both find the wave complete; the second report is refused by the token.
    """
    if ports.comparisons.has_pending(batch_id, wave_number):
        return False
    wave = ports.batches.get_wave(batch_id, wave_number)
    token = _find_waiting_token(wave)
    if wave is None or token is None or not wave.markers_written:
        return False
    if wave.closed_by is None:
        ports.batches.update_wave(batch_id, wave_number, closed_by=closed_by)
    return ports.workflow.report_closed(
        token,
        {"batch_id": batch_id, "wave": wave_number, "closed_by": wave.closed_by or closed_by},
    )


def _find_waiting_token(wave: Wave | None) -> str | None:
    """The token by which an execution waits for the wave; None if none waits."""
    return None if wave is None or wave.decision is not None else wave.task_token


def settle_outstanding(
    batch_id: str, wave_number: int, *, ports: SettlePorts, now: datetime
) -> int:
    """Settle as timed out what the wave still waits for; how many there were.

    A verdict that arrives later is still recorded: it was paid for.
    """
    comparisons = ports.comparisons
    outstanding = set(comparisons.list_pending(batch_id, wave_number))
    if not outstanding:
        return 0
    n_failed = sum(
        _settle(batch_id, wave_number, comparison, comparisons, now)
        for comparison in comparisons.list_comparisons(batch_id, wave_number)
        if comparison.comparison_id in outstanding
    )
    if n_failed:
        ports.batches.count_settled(batch_id, wave_number, n_recorded=0, n_failed=n_failed)
    comparisons.withdraw_all(batch_id, wave_number)
    return len(outstanding)


def _settle(
    batch_id: str,
    wave_number: int,
    comparison: Comparison,
    comparisons: ComparisonStore,
    now: datetime,
) -> bool:
    """Record that no verdict came, or remove a mark that outlived the verdict.

    Whether it failed by this.
    """
    if comparison.status is not ComparisonStatus.PENDING:
        comparisons.clear_mark_if_settled(batch_id, wave_number, comparison)
        return False
    return comparisons.record_failure(
        batch_id,
        comparison.wave,
        comparison.comparison_id,
        TIMED_OUT,
        attempt=comparison.attempt,
        timed_out=True,
        now=now,
    ).settled


def close_at_deadline(
    batch_id: str,
    wave_number: int,
    *,
    closed_by: ClosedBy,
    ports: ClosePorts,
    now: datetime,
) -> bool:
    """The wave's time is up: settle what is outstanding and let the execution go on.

    Returns whether this call resumed the execution.
    """
    if _find_waiting_token(ports.batches.get_wave(batch_id, wave_number)) is None:
        return False
    n_settled = settle_outstanding(batch_id, wave_number, ports=ports, now=now)
    return close_if_complete(
        batch_id,
        wave_number,
        closed_by=closed_by if n_settled else ClosedBy.CALLBACKS,
        ports=ports,
    )
