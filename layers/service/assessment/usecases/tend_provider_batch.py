"""Submit comparisons as a provider's batch, poll it, and record its verdicts.

One message of the judge queue does all of it and sends itself again, later, until the batch is
done with. Whatever dies between two steps, the record tells the next one where to go on: a try to
submit is on record before it is made, so nothing is submitted, and paid, a second time before the
provider was asked whether it has the first.

    state      step      leads to
    NEW        submit    SUBMITTED; DONE if nothing is left to submit, or it is refused for good
    TRIED      search    SUBMITTED if the provider has it; otherwise submit; DONE if it does not
                         say before `finish_by` comes near
    SUBMITTED  look      DONE when the provider has ended; NEW if its queue had no room
    DONE       none
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from assessment.contracts.list_protocol import ComparisonResult
from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1
from assessment.domain.finishing import LEAST_BATCH_TIME
from assessment.domain.judge_errors import (
    JudgeDeferredError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    ProviderBatchError,
    QueueFullError,
)
from assessment.domain.provider_batch import (
    LEAST_COMPARISONS,
    SETTLING,
    ProviderBatch,
    SubmissionAttempt,
    SubmissionState,
    next_look_seconds,
)
from assessment.ports.groups import JudgePorts
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.submission import HELD_SECONDS, Awaited, Call, Submission, list_ids

_TROUBLED_SECONDS = 30


class SubmissionStep(StrEnum):
    """What a message did for its submission."""

    SUBMITTED = "submitted"
    WAITING = "waiting"
    DEFERRED = "deferred"
    DONE = "done"
    STALE = "stale"


async def tend_provider_batch(
    message: ProviderBatchV1, *, ports: JudgePorts, now: datetime
) -> SubmissionStep:
    """Do the submission's next step; a repeated message does the one after it.

    Raises
    ------
    UnknownBatchError
    ComparisonLeasedError
        While another delivery tends the same submission: the message must come back.
    """
    # Before a record is made: of a batch that is erased there must be none.
    await asyncio.to_thread(ports.batches.get_batch, message.batch_id)
    record = await asyncio.to_thread(
        ports.provider_batches.take,
        message.batch_id,
        message.name,
        now=now,
        seconds=HELD_SECONDS,
    )
    step = SubmissionStep.STALE
    try:
        if record.state is not SubmissionState.DONE and not record.is_tended(message.look, now=now):
            step = await _tend(message, record, ports, now)
    finally:
        # Also after a failure, so that the next delivery need not wait for our lease to end.
        await asyncio.to_thread(ports.provider_batches.give_back, message.batch_id, message.name)
    return step


async def _tend(
    message: ProviderBatchV1, record: ProviderBatch, ports: JudgePorts, now: datetime
) -> SubmissionStep:
    spec = await asyncio.to_thread(load_spec, message.batch_id, content=ports.content)
    judge = next(judge for judge in spec.judges if judge.label == message.judge)
    submission = Submission(message, spec, judge, ports, now)
    step, wait_seconds = await _step(submission, record)
    if wait_seconds is None:
        await submission.update(done=True)
        return SubmissionStep.DONE
    # Sent before it is counted: a worker that dies in between leaves two chains, of which one
    # ends.
    look = max(message.look, record.looks) + 1
    following = message.model_copy(update={"look": look})
    await asyncio.to_thread(ports.judge_queue.send_later, following, seconds=wait_seconds)
    await submission.update(looks=look, next_look_at=now + timedelta(seconds=wait_seconds))
    return step


async def _step(submission: Submission, record: ProviderBatch) -> tuple[SubmissionStep, int | None]:
    """The step of the present state; the seconds until the next one, None if there is none."""
    is_waiting = record.state is SubmissionState.SUBMITTED
    try:
        wait_seconds = await _STEPS[record.state](submission, record)
    except QueueFullError as error:
        return SubmissionStep.DEFERRED, await _wait_for_room(submission, error)
    except JudgeDeferredError as error:
        return SubmissionStep.DEFERRED, int(error.retry_after) + 1
    except JudgeError as error:
        # Verdicts that are paid for may lie there: ask again as long as an answer is possible.
        if record.is_lost(now=submission.now):
            await submission.end(error)
            return SubmissionStep.DONE, None
        return SubmissionStep.DEFERRED, await _wait_out(submission, error)
    return SubmissionStep.WAITING if is_waiting else SubmissionStep.SUBMITTED, wait_seconds


# --- one function for each state: the seconds until the next step, or None ----------------------


async def _submit(submission: Submission, _held: ProviderBatch) -> int | None:
    """NEW: lease the comparisons and submit those that fit."""
    awaited = await submission.get_awaited()
    lateness = submission.find_lateness(awaited)
    if lateness is not None:
        await submission.end(lateness)
        return None
    leased = await submission.lease_all()
    if not leased:
        return None
    least = LEAST_COMPARISONS[submission.judge.provider]
    if awaited is not None and awaited.is_on_demand(now=submission.now, notice=LEAST_BATCH_TIME):
        least = len(leased) + 1
    try:
        calls = await submission.write_fitting_calls(leased)
        if len(calls) >= least:
            await submission.admit()
    except BaseException:
        await submission.release(leased)
        raise
    if len(calls) < least:
        await submission.ask_singly(leased, calls)
        return None
    return await _send(submission, leased, calls)


async def _send(
    submission: Submission, leased: Sequence[JudgeRequestV1], calls: Sequence[Call]
) -> int | None:
    """Remember the try, then give the provider the comparisons that fit."""
    await submission.update(
        tried_at=submission.now,
        size=len(calls),
        left_out=tuple(sorted(submission.list_others(list_ids(calls)))),
        judge=submission.message.judge,
    )
    try:
        provider_batch_id = await submission.provider.submit(submission.message.name, calls)
    except JudgeRefusedError as error:
        await submission.end(error, calls)
        return None
    except Exception as error:
        if isinstance(error, JudgeUnavailableError) and error.busy:
            # Rejected before submission: there is nothing to search for.
            await submission.update(tried_at=None)
        # The record of the try, not the leases, keeps it from being paid again.
        await submission.release(leased)
        raise
    return await _record_submitted(submission, provider_batch_id)


async def _search(submission: Submission, record: ProviderBatch) -> int | None:
    """TRIED: ask the provider whether it has the batch before it is submitted again."""
    tried_at = record.tried_at or submission.now
    await submission.admit()
    try:
        provider_batch_id = await submission.provider.find(
            SubmissionAttempt(record.name, tried_at, record.size),
            is_claimed=submission.ports.provider_batches.is_claimed,
        )
    except JudgeDeferredError:
        if not await _is_time_up(submission):
            raise
        # It may be another's, so it cannot be cancelled; it was the call in flight.
        leased = await submission.lease_all()
        calls = await submission.write_fitting_calls(leased)
        await submission.ask_singly(leased, calls, may_be_paid=True)
        return None
    if provider_batch_id is not None:
        return await _record_submitted(submission, provider_batch_id)
    settling_seconds = (tried_at + SETTLING - submission.now).total_seconds()
    if settling_seconds > 0:
        raise JudgeDeferredError(
            "submitting was interrupted; the provider may still accept the batch",
            retry_after=settling_seconds,
        )
    return await _submit(submission, record)


async def _is_time_up(submission: Submission) -> bool:
    """Whether what is outstanding is to be asked in single calls, in time for `finish_by`."""
    awaited = await submission.get_awaited()
    return awaited is not None and awaited.is_on_demand(now=submission.now)


async def _look(submission: Submission, record: ProviderBatch) -> int | None:
    """SUBMITTED: hand the verdicts over if the provider has ended; cancel what comes too late."""
    provider_batch_id = record.provider_batch_id or ""
    await submission.admit()
    awaited = await submission.get_awaited()
    # First: providers refuse in their own ways to cancel what has ended.
    if await submission.provider.has_ended(provider_batch_id):
        await _collect_results(submission, record, awaited)
        return None
    cancelled_at = record.cancelled_at
    if not record.cancelled and (awaited is None or awaited.is_on_demand(now=submission.now)):
        # Refused where it has ended meanwhile, which is as good.
        with suppress(JudgeRefusedError):
            await submission.provider.cancel(provider_batch_id)
        cancelled_at = submission.now
        await submission.update(cancelled=True, cancelled_at=cancelled_at)
    if record.is_lost(now=submission.now):
        with suppress(JudgeError):
            await submission.provider.cancel(provider_batch_id)
        raise ProviderBatchError("the provider did not end the batch within its time")
    since = cancelled_at or record.submitted_at or submission.now
    return _seconds_until_look(submission.now, since, awaited)


def _seconds_until_look(now: datetime, since: datetime, awaited: Awaited | None) -> int:
    """As long as the provider's age suggests, but not beyond the time to cancel."""
    seconds = next_look_seconds(now - since)
    switch_at = awaited.switch_at if awaited is not None else None
    if switch_at is None or switch_at <= now:
        return seconds
    return min(seconds, int((switch_at - now).total_seconds()) + 1)


_STEPS: dict[SubmissionState, Callable[[Submission, ProviderBatch], Awaitable[int | None]]] = {
    SubmissionState.NEW: _submit,
    SubmissionState.TRIED: _search,
    SubmissionState.SUBMITTED: _look,
}


# --- what leads from one state to the next -------------------------------------------------------


async def _record_submitted(submission: Submission, provider_batch_id: str) -> int:
    """NEW or TRIED becomes SUBMITTED."""
    ports, now = submission.ports, submission.now
    # The id first: a batch that is claimed but not recorded could not be found again.
    await submission.update(provider_batch_id=provider_batch_id, submitted_at=now)
    await asyncio.to_thread(ports.provider_batches.claim, provider_batch_id, now=now)
    await submission.mark_sent()
    await asyncio.to_thread(ports.gate.record_success, submission.judge)
    return next_look_seconds(timedelta(0))


async def _collect_results(
    submission: Submission, record: ProviderBatch, awaited: Awaited | None
) -> None:
    """SUBMITTED becomes DONE: every result goes to the callback queue.

    Where the batch is to be finished by a time that is still to come, what the provider gave back
    unread is asked in single calls instead: it was not billed.
    """
    judge, ports = submission.judge, submission.ports
    provider_batch_id = record.provider_batch_id or ""
    calls = await submission.write_submitted_calls(record)
    results = await submission.provider.read_results(provider_batch_id, calls)
    unanswered = _find_unanswered(results, awaited, submission.now)
    # What was paid for first.
    await asyncio.to_thread(
        ports.callback_queue.send_results,
        [each for each in results if each.request_metadata.comparison_id not in unanswered],
    )
    if unanswered:
        await submission.ask_on_demand(unanswered)
    await asyncio.to_thread(ports.gate.record_success, judge)
    await submission.update(done=True)
    # Essays need not lie with the provider any longer; if they do, it deletes them in time.
    with suppress(JudgeError):
        await submission.provider.delete(provider_batch_id)


def _find_unanswered(
    results: Sequence[ComparisonResult], awaited: Awaited | None, now: datetime
) -> set[str]:
    """The comparisons that the provider did not begin with and that may still be asked in time."""
    if awaited is None or awaited.finish_by is None or not awaited.is_open(now=now):
        return set()
    return {
        each.request_metadata.comparison_id
        for each in results
        if each.error_detail is not None and each.error_detail.code == ProviderBatchError.code
    }


async def _wait_for_room(submission: Submission, error: QueueFullError) -> int:
    """Seconds until it is submitted anew: NEW again, for the provider took nothing of it."""
    # The record last: a worker that dies before it meets the same refusal, and does this again.
    await submission.reopen()
    await submission.update(provider_batch_id=None, tried_at=None, submitted_at=None)
    return int(error.retry_after)


async def _wait_out(submission: Submission, error: JudgeError) -> int:
    """Seconds until the next try after the provider did not answer as it should."""
    if not isinstance(error, JudgeUnavailableError):
        return _TROUBLED_SECONDS
    if not error.busy:
        await asyncio.to_thread(
            submission.ports.gate.record_failure,
            submission.judge,
            retry_after=error.retry_after,
            now=submission.now,
            reason=str(error),
            code=error.code,
        )
    return max(_TROUBLED_SECONDS, int(error.retry_after or 0) + 1)
