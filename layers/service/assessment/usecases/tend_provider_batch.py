"""Submit comparisons as a provider's batch, look after it, and bring its verdicts in.

One message of the judge queue does all of it and sends itself again, later, until the batch is
done with. Whatever dies between two steps, the record tells the next one where to go on: a try to
submit is on record before it is made, so nothing is submitted, and paid, a second time before the
provider was asked whether it has the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from assessment.contracts.llm_protocol import (
    CompareRequestV1,
    JudgeRequestV1,
    LLMComparisonResultV1,
    ProviderBatchV1,
)
from assessment.domain.comparison import Comparison
from assessment.domain.errors import (
    JudgeDeferredError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
    ProviderBatchError,
    QueueFullError,
)
from assessment.domain.judge import JudgeSpec
from assessment.domain.provider_batch import (
    GIVE_UP,
    LEAST_COMPARISONS,
    SETTLING,
    WINDOW,
    ProviderBatch,
    Tried,
    next_look_seconds,
)
from assessment.domain.spec import BatchSpec
from assessment.domain.wave import Wave
from assessment.ports.groups import JudgePorts
from assessment.ports.judging import BatchJudge
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.questions import (
    Question,
    ask_about,
    check_size,
    hold_to_model,
    read_question,
    without_verdict,
)

HELD_SECONDS = 75
"""Longer than a worker lives: who holds a record beyond it is dead."""

_TROUBLED_SECONDS = 30


class BatchStep(StrEnum):
    """What a message did for its batch."""

    SUBMITTED = "submitted"
    WAITING = "waiting"
    DEFERRED = "deferred"
    DONE = "done"
    STALE = "stale"


async def tend_provider_batch(
    message: ProviderBatchV1, *, ports: JudgePorts, now: datetime
) -> BatchStep:
    """Take the submission one step further; whoever gets the message again takes the next.

    Raises
    ------
    ComparisonLeasedError
        While another delivery tends the same submission: the message must come back.
    """
    held = await asyncio.to_thread(
        ports.provider_batches.take,
        message.batch_id,
        message.name,
        now=now,
        seconds=HELD_SECONDS,
    )
    step = BatchStep.STALE
    try:
        if not held.done and not held.is_looked_after(message.look, now=now):
            step = await _tend(message, held, ports, now)
    finally:
        # Also after a failure, so that the next delivery need not wait for us to be dead.
        await asyncio.to_thread(ports.provider_batches.give_back, message.batch_id, message.name)
    return step


async def _tend(
    message: ProviderBatchV1, held: ProviderBatch, ports: JudgePorts, now: datetime
) -> BatchStep:
    spec = await asyncio.to_thread(load_spec, message.batch_id, content=ports.content)
    judge = next(each for each in spec.judges if each.label == message.judge)
    tending = _Tending(message, spec, judge, ports, now)
    step = BatchStep.WAITING if held.provider_batch_id else BatchStep.SUBMITTED
    try:
        wait = await tending.go_on(held)
    except QueueFullError as error:
        step, wait = BatchStep.DEFERRED, await tending.wait_for_room(error)
    except JudgeDeferredError as error:
        step, wait = BatchStep.DEFERRED, int(error.retry_after) + 1
    except JudgeError as error:
        # Verdicts that are paid for may lie there: ask again as long as an answer is possible.
        step, wait = BatchStep.DEFERRED, None
        if tending.is_lost(held):
            await tending.end(error)
        else:
            wait = await tending.trouble(error)
    if wait is None:
        await tending.update(done=True)
        return BatchStep.DONE
    # Sent before it is counted: a death in between makes two chains, of which one ends.
    look = max(message.look, held.looks) + 1
    following = message.model_copy(update={"look": look})
    await asyncio.to_thread(ports.judge_queue.send_later, following, seconds=wait)
    await tending.update(looks=look, next_look_at=now + timedelta(seconds=wait))
    return step


@dataclass(frozen=True)
class _Tending:
    message: ProviderBatchV1
    spec: BatchSpec
    judge: JudgeSpec
    ports: JudgePorts
    now: datetime

    @property
    def provider(self) -> BatchJudge:
        """Whoever takes the batches of this judge."""
        return self.ports.judges.batches_of(self.judge)

    async def update(self, **changes: object) -> ProviderBatch:
        """Set attributes of the record."""
        return await asyncio.to_thread(
            self.ports.provider_batches.update, self.message.batch_id, self.message.name, **changes
        )

    async def go_on(self, held: ProviderBatch) -> int | None:
        """The next step; the seconds until the one after it, or None if there is none."""
        if held.provider_batch_id is not None:
            return await self._look(held, held.provider_batch_id)
        if held.tried_at is not None:
            found = await self._find(Tried(held.name, held.tried_at, held.size))
            if found is not None:
                return await self._submitted(found)
        return await self._submit()

    def is_lost(self, held: ProviderBatch) -> bool:
        """Whether the provider's time for the batch has long passed."""
        since = held.submitted_at or held.tried_at
        return since is not None and self.now - since >= GIVE_UP

    async def end(self, error: JudgeError, requests: list[CompareRequestV1] | None = None) -> None:
        """Every comparison, or these, end with this error."""
        ending = await self._requests() if requests is None else requests
        await self._hand_over(
            [without_verdict(each, error, retryable=error.retryable) for each in ending]
        )

    async def wait_for_room(self, error: QueueFullError) -> int:
        """Seconds until it is submitted anew: the provider took nothing of it."""
        # The record last: a death before it finds the same refusal, and does this again.
        await self._in_threads(self.ports.comparisons.reopen, self.message.requests)
        await self.update(provider_batch_id=None, tried_at=None, submitted_at=None)
        return int(error.retry_after)

    async def trouble(self, error: JudgeError) -> int:
        """Seconds until the next try after the provider did not answer as it should."""
        if isinstance(error, JudgeUnavailableError):
            after = error.retry_after
            if not error.busy:
                await self._gate_failed(after)
            return max(_TROUBLED_SECONDS, int(after or 0) + 1)
        return _TROUBLED_SECONDS

    async def _gate_failed(self, after: float | None) -> None:
        await asyncio.to_thread(self.ports.gate.failed, self.judge, retry_after=after, now=self.now)

    async def _admitted(self) -> None:
        """Ask the circuit. A batch's tokens count against limits of the provider's own."""
        await asyncio.to_thread(self.ports.gate.admit, self.judge, tokens=0, now=self.now)

    # --- submitting ------------------------------------------------------------------------------

    async def _find(self, tried: Tried) -> str | None:
        await self._admitted()
        found = await self.provider.find(tried, claimed=self.ports.provider_batches.is_claimed)
        left = (tried.at + SETTLING - self.now).total_seconds()
        if found is None and left > 0:
            raise JudgeDeferredError(
                "a try to submit broke off; the provider may still take it", retry_after=left
            )
        return found

    async def _submit(self) -> int | None:
        late = await self._too_late()
        if late is not None:
            await self.end(late)
            return None
        leased = await self._lease_all()
        if not leased:
            return None
        try:
            requests = await self._fitting(leased)
            if requests:
                await self._admitted()
        except BaseException:
            await self._in_threads(self.ports.comparisons.release, leased)
            raise
        if len(requests) < LEAST_COMPARISONS[self.judge.provider]:
            await self._ask_singly(leased, requests)
            return None
        await self.update(tried_at=self.now, size=len(requests))
        try:
            found = await self.provider.submit(self.message.name, requests)
        except JudgeRefusedError as error:
            await self.end(error, requests)
            return None
        except JudgeUnavailableError as error:
            if error.busy:
                # Rejected before submission: there is nothing to look for.
                await self.update(tried_at=None)
            # The record of the try, not the leases, keeps it from being paid again.
            await self._in_threads(self.ports.comparisons.release, leased)
            raise
        return await self._submitted(found)

    async def _ask_singly(
        self, leased: list[JudgeRequestV1], requests: list[CompareRequestV1]
    ) -> None:
        """Too few are left for the provider to take them together: each is asked by itself."""
        left = {request.metadata.comparison_id for request in requests}
        single = [each for each in leased if each.comparison_id in left]
        await self._in_threads(self.ports.comparisons.release, single)
        await asyncio.to_thread(self.ports.judge_queue.send, single)

    async def _too_late(self) -> ProviderBatchError | None:
        """Why nothing may be submitted: what a wave no longer awaits would be paid again."""
        wave = await self._waiting_wave()
        if wave is None:
            return ProviderBatchError("the batch has gone on without these comparisons")
        if wave.deadline is not None and self.now + WINDOW > wave.deadline:
            return ProviderBatchError("no day is left until the wave's deadline")
        return None

    async def _lease_all(self) -> list[JudgeRequestV1]:
        """Lease what still needs a verdict; all or, where another delivery holds one, none."""

        def lease(request: JudgeRequestV1) -> Comparison | None:
            return self.ports.comparisons.lease(request, now=self.now, seconds=HELD_SECONDS)

        requests = self.message.requests
        found = await asyncio.gather(
            *(asyncio.to_thread(lease, request) for request in requests), return_exceptions=True
        )
        pairs = list(zip(requests, found, strict=True))
        leased = [request for request, got in pairs if isinstance(got, Comparison)]
        failed = [got for got in found if isinstance(got, BaseException)]
        if failed:
            await self._in_threads(self.ports.comparisons.release, leased)
            raise failed[0]
        return leased

    async def _fitting(self, leased: list[JudgeRequestV1]) -> list[CompareRequestV1]:
        """The requests that fit the model; the others fail alone, before anything is paid."""
        fitting: list[CompareRequestV1] = []
        oversize: list[LLMComparisonResultV1] = []
        for request in await self._requests(leased):
            try:
                check_size(self.judge, [request])
            except OversizeError as error:
                oversize.append(without_verdict(request, error, retryable=False))
            else:
                fitting.append(request)
        await self._hand_over(oversize)
        return fitting

    async def _requests(
        self, wanted: Iterable[JudgeRequestV1] | None = None
    ) -> list[CompareRequestV1]:
        """The protocol's requests, each with a prompt of its own; always the same ones."""
        requests = self.message.requests if wanted is None else wanted

        def read(request: JudgeRequestV1) -> CompareRequestV1:
            comparison = self.ports.comparisons.get_comparison(
                request.batch_id, request.wave, request.comparison_id
            )
            question = read_question(
                request, comparison, spec=self.spec, content=self.ports.content
            )
            return self._asked(question)

        return await asyncio.gather(*(asyncio.to_thread(read, request) for request in requests))

    def _asked(self, question: Question) -> CompareRequestV1:
        (asked,) = ask_about(
            [question],
            judge=self.judge,
            spec=self.spec,
            prompts=self.ports.prompts,
            callback=self.ports.callback_address(self.judge),
            callback_key=self.ports.batches.get_callback_key(self.message.batch_id),
        )
        return asked

    async def _submitted(self, provider_batch_id: str) -> int:
        # The id first: a batch that is claimed but not recorded could not be found again.
        await self.update(provider_batch_id=provider_batch_id, submitted_at=self.now)
        await asyncio.to_thread(self.ports.provider_batches.claim, provider_batch_id, now=self.now)
        await self._in_threads(self.ports.comparisons.mark_sent, self.message.requests)
        await asyncio.to_thread(self.ports.gate.succeeded, self.judge)
        return next_look_seconds(timedelta(0))

    # --- looking after ---------------------------------------------------------------------------

    async def _look(self, held: ProviderBatch, provider_batch_id: str) -> int | None:
        await self._admitted()
        if not held.cancelled and await self._waiting_wave() is None:
            # Refused where it has ended already, which is as good.
            with suppress(JudgeRefusedError):
                await self.provider.cancel(provider_batch_id)
            await self.update(cancelled=True)
        if not await self.provider.ended(provider_batch_id):
            if self.is_lost(held):
                with suppress(JudgeError):
                    await self.provider.cancel(provider_batch_id)
                raise ProviderBatchError("the provider did not end the batch within its time")
            return next_look_seconds(self.now - (held.submitted_at or self.now))
        requests = await self._requests()
        results = [
            await asyncio.to_thread(hold_to_model, self.judge, each, self.ports.comparisons)
            for each in await self.provider.results(provider_batch_id, requests)
        ]
        await asyncio.to_thread(self.ports.callback_queue.send_results, results)
        await asyncio.to_thread(self.ports.gate.succeeded, self.judge)
        await self.update(done=True)
        # Essays need not lie with the provider any longer; if they do, it deletes them in time.
        with suppress(JudgeError):
            await self.provider.forget(provider_batch_id)
        return None

    # --- what both need ---------------------------------------------------------------------------

    async def _waiting_wave(self) -> Wave | None:
        """The wave, while it waits; one that is decided asks anew what it still needs."""
        batch = await asyncio.to_thread(self.ports.batches.get_batch, self.message.batch_id)
        wave = await asyncio.to_thread(
            self.ports.batches.get_wave, self.message.batch_id, self.message.wave
        )
        return None if batch.is_final or wave is None or wave.decision is not None else wave

    async def _hand_over(self, results: Sequence[LLMComparisonResultV1]) -> None:
        """What is known goes to the callback queue; only then are its leases done with."""
        await asyncio.to_thread(self.ports.callback_queue.send_results, results)
        known = {result.request_metadata.comparison_id for result in results}
        requests = [each for each in self.message.requests if each.comparison_id in known]
        await self._in_threads(self.ports.comparisons.mark_sent, requests)

    @staticmethod
    async def _in_threads(
        act: Callable[[JudgeRequestV1], None], requests: Iterable[JudgeRequestV1]
    ) -> None:
        await asyncio.gather(*(asyncio.to_thread(act, request) for request in requests))
