"""The sample judge: answers comparisons by the protocol as real people did, and counts them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assessment.contracts.llm_protocol import (
    CompareRequestV1,
    ErrorDetail,
    LLMComparisonResultV1,
)
from local.judge import webhooks
from local.judge.human_judge import Answer, HumanJudge, UnknownPairError, UnknownTextError, draw
from local.judge.options import Conduct, JudgeOptions, Plan, plan_for
from local.judge.validation import first_error

HALF = 0.5
log = logging.getLogger("local.judge.sample_judge")


@dataclass
class Stats:
    """What was asked and sent, in total and by comparison (batch id / comparison id)."""

    totals: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Counts as JSON."""
        return {name: dict(getattr(self, name)) for name in self.__dataclass_fields__}


def result_of(
    request: CompareRequestV1,
    *,
    winner: Answer | None,
    model: str,
    error: ErrorDetail | None = None,
) -> str:
    """The callback's body: the request's metadata echoed, and a winner or an error."""
    result = LLMComparisonResultV1(
        correlation_id=request.correlation_id,
        request_metadata=request.metadata,
        winner=winner,
        provider="sample-judge",
        model=model,
        error_detail=error,
    )
    return result.model_dump_json(by_alias=True, exclude_none=True)


def problem(status: int, code: str, message: str, *, retryable: bool) -> JSONResponse:
    """A refusal in the form of the protocol's error detail."""
    detail = {"code": code, "message": message, "retryable": retryable}
    return JSONResponse({"error_detail": detail}, status_code=status)


class SampleJudge:
    """Answers comparisons and counts what it did.

    Parameters
    ----------
    send
        Delivers a callback's body to a queue URL; called in a worker thread.
    """

    def __init__(
        self, people: HumanJudge, options: JudgeOptions, send: Callable[[str, str], None]
    ) -> None:
        self.people = people
        self.options = options
        self.send = send
        self.stats = Stats()
        self._running: set[asyncio.Task[None]] = set()

    async def compare(self, http: Request) -> Response:
        """Take one comparison: 202 and a callback later, or 200 with the verdict."""
        try:
            request = CompareRequestV1.model_validate_json(await http.body())
        except ValidationError as error:
            return problem(400, "invalid_request", first_error(error)[0], retryable=False)
        metadata = request.metadata
        comparison = f"{metadata.batch_id}/{metadata.comparison_id}"
        self.stats.requests[comparison] += 1
        plan = plan_for(
            self.options,
            metadata.comparison_id,
            metadata.attempt,
            self.stats.requests[comparison],
        )
        self.stats.totals["requests"] += 1
        if plan.conduct is Conduct.UNAVAILABLE:
            self._count_error(comparison, "refused_503")
            return problem(503, "overloaded", "the judge is overloaded, try again", retryable=True)
        try:
            winner = self._answer(request)
        except (UnknownTextError, UnknownPairError) as error:
            self._count_error(comparison, "refused_400")
            return problem(400, "unknown_text", str(error), retryable=False)
        if self.options.immediate and plan.conduct is Conduct.VERDICT:
            await asyncio.sleep(plan.delay)
            self._count_verdicts(comparison, 1)
            body = result_of(request, winner=winner, model=self.model)
            return Response(body, media_type="application/json")
        self._deliver_later(request, comparison, plan, winner)
        accepted = {"status": "queued", "correlation_id": request.correlation_id}
        return JSONResponse(accepted, status_code=202)

    @property
    def model(self) -> str:
        """The name under which verdicts go out."""
        return "coin-flip" if self.options.coin_flip else "ukpconvarg1-people"

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something run in the background until it has ended or the judge settles."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Drop the callbacks that are still to be sent, and the batches that still run."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _answer(self, request: CompareRequestV1) -> Answer:
        seed, comparison_id = self.options.seed, request.metadata.comparison_id
        if self.options.coin_flip:
            heads = draw("coin", seed, request.metadata.batch_id, comparison_id) < HALF
            return "A" if heads else "B"
        return self.people.verdict(
            request.essay_a.text, request.essay_b.text, seed=seed, comparison_id=comparison_id
        )

    def _deliver_later(
        self, request: CompareRequestV1, comparison: str, plan: Plan, winner: Answer
    ) -> None:
        if plan.conduct is Conduct.SILENCE:
            self.stats.totals["silent"] += 1
            return
        self.start(self._deliver(request, comparison, plan, winner))

    async def _deliver(
        self, request: CompareRequestV1, comparison: str, plan: Plan, winner: Answer
    ) -> None:
        await asyncio.sleep(plan.delay)
        if plan.conduct is Conduct.ERROR_CALLBACK:
            error = ErrorDetail(
                code="provider_error", message="the model gave no answer", retryable=True
            )
            body = result_of(request, winner=None, model=self.model, error=error)
        else:
            body = result_of(request, winner=winner, model=self.model)
        callback = request.callback
        send = webhooks.post if callback.kind == "webhook" else self.send
        try:
            for _ in range(plan.copies):
                await asyncio.to_thread(send, callback.url or callback.queue_url or "", body)
        except Exception:
            # The judge goes on: one queue that is gone must not silence the other batches.
            self.stats.totals["callbacks_lost"] += 1
            log.exception("callback of %s was not delivered", comparison)
            return
        if plan.conduct is Conduct.ERROR_CALLBACK:
            self._count_error(comparison, "error_callbacks")
        else:
            self._count_verdicts(comparison, plan.copies)

    def _count_error(self, comparison: str, kind: str) -> None:
        self.stats.totals[kind] += 1
        self.stats.errors[comparison] += 1

    def _count_verdicts(self, comparison: str, copies: int) -> None:
        self.stats.totals["verdicts"] += 1
        self.stats.verdicts[comparison] += 1
        if copies > 1:
            self.stats.totals["duplicates"] += copies - 1
            self.stats.duplicates[comparison] += copies - 1
