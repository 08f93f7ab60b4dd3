"""One submission to a provider's batch interface: its record, its comparisons and its wave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from assessment.contracts.list_protocol import CompareRequest, ComparisonResult
from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1
from assessment.domain.comparison import Comparison
from assessment.domain.finishing import FINAL_STEPS, find_finish, find_switch
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError, OversizeError, ProviderBatchError
from assessment.domain.provider_batch import WINDOW, ProviderBatch
from assessment.domain.spec import BatchSpec
from assessment.domain.wave import Wave
from assessment.ports.groups import JudgePorts
from assessment.ports.judging import BatchJudge
from assessment.usecases.questions import (
    Question,
    check_size,
    fits_in_call,
    make_failure,
    make_requests,
    read_question,
)

HELD_SECONDS = 75
"""Longer than a worker runs: a record that is held beyond it belongs to one that has ended."""


type Call = list[CompareRequest]
"""The comparisons of one request of a provider's batch: they share a prompt."""


@dataclass(frozen=True)
class Awaited:
    """A wave that waits for its comparisons, and when its batch is to be finished."""

    wave: Wave
    finish_by: datetime | None

    @property
    def switch_at(self) -> datetime | None:
        """From when on what is outstanding is asked in single calls, if there is such a time.

        Where the wave closes long before `finish_by`, its deadline is the time that counts.
        """
        if self.finish_by is None:
            return None
        deadline = self.wave.deadline or self.finish_by
        return find_switch(min(self.finish_by, deadline + FINAL_STEPS), self.wave.n_planned)

    def is_on_demand(self, *, now: datetime, notice: timedelta = timedelta(0)) -> bool:
        """Whether that time has come, or is to come within `notice`."""
        return self.switch_at is not None and now + notice >= self.switch_at

    def is_open(self, *, now: datetime) -> bool:
        """Whether an answer would still come in time."""
        return self.wave.deadline is None or now < self.wave.deadline


@dataclass(frozen=True)
class Submission:
    """What one message is about, and the ports to act on it."""

    message: ProviderBatchV1
    spec: BatchSpec
    judge: JudgeSpec
    ports: JudgePorts
    now: datetime

    @property
    def provider(self) -> BatchJudge:
        """The interface that takes the batches of this judge."""
        return self.ports.judges.get_batch_judge(self.judge)

    async def update(self, **changes: object) -> None:
        """Set attributes of the record."""
        await asyncio.to_thread(
            self.ports.provider_batches.update, self.message.batch_id, self.message.name, **changes
        )

    async def admit(self) -> None:
        """Ask the circuit. A batch's tokens count against limits of the provider's own."""
        await asyncio.to_thread(self.ports.gate.admit, self.judge, tokens=0, now=self.now)

    async def get_awaited(self) -> Awaited | None:
        """The wave, while it waits; one that is decided asks anew what it still needs."""
        batch = await asyncio.to_thread(self.ports.batches.get_batch, self.message.batch_id)
        wave = await asyncio.to_thread(
            self.ports.batches.get_wave, self.message.batch_id, self.message.wave
        )
        if batch.is_final or wave is None or wave.decision is not None:
            return None
        return Awaited(wave, find_finish(batch.config))

    def find_lateness(self, awaited: Awaited | None) -> ProviderBatchError | None:
        """Why nothing may be submitted: what a wave no longer awaits would be paid again."""
        if awaited is None:
            return ProviderBatchError("the batch has gone on without these comparisons")
        deadline = awaited.wave.deadline
        # With `finish_by` the batch is cancelled in time, and the rest asked in single calls.
        if awaited.finish_by is None and deadline is not None and self.now + WINDOW > deadline:
            return ProviderBatchError("fewer than 24 hours are left until the wave's deadline")
        return None

    async def lease_all(self) -> list[JudgeRequestV1]:
        """Lease what still needs a verdict; all or, where another delivery holds one, none."""

        def lease(request: JudgeRequestV1) -> Comparison | None:
            return self.ports.comparisons.lease(
                request, now=self.now, seconds=HELD_SECONDS, is_submission=True
            )

        requests = self.message.requests
        outcomes = await asyncio.gather(
            *(asyncio.to_thread(lease, request) for request in requests), return_exceptions=True
        )
        leased = [
            request
            for request, outcome in zip(requests, outcomes, strict=True)
            if isinstance(outcome, Comparison)
        ]
        failure = next((error for error in outcomes if isinstance(error, BaseException)), None)
        if failure is not None:
            await self.release(leased)
            raise failure
        return leased

    async def release(self, leased: Iterable[JudgeRequestV1], *, may_be_paid: bool = False) -> None:
        """End these leases: the next delivery need not wait for them."""
        act = partial(self.ports.comparisons.release, may_be_paid=may_be_paid)
        await self._run_in_threads(act, leased)

    async def reopen(self) -> None:
        """Let every comparison be submitted anew."""
        await self._run_in_threads(self.ports.comparisons.reopen, self.message.requests)

    async def mark_sent(self, requests: Iterable[JudgeRequestV1] | None = None) -> None:
        """Note of every comparison, or of these, that its judge was asked."""
        chosen = self.message.requests if requests is None else requests
        await self._run_in_threads(self.ports.comparisons.mark_sent, chosen)

    async def write_calls(self, left_out: Collection[str] = ()) -> list[Call]:
        """The protocol's requests, those of a call with one prompt; always the same ones.

        Parameters
        ----------
        left_out
            The comparisons that are in no call. All are read, so that the others are in the same
            calls without them.
        """
        callback_key = await asyncio.to_thread(
            self.ports.batches.get_callback_key, self.message.batch_id
        )
        written = await asyncio.gather(
            *(
                asyncio.to_thread(self._write_planned, planned, frozenset(left_out), callback_key)
                for planned in self.message.planned_calls
            )
        )
        return [call for calls in written for call in calls]

    def _write_planned(
        self, planned: Sequence[JudgeRequestV1], left_out: frozenset[str], callback_key: str
    ) -> list[Call]:
        """The calls about the comparisons of a planned one: several where its texts do not fit."""
        divided: list[list[Question]] = []
        for question in map(self._read_question, planned):
            if not divided or not self._fits_in_call([*divided[-1], question]):
                divided.append([])
            divided[-1].append(question)
        calls = [
            [question for question in call if question.request.comparison_id not in left_out]
            for call in divided
        ]
        return [self._make_call(call, callback_key) for call in calls if call]

    def _read_question(self, request: JudgeRequestV1) -> Question:
        comparison = self.ports.comparisons.get_comparison(
            request.batch_id, request.wave, request.comparison_id
        )
        return read_question(request, comparison, spec=self.spec, content=self.ports.content)

    def _fits_in_call(self, questions: Sequence[Question]) -> bool:
        return fits_in_call(questions, judge=self.judge, prompts=self.ports.prompts)

    def _make_call(self, questions: Sequence[Question], callback_key: str) -> Call:
        return make_requests(
            questions,
            judge=self.judge,
            spec=self.spec,
            prompts=self.ports.prompts,
            callback=self.ports.callback_address(self.judge),
            callback_key=callback_key,
        )

    async def write_submitted_calls(self, record: ProviderBatch) -> list[Call]:
        """The calls of the submission as it is on record."""
        calls = await self.write_calls(record.left_out)
        if record.size == len(calls):
            return calls
        # It was submitted when each comparison had a request of its own.
        alone = replace(self, message=self.message.model_copy(update={"calls": ()}))
        return await alone.write_calls(record.left_out)

    async def write_fitting_calls(self, leased: Sequence[JudgeRequestV1]) -> list[Call]:
        """The calls about these that fit the model; the others fail, before anything is paid."""
        leased_ids = {request.comparison_id for request in leased}
        fitting: list[Call] = []
        oversize: list[ComparisonResult] = []
        for call in await self.write_calls(self.list_others(leased_ids)):
            try:
                check_size(self.judge, call)
            except OversizeError as error:
                oversize += [
                    make_failure(request, error, retryable=len(call) > 1) for request in call
                ]
            else:
                fitting.append(call)
        await self.hand_over(oversize)
        return fitting

    def list_others(self, comparison_ids: Collection[str]) -> frozenset[str]:
        """The ids of the message's comparisons that are not among these."""
        requests = self.message.requests
        return frozenset(each.comparison_id for each in requests) - frozenset(comparison_ids)

    async def ask_on_demand(self, unanswered: Collection[str]) -> None:
        """Ask these comparisons singly that the provider gave back unread, and did not bill."""
        requests = [each for each in self.message.requests if each.comparison_id in unanswered]
        await self._run_in_threads(self.ports.comparisons.reopen_once, requests)
        await asyncio.to_thread(self.ports.judge_queue.send, requests)

    async def ask_singly(
        self,
        leased: list[JudgeRequestV1],
        calls: Sequence[Call],
        *,
        may_be_paid: bool = False,
    ) -> None:
        """Ask each by itself that the provider cannot take together, or may have taken unheard."""
        remaining_ids = list_ids(calls)
        single = [request for request in leased if request.comparison_id in remaining_ids]
        await self.release(single, may_be_paid=may_be_paid)
        await asyncio.to_thread(self.ports.judge_queue.send, single)

    async def end(self, error: JudgeError, calls: Sequence[Call] | None = None) -> None:
        """Every comparison, or those of these calls, end with this error."""
        ending = await self.write_calls() if calls is None else calls
        await self.hand_over(
            [
                make_failure(request, error, retryable=error.retryable)
                for call in ending
                for request in call
            ]
        )

    async def hand_over(self, results: Sequence[ComparisonResult]) -> None:
        """Results go to the callback queue; only then are their leases done with."""
        await asyncio.to_thread(self.ports.callback_queue.send_results, results)
        settled_ids = {result.request_metadata.comparison_id for result in results}
        await self.mark_sent(
            request for request in self.message.requests if request.comparison_id in settled_ids
        )

    @staticmethod
    async def _run_in_threads(
        act: Callable[[JudgeRequestV1], None], requests: Iterable[JudgeRequestV1]
    ) -> None:
        await asyncio.gather(*(asyncio.to_thread(act, request) for request in requests))


def list_ids(calls: Iterable[Call]) -> frozenset[str]:
    """The ids of the comparisons of these calls."""
    return frozenset(request.metadata.comparison_id for call in calls for request in call)
