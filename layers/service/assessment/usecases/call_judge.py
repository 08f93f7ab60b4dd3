"""Ask judges for verdicts, under leases so that none is paid for twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assessment.contracts.list_protocol import CompareRequest, ComparisonResult
from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.comparison import Comparison
from assessment.domain.judge import BatchingMode, JudgeSpec, Provider
from assessment.domain.judge_errors import (
    JudgeDeferredError,
    JudgeError,
    JudgeUnavailableError,
    Scope,
)
from assessment.domain.jury import draw_judge
from assessment.domain.spec import BatchSpec
from assessment.ports.groups import JudgePorts
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.bundles import Delivery, LeasedQuestion, make_bundles, split_delivery
from assessment.usecases.questions import (
    Question,
    check_size,
    make_failure,
    make_requests,
    may_be_tried_again,
    prompt_tokens,
    read_question,
)

LEASE_MARGIN_SECONDS = 15
_LONG_WAIT_SECONDS = 60.0


@dataclass
class Report:
    """What became of each delivery, in their order, and how much of the work was done twice.

    A None is a delivery that is done with; an error is one that must come back. One about several
    comparisons comes back whole: those that are done with are not asked again.
    """

    errors: list[Exception | None] = field(default_factory=list)
    n_calls: int = 0
    n_deferred: int = 0
    n_repeated: int = 0


async def call_judges(
    deliveries: Sequence[Delivery],
    *,
    ports: JudgePorts,
    mode: BatchingMode = BatchingMode.SERIAL_BUNDLE,
    now: datetime,
) -> Report:
    """Ask about every delivery, side by side; verdicts and final errors go to the callback queue.

    Each comparison is leased before its judge is asked and marked after its answer is sent, so a
    worker that dies loses nothing and repeats at most the call that was in flight.
    """
    caller = _Caller(ports, mode, now, Report([None] * len(deliveries)))
    groups: dict[str, list[tuple[int, Delivery]]] = {}
    for place, delivery in enumerate(deliveries):
        groups.setdefault(delivery.message.batch_id, []).append((place, delivery))
    await asyncio.gather(*(caller.batch(name, group) for name, group in groups.items()))
    return caller.report


@dataclass(frozen=True)
class _Caller:
    ports: JudgePorts
    mode: BatchingMode
    now: datetime
    report: Report

    async def batch(self, batch_id: str, group: list[tuple[int, Delivery]]) -> None:
        """The deliveries of one batch."""
        try:
            spec = await asyncio.to_thread(load_spec, batch_id, content=self.ports.content)
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            self._fail([place for place, _ in group], error)
            return
        leased = await asyncio.gather(
            *(
                self._lease(place, single, spec, call=place if delivery.message.others else None)
                for place, delivery in group
                for single in split_delivery(delivery)
            )
        )
        questions = [question for question in leased if question]
        # Messages come in any order: singles in one order of theirs make the same calls.
        questions.sort(
            key=lambda question: (
                question.delivery.message.comparison_id if question.call is None else ""
            )
        )
        bundles = make_bundles(questions, spec.judges, mode=self.mode, prompts=self.ports.prompts)
        await asyncio.gather(*(self._ask_safely(spec, judge, bundle) for judge, bundle in bundles))

    def _fail(self, places: Sequence[int], error: Exception) -> None:
        for place in places:
            self.report.errors[place] = error

    async def _lease(
        self, place: int, delivery: Delivery, spec: BatchSpec, *, call: int | None
    ) -> LeasedQuestion | None:
        request = delivery.message
        judge = draw_judge(request.comparison_id, spec.judges)
        if judge.provider is Provider.PERSON:
            # It waits for whoever asks the API for the next comparison.
            return None
        try:
            comparison = await asyncio.to_thread(
                self.ports.comparisons.lease,
                request,
                now=self.now,
                seconds=int(judge.timeout_seconds) + LEASE_MARGIN_SECONDS,
            )
            if comparison is None:
                return None
            question = await asyncio.to_thread(self._read_leased, request, comparison, spec)
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            self._fail([place], error)
            return None
        self.report.n_repeated += int(comparison.calls > 1)
        return LeasedQuestion(place, delivery, question, call)

    def _read_leased(
        self, request: JudgeRequestV1, comparison: Comparison, spec: BatchSpec
    ) -> Question:
        """The question; a comparison that cannot be read does not keep its lease."""
        try:
            return read_question(request, comparison, spec=spec, content=self.ports.content)
        except Exception:
            self.ports.comparisons.release(request)
            raise

    async def _ask_safely(
        self, spec: BatchSpec, judge: JudgeSpec, bundle: list[LeasedQuestion]
    ) -> None:
        try:
            await self._ask(spec, judge, bundle)
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            self._fail([leased.place for leased in bundle], error)

    async def _ask(self, spec: BatchSpec, judge: JudgeSpec, bundle: list[LeasedQuestion]) -> None:
        paying = False
        questions: list[CompareRequest] = []
        try:
            questions = await self._write_questions(spec, judge, bundle)
            check_size(judge, questions)
            endpoint = self.ports.judges.get_judge(judge)
            await self._admit(judge, questions)
            self.report.n_calls += 1
            paying = True
            results = await endpoint.compare(questions)
        except JudgeDeferredError as error:
            await self._settle_deferred(bundle, questions, error)
        except JudgeError as error:
            await self._settle_unanswered(judge, bundle, questions, error)
        except Exception as error:
            if not paying:
                # Nothing was paid, so the next delivery need not wait for our leases to end.
                await self._settle_each(bundle, self._release, [error] * len(bundle))
            raise
        else:
            # Handed over first: what is paid for is safe before anything else may fail.
            await self._settle_each(bundle, self._hand_over, results)
            await asyncio.to_thread(self.ports.gate.record_success, judge)

    async def _write_questions(
        self, spec: BatchSpec, judge: JudgeSpec, bundle: list[LeasedQuestion]
    ) -> list[CompareRequest]:
        """The requests of one call, in the bundle's order."""
        callback_key = await asyncio.to_thread(
            self.ports.batches.get_callback_key, bundle[0].delivery.message.batch_id
        )
        return make_requests(
            [leased.question for leased in bundle],
            judge=judge,
            spec=spec,
            prompts=self.ports.prompts,
            callback=self.ports.callback_address(judge),
            callback_key=callback_key,
        )

    async def _admit(self, judge: JudgeSpec, questions: list[CompareRequest]) -> None:
        tokens = prompt_tokens(questions) + judge.answer_tokens(len(questions))
        await asyncio.to_thread(self.ports.gate.admit, judge, tokens=tokens, now=self.now)

    async def _settle_deferred(
        self,
        bundle: list[LeasedQuestion],
        questions: list[CompareRequest],
        error: JudgeDeferredError,
    ) -> None:
        """Nobody was asked: come back later, or end where later is after the wave's deadline."""
        too_late = await self._find_missed_deadline(bundle, error)
        if too_late is None:
            await self._defer(bundle, error)
            return
        results = [make_failure(question, too_late, retryable=True) for question in questions]
        await self._settle_each(bundle, self._hand_over, results)

    async def _defer(self, bundle: list[LeasedQuestion], error: JudgeDeferredError) -> None:
        """Ask in the same call later."""
        released: list[LeasedQuestion] = []

        def release(leased: LeasedQuestion, _error: JudgeDeferredError) -> None:
            self.ports.comparisons.release(leased.delivery.message)
            released.append(leased)

        await self._settle_each(bundle, release, [error] * len(bundle))
        if not released:
            return
        together = [leased.delivery.message for leased in bundle if leased in released]
        try:
            await asyncio.to_thread(
                self.ports.judge_queue.send_later,
                JudgeRequestV1.join(together),
                seconds=int(error.retry_after) + 1,
            )
        except Exception as failure:  # noqa: BLE001 - each message reports its error by itself
            self._fail([leased.place for leased in released], failure)
        else:
            self.report.n_deferred += len(released)

    async def _settle_unanswered(
        self,
        judge: JudgeSpec,
        bundle: list[LeasedQuestion],
        questions: list[CompareRequest],
        error: JudgeError,
    ) -> None:
        """The judge was asked and gave no verdict: ask alone, ask again, or end with the error."""
        if error.scope is not Scope.CALL and len(bundle) > 1:
            # One of them may be the reason: nothing is final before each was asked alone.
            await self._settle_each(bundle, self._ask_alone, [error] * len(bundle))
            return
        too_late = await self._find_missed_deadline(bundle, error)
        is_passing = isinstance(error, JudgeUnavailableError) and too_late is None
        returning: list[LeasedQuestion] = []
        final: list[LeasedQuestion] = []
        results: list[ComparisonResult] = []
        for leased, question in zip(bundle, questions, strict=True):
            if is_passing and not leased.delivery.last_receive:
                returning.append(leased)
            else:
                retryable = may_be_tried_again(error, question)
                final.append(leased)
                failure = make_failure(
                    question,
                    too_late or error,
                    retryable=retryable,
                    may_be_paid=error.may_be_paid,
                )
                results.append(failure)
        await self._settle_each(returning, self._release, [error] * len(returning))
        await self._settle_each(final, self._hand_over, results)
        # Last: no verdict and no lease may depend on what is only advice.
        await self._warn_gate(judge, error)

    async def _warn_gate(self, judge: JudgeSpec, error: JudgeError) -> None:
        """Count the failure of a judge that is broken; a busy one has its Retry-After."""
        if isinstance(error, JudgeUnavailableError) and not error.busy:
            await asyncio.to_thread(
                self.ports.gate.record_failure,
                judge,
                retry_after=error.retry_after,
                now=self.now,
                reason=str(error),
                code=error.code,
            )

    async def _find_missed_deadline(
        self, bundle: list[LeasedQuestion], error: JudgeError
    ) -> JudgeError | None:
        """What to say where the judge asks to wait beyond the wave's deadline; None if not."""
        seconds = error.retry_after or 0.0
        if seconds < _LONG_WAIT_SECONDS:
            return None
        comparison = bundle[0].question.comparison
        wave = await asyncio.to_thread(
            self.ports.batches.get_wave,
            bundle[0].delivery.message.batch_id,
            comparison.submitted_wave,
        )
        if wave is None or wave.deadline is None:
            return None
        if self.now + timedelta(seconds=seconds) < wave.deadline:
            return None
        return JudgeUnavailableError(
            f"the judge asks to wait {seconds:.0f} s, which is beyond the wave's deadline "
            f"(wave_timeout_seconds): {error}"
        )

    async def _settle_each[T](
        self,
        bundle: list[LeasedQuestion],
        settle: Callable[[LeasedQuestion, T], None],
        values: Sequence[T],
    ) -> None:
        """Settle every comparison by itself: one that cannot be handed over keeps no other back."""

        async def settle_one(leased: LeasedQuestion, value: T) -> None:
            try:
                await asyncio.to_thread(settle, leased, value)
            except Exception as error:  # noqa: BLE001 - each message reports its error by itself
                self._fail([leased.place], error)

        await asyncio.gather(*(settle_one(*pair) for pair in zip(bundle, values, strict=True)))

    def _ask_alone(self, leased: LeasedQuestion, _error: JudgeError) -> None:
        """Ask about it in a call of its own, at once; a refusal of the bundle was not billed."""
        request = leased.delivery.message
        self.ports.comparisons.release(request)
        self.ports.judge_queue.send([request.model_copy(update={"alone": True})])

    def _release(self, leased: LeasedQuestion, error: Exception) -> None:
        may_be_paid = isinstance(error, JudgeError) and error.may_be_paid
        self.ports.comparisons.release(leased.delivery.message, may_be_paid=may_be_paid)
        raise error

    def _hand_over(self, leased: LeasedQuestion, result: ComparisonResult | None) -> None:
        if result is not None:
            self.ports.callback_queue.send_result(result)
        # Marked only now: a crash before this line repeats the one call that was in flight.
        self.ports.comparisons.mark_sent(leased.delivery.message)
