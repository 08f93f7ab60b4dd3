"""Submit a wave: the token, the marks and only then the messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from assessment.contracts.llm_protocol import (
    JudgeMessage,
    JudgeRequestV1,
    ProviderBatchV1,
    SubmittedComparison,
    WaveDeadlineV1,
)
from assessment.domain.batch import Batch, ClosedBy, WaveStatus
from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.errors import UnplannedWaveError
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.jury import draw_judge
from assessment.domain.provider_batch import LEAST_COMPARISONS, split_submission, submission_name
from assessment.domain.wave import Wave
from assessment.ports.groups import SubmitPorts
from assessment.ports.messaging import Workflow
from assessment.ports.stores import ComparisonStore
from assessment.usecases.close_wave import close_if_complete


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
    config = batch.config
    deadline = wave.deadline or now + timedelta(seconds=config.wave_timeout_seconds)
    ports.batches.update_wave(
        batch_id, wave_number, task_token=token, status=WaveStatus.SUBMITTED, deadline=deadline
    )
    submitted = _list_submitted(batch_id, wave, ports.comparisons)
    if not wave.markers_written:
        _store_marks(batch_id, wave_number, submitted, ports.comparisons)
        ports.batches.update_wave(batch_id, wave_number, markers_written=True)
    if not wave.messages_sent:
        pending = set(ports.comparisons.list_pending(batch_id, wave_number))
        ports.judge_queue.send(_make_messages(batch, wave_number, submitted, pending, mode))
        ports.callback_queue.send_deadline(
            WaveDeadlineV1(batch_id=batch_id, wave=wave_number, deadline=deadline),
            delay_seconds=config.wave_timeout_seconds,
        )
        ports.batches.update_wave(batch_id, wave_number, messages_sent=True)
    close_if_complete(batch_id, wave_number, closed_by=ClosedBy.CALLBACKS, ports=ports)


def _list_submitted(batch_id: str, wave: Wave, comparisons: ComparisonStore) -> list[Comparison]:
    all_comparisons = comparisons.list_comparisons(batch_id, wave.wave)
    return [c for c in all_comparisons if c.submitted_wave == wave.wave]


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


def _make_messages(
    batch: Batch,
    wave_number: int,
    submitted: list[Comparison],
    pending: set[str],
    mode: BatchingMode,
) -> list[JudgeMessage]:
    """One message a comparison, or one for all that a provider's batch takes together."""
    by_judge: dict[str | None, tuple[JudgeSpec, list[Comparison]]] = {}
    for comparison in submitted:
        judge = draw_judge(comparison.comparison_id, batch.judges)
        by_judge.setdefault(judge.label, (judge, []))[1].append(comparison)
    messages: list[JudgeMessage] = []
    for judge, comparisons in by_judge.values():
        if (
            judge.uses_provider_batches(mode)
            and len(comparisons) >= LEAST_COMPARISONS[judge.provider]
        ):
            messages += _make_provider_batches(batch.batch_id, wave_number, judge, comparisons)
        else:
            unsettled = [each for each in comparisons if each.comparison_id in pending]
            messages += [
                JudgeRequestV1(
                    batch_id=batch.batch_id,
                    wave=each.wave,
                    comparison_id=each.comparison_id,
                    attempt=each.attempt,
                )
                for each in unsettled
            ]
    return messages


def _make_provider_batches(
    batch_id: str, wave_number: int, judge: JudgeSpec, comparisons: list[Comparison]
) -> list[ProviderBatchV1]:
    """Made of all comparisons, pending or not: submitted twice, a wave has the same batches."""
    label = judge.label or judge.provider.value
    return [
        ProviderBatchV1(
            batch_id=batch_id,
            wave=wave_number,
            judge=label,
            name=submission_name(batch_id, wave_number, label, part),
            comparisons=tuple(
                SubmittedComparison(
                    wave=each.wave, comparison_id=each.comparison_id, attempt=each.attempt
                )
                for each in together
            ),
        )
        for part, together in enumerate(
            split_submission(
                comparisons, judge.provider_batch_size, least=LEAST_COMPARISONS[judge.provider]
            )
        )
    ]
