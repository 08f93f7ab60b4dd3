"""Submit a wave: the token, the marks and only then the messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from assessment.contracts.queue_messages import WaveDeadlineV1
from assessment.domain.batch import Batch, ClosedBy, WaveStatus
from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.errors import UnplannedWaveError
from assessment.domain.finishing import find_wave_deadline
from assessment.domain.judge import BatchingMode, Provider
from assessment.domain.jury import draw_judge
from assessment.ports.groups import SubmitPorts
from assessment.ports.messaging import Workflow
from assessment.ports.stores import ComparisonStore
from assessment.usecases.close_wave import close_if_complete
from assessment.usecases.wave_messages import build_messages, list_submitted


@contextmanager
def submit_or_report(token: str, workflow: Workflow) -> Iterator[None]:
    """Fail the waiting state by its token when submitting fails, then let the error escape.

    Not every implementation of the state machine fails a waiting state whose function raised;
    where it does, the second report finds the token settled and is not an error.
    """
    try:
        yield
    except Exception as error:
        workflow.report_failed(token, error=type(error).__name__, cause=str(error))
        raise


def submit_wave(
    batch_id: str,
    wave_number: int,
    *,
    token: str,
    ports: SubmitPorts,
    mode: BatchingMode = BatchingMode.SERIAL_BUNDLE,
    now: datetime,
) -> None:
    """Make the wave wait for its verdicts and queue it for judging.

    Run again (a retry, a redrive) it replaces the token and does only what was not done yet: the
    marks are written before any message is sent, so no verdict can find its mark missing.
    """
    wave = ports.batches.get_wave(batch_id, wave_number)
    if wave is None:
        raise UnplannedWaveError(f"wave {wave_number} of batch {batch_id} was never planned")
    batch = ports.batches.get_batch(batch_id)
    if batch.is_final or wave.decision is not None:
        # Cancelled while the execution was on its way here, so nothing may be paid any more; or
        # scored before, and a new execution comes by on its way to the decision.
        ports.workflow.report_closed(
            token, {"batch_id": batch_id, "wave": wave_number, "closed_by": ClosedBy.CALLBACKS}
        )
        return
    deadline = wave.deadline or find_wave_deadline(batch.config, now=now)
    ports.batches.update_wave(
        batch_id, wave_number, task_token=token, status=WaveStatus.SUBMITTED, deadline=deadline
    )
    submitted = list_submitted(batch_id, wave, ports.comparisons)
    if not wave.markers_written:
        _store_marks(batch_id, wave_number, submitted, ports.comparisons)
        ports.batches.update_wave(batch_id, wave_number, markers_written=True)
    if not wave.messages_sent:
        _ask_judges(batch, wave_number, submitted, ports, mode)
        ports.callback_queue.send_deadline(
            WaveDeadlineV1(batch_id=batch_id, wave=wave_number, deadline=deadline),
            delay_seconds=max(0, int((deadline - now).total_seconds())),
        )
        ports.batches.update_wave(batch_id, wave_number, messages_sent=True)
    close_if_complete(batch_id, wave_number, closed_by=ClosedBy.CALLBACKS, ports=ports)


def _store_marks(
    batch_id: str, wave_number: int, submitted: list[Comparison], comparisons: ComparisonStore
) -> None:
    unsettled = [c for c in submitted if c.status is ComparisonStatus.PENDING]
    comparisons.put_pending(batch_id, wave_number, unsettled)
    # A late verdict of an earlier attempt may have settled a retried comparison while the marks
    # were written, and found no mark to remove.
    for comparison in unsettled:
        if comparison.attempt > 1:
            comparisons.clear_mark_if_settled(batch_id, wave_number, comparison)


def _ask_judges(
    batch: Batch,
    wave_number: int,
    submitted: list[Comparison],
    ports: SubmitPorts,
    mode: BatchingMode,
) -> None:
    """Hand what is pending to the people and to the queue of models."""
    pending = set(ports.comparisons.list_pending(batch.batch_id, wave_number))
    waiting = [c for c in submitted if c.comparison_id in pending and _waits(c, batch)]
    ports.comparisons.offer(batch.batch_id, wave_number, waiting)
    ports.judge_queue.send(build_messages(batch, wave_number, submitted, pending, mode))


def _waits(comparison: Comparison, batch: Batch) -> bool:
    """Whether a person is to judge it."""
    return draw_judge(comparison.comparison_id, batch.judges).provider is Provider.PERSON
