"""Ask judges for verdicts, under leases so that nobody pays for one twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assessment.domain.comparison import Comparison
from assessment.domain.errors import (
    CJError,
    ContentRefusedError,
    JudgeDeferredError,
    JudgeError,
    OversizeError,
)
from assessment.domain.identifiers import derived_uuid
from assessment.domain.judge import (
    BatchingMode,
    JudgeSpec,
    Provider,
    estimated_tokens,
    judge_for,
    resolve_effective_llm_batching_mode,
)
from assessment.domain.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    ErrorDetail,
    JudgeRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.prompt import EssayPair, prompt_sha256
from assessment.domain.spec import BatchSpec
from assessment.ports import (
    CallbackQueue,
    ComparisonStore,
    ContentStore,
    JudgeGate,
    JudgeQueue,
    Judges,
    Prompts,
)
from assessment.usecases.batch_spec import load_spec

LEASE_MARGIN_SECONDS = 15
_ANSWER_OVERHEAD_TOKENS = 200
# Room for role, rubric and assignment when a bundle is filled; the size check knows exactly.
_INSTRUCTION_TOKENS = 3000


@dataclass(frozen=True)
class Delivery:
    """A message of the judge queue; on its last receive an outage becomes a recorded failure."""

    request: JudgeRequestV1
    last_receive: bool = False


@dataclass
class Report:
    """What became of each delivery, in their order, and how much of the work was done twice.

    A None is a delivery that is done with; an error is one that must come back.
    """

    errors: list[Exception | None] = field(default_factory=list)
    calls: int = 0
    deferred: int = 0
    repeated: int = 0


@dataclass(frozen=True)
class JudgePorts:
    """What calling judges needs of the outside world."""

    judges: Judges
    prompts: Prompts
    gate: JudgeGate
    comparisons: ComparisonStore
    content: ContentStore
    judge_queue: JudgeQueue
    callback_queue: CallbackQueue
    webhook_url: str = ""

    def callback_address(self, judge: JudgeSpec) -> CallbackAddress:
        """Where the judge's endpoint is to send its verdicts."""
        if judge.callback == "webhook":
            return CallbackAddress(kind="webhook", url=self.webhook_url)
        return CallbackAddress(queue_url=self.callback_queue.address)


@dataclass(frozen=True)
class _Leased:
    """A comparison under our lease, with its texts."""

    place: int
    delivery: Delivery
    comparison: Comparison
    pair: EssayPair

    @property
    def tokens(self) -> int:
        return estimated_tokens(self.pair.essay_a) + estimated_tokens(self.pair.essay_b)


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
        groups.setdefault(delivery.request.batch_id, []).append((place, delivery))
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
            *(self._lease(place, delivery, spec) for place, delivery in group)
        )
        bundles = _bundles([found for found in leased if found], spec, self.mode)
        await asyncio.gather(*(self._ask_safely(spec, judge, each) for judge, each in bundles))

    def _fail(self, places: Sequence[int], error: Exception) -> None:
        for place in places:
            self.report.errors[place] = error

    async def _lease(self, place: int, delivery: Delivery, spec: BatchSpec) -> _Leased | None:
        request = delivery.request
        judge = judge_for(request.comparison_id, spec.judges)
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
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            self._fail([place], error)
            return None
        if comparison is None:
            return None
        try:
            first, second = [
                await asyncio.to_thread(self.ports.content.get_text, spec.text_sha256(essay))
                for essay in (comparison.first, comparison.second)
            ]
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            await asyncio.to_thread(self.ports.comparisons.release, request)
            self._fail([place], error)
            return None
        self.report.repeated += int(comparison.calls > 1)
        return _Leased(place, delivery, comparison, EssayPair(request.comparison_id, first, second))

    async def _ask_safely(self, spec: BatchSpec, judge: JudgeSpec, bundle: list[_Leased]) -> None:
        try:
            await self._ask(spec, judge, bundle)
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            self._fail([leased.place for leased in bundle], error)

    async def _ask(self, spec: BatchSpec, judge: JudgeSpec, bundle: list[_Leased]) -> None:
        paying = False
        questions: list[CompareRequestV1] = []
        try:
            questions = _questions(spec, judge, bundle, self.ports)
            _check_size(judge, questions)
            asked = self.ports.judges.of(judge)
            await self._admit(judge, questions)
            self.report.calls += 1
            paying = True
            results = await asked.compare(questions)
        except JudgeDeferredError as error:
            await self._each(bundle, self._defer, [error] * len(bundle))
        except JudgeError as error:
            await self._not_answered(judge, bundle, questions, error)
        except Exception as error:
            if not paying:
                # Nothing was paid, so the next delivery need not wait for our leases to end.
                await self._each(bundle, self._release, [error] * len(bundle))
            raise
        else:
            # Handed over first: what is paid for is safe before anything else may fail.
            await self._each(bundle, self._hand_over, results)
            await asyncio.to_thread(self.ports.gate.succeeded, judge)

    async def _admit(self, judge: JudgeSpec, questions: list[CompareRequestV1]) -> None:
        tokens = _prompt_tokens(questions) + judge.answer_tokens(len(questions))
        await asyncio.to_thread(self.ports.gate.admit, judge, tokens=tokens, now=self.now)

    async def _not_answered(
        self,
        judge: JudgeSpec,
        bundle: list[_Leased],
        questions: list[CompareRequestV1],
        error: JudgeError,
    ) -> None:
        # One essay may have made the provider refuse them all: each is asked again alone.
        alone = isinstance(error, ContentRefusedError | OversizeError) and len(bundle) > 1
        coming = [
            None
            if error.retryable and not leased.delivery.last_receive
            else _failed(question, error, retryable=error.retryable or alone)
            for leased, question in zip(bundle, questions, strict=True)
        ]
        again = [leased for leased, result in zip(bundle, coming, strict=True) if result is None]
        await self._each(again, self._release, [error] * len(again))
        final = [leased for leased, result in zip(bundle, coming, strict=True) if result]
        await self._each(final, self._hand_over, [result for result in coming if result])
        # Last: no verdict and no lease may depend on what is only advice.
        # A provider that is busy is not broken: its Retry-After is what the messages follow.
        if error.retryable and not getattr(error, "busy", False):
            after = getattr(error, "retry_after", None)
            await asyncio.to_thread(self.ports.gate.failed, judge, retry_after=after, now=self.now)

    async def _each[T](
        self, bundle: list[_Leased], act: Callable[[_Leased, T], None], values: Sequence[T]
    ) -> None:
        """Settle every comparison by itself: one that cannot be handed over keeps no other back."""

        async def one(leased: _Leased, value: T) -> None:
            try:
                await asyncio.to_thread(act, leased, value)
            except Exception as error:  # noqa: BLE001 - each message reports its error by itself
                self._fail([leased.place], error)

        await asyncio.gather(*(one(*pair) for pair in zip(bundle, values, strict=True)))

    def _defer(self, leased: _Leased, error: JudgeDeferredError) -> None:
        request = leased.delivery.request
        self.ports.comparisons.release(request)
        self.ports.judge_queue.send_later(request, seconds=int(error.retry_after) + 1)
        self.report.deferred += 1

    def _release(self, leased: _Leased, error: Exception) -> None:
        self.ports.comparisons.release(leased.delivery.request)
        raise error

    def _hand_over(self, leased: _Leased, result: LLMComparisonResultV1 | None) -> None:
        if result is not None:
            self.ports.callback_queue.send_result(result)
        # Marked only now: a crash before this line repeats the one call that was in flight.
        self.ports.comparisons.mark_sent(leased.delivery.request)


def _bundles(
    leased: Sequence[_Leased], spec: BatchSpec, mode: BatchingMode
) -> list[tuple[JudgeSpec, list[_Leased]]]:
    """What is asked in one call: comparisons of one wave and judge, up to its limits.

    A comparison that failed before is asked alone: the bundle may have been what failed it.
    """
    bundles: list[tuple[JudgeSpec, list[_Leased]]] = []
    filling: dict[tuple[str | None, int], list[_Leased]] = {}
    for each in sorted(leased, key=lambda found: found.pair.comparison_id):
        judge = judge_for(each.pair.comparison_id, spec.judges)
        effective = resolve_effective_llm_batching_mode(
            judge.batching_mode, judge.provider, stack=mode
        )
        alone = effective.mode is BatchingMode.PER_REQUEST or each.comparison.attempt > 1
        key = (judge.label, each.comparison.submitted_wave)
        open_bundle = None if alone else filling.get(key)
        if open_bundle is None or not _fits(open_bundle, each, judge):
            open_bundle = []
            bundles.append((judge, open_bundle))
            if not alone:
                filling[key] = open_bundle
        open_bundle.append(each)
    return bundles


def _fits(bundle: list[_Leased], more: _Leased, judge: JudgeSpec) -> bool:
    tokens = sum(each.tokens for each in [*bundle, more])
    whole = tokens + _INSTRUCTION_TOKENS + judge.answer_tokens(len(bundle) + 1)
    return (
        len(bundle) < judge.bundle_size
        and tokens <= judge.bundle_tokens
        and whole <= judge.context_tokens
    )


def _questions(
    spec: BatchSpec, judge: JudgeSpec, bundle: list[_Leased], ports: JudgePorts
) -> list[CompareRequestV1]:
    """The protocol's requests; the same comparisons and attempts give the same ones."""
    blocks = ports.prompts.render(
        judge, spec.instructions, [each.pair for each in bundle], bundle=judge.is_model
    )
    sha256 = prompt_sha256(blocks)
    return [
        CompareRequestV1(
            correlation_id=derived_uuid(
                each.delivery.request.batch_id,
                each.pair.comparison_id,
                str(each.delivery.request.attempt),
            ),
            callback=ports.callback_address(judge),
            provider_hints={"model": judge.model} if judge.model else None,
            essay_a=CompareEssay(essay_id=each.comparison.first, text=each.pair.essay_a),
            essay_b=CompareEssay(essay_id=each.comparison.second, text=each.pair.essay_b),
            prompt_blocks=blocks,
            metadata=CompareMetadata(
                batch_id=each.delivery.request.batch_id,
                wave=each.delivery.request.wave,
                comparison_id=each.pair.comparison_id,
                attempt=each.delivery.request.attempt,
                essay_a_id=each.comparison.first,
                essay_b_id=each.comparison.second,
                prompt_sha256=sha256,
                judge=judge.label,
            ),
        )
        for each in bundle
    ]


def _prompt_tokens(questions: list[CompareRequestV1]) -> int:
    return sum(estimated_tokens(block.content) for block in questions[0].prompt_blocks)


def _check_size(judge: JudgeSpec, questions: list[CompareRequestV1]) -> None:
    """Refuse before paying what cannot fit."""
    if not judge.is_model:
        return
    tokens = _prompt_tokens(questions) + judge.answer_tokens(len(questions))
    if tokens + _ANSWER_OVERHEAD_TOKENS > judge.context_tokens:
        raise OversizeError(
            f"the prompt has about {tokens} tokens; the context has {judge.context_tokens}"
        )


def _failed(
    question: CompareRequestV1, error: CJError, *, retryable: bool
) -> LLMComparisonResultV1:
    return LLMComparisonResultV1(
        correlation_id=question.correlation_id,
        request_metadata=question.metadata,
        error_detail=ErrorDetail(code=error.code, message=str(error)[:500], retryable=retryable),
    )
