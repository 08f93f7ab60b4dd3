"""The sample judge: answers comparisons by the protocol as real people did, and counts them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    make_result,
    read_request,
)
from assessment.contracts.llm_protocol import ErrorDetail
from local.judge import webhooks
from local.judge.human_judge import HumanJudge, UnknownPairError, UnknownTextError, Winner, draw
from local.judge.options import Conduct, JudgeOptions, Plan, plan_response
from local.judge.validation import first_error

HALF = 0.5
log = logging.getLogger("local.judge.sample_judge")


@dataclass
class Stats:
    """Counts of requests and answers, in total and by comparison (batch id / comparison id)."""

    totals: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Counts as JSON."""
        return {name: dict(getattr(self, name)) for name in self.__dataclass_fields__}


type JudgeVerdict = Mapping[str, Any]
"""A winner, or an order with its gaps, by the protocol's names."""


def write_result(
    request: CompareRequest,
    *,
    verdict: JudgeVerdict | None,
    model: str,
    error: ErrorDetail | None = None,
) -> str:
    """The body of a callback: the metadata of the request, and a verdict or an error."""
    result = make_result(
        request, **(verdict or {}), provider="sample-judge", model=model, error_detail=error
    )
    return result.model_dump_json(by_alias=True, exclude_none=True)


def problem(status: int, code: str, message: str, *, retryable: bool) -> JSONResponse:
    """A refusal in the form of the protocol's error detail."""
    detail = {"code": code, "message": message, "retryable": retryable}
    return JSONResponse({"error_detail": detail}, status_code=status)


class SampleJudge:
    """Answers comparisons and counts its requests and answers.

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
            request = read_request(await http.body())
        except ValidationError as error:
            return problem(400, "invalid_request", first_error(error)[0], retryable=False)
        metadata = request.metadata
        comparison = f"{metadata.batch_id}/{metadata.comparison_id}"
        self.stats.requests[comparison] += 1
        plan = plan_response(
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
            verdict = self._answer(request)
        except (UnknownTextError, UnknownPairError) as error:
            self._count_error(comparison, "refused_400")
            return problem(400, "unknown_text", str(error), retryable=False)
        if self.options.immediate and plan.conduct is Conduct.VERDICT:
            await asyncio.sleep(plan.delay)
            self._count_verdicts(comparison, 1)
            body = write_result(request, verdict=verdict, model=self.model)
            return Response(body, media_type="application/json")
        if request.callback.kind == "webhook":
            # An answer that cannot be signed never arrives: the batch would wait for its deadline.
            try:
                await asyncio.to_thread(webhooks.check_secret)
            except LookupError as error:
                self._count_error(comparison, "refused_400")
                return problem(400, "no_callback_secret", str(error), retryable=False)
        self._deliver_later(request, comparison, plan, verdict)
        accepted = {"status": "queued", "correlation_id": request.correlation_id}
        return JSONResponse(accepted, status_code=202)

    @property
    def model(self) -> str:
        """The model that verdicts name."""
        return "coin-flip" if self.options.coin_flip else "ukpconvarg1-people"

    def choose_winner(
        self, first: str, second: str, *, comparison_id: str, batch_id: str = ""
    ) -> Winner:
        """The winner of two texts, by a person's judgement or by a coin.

        Raises
        ------
        UnknownTextError, UnknownPairError
            If there is no judgement on the texts; never with a coin.
        """
        seed = self.options.seed
        if self.options.coin_flip:
            return "A" if draw("coin", seed, batch_id, comparison_id) < HALF else "B"
        return self.people.verdict(first, second, seed=seed, comparison_id=comparison_id)

    def choose_order(
        self, texts: Sequence[str], *, comparison_id: str, batch_id: str = ""
    ) -> tuple[list[int], list[str]]:
        """The places of the texts, best first, and the gaps between them.

        Raises
        ------
        UnknownTextError, UnknownPairError
            As in `choose_winner`.
        """
        seed = self.options.seed
        if self.options.coin_flip:
            keys = [
                draw("coin", seed, batch_id, comparison_id, place) for place in range(len(texts))
            ]
            return sorted(range(len(texts)), key=keys.__getitem__), ["slight"] * (len(texts) - 1)
        return self.people.rank(texts, seed=seed, comparison_id=comparison_id)

    def _answer(self, request: CompareRequest) -> JudgeVerdict:
        """The verdict by the protocol's names; raises as `choose_winner` does."""
        metadata = request.metadata
        ids = {"comparison_id": metadata.comparison_id, "batch_id": metadata.batch_id}
        if isinstance(request, CompareRequestV2):
            places, gaps = self.choose_order(request.essay_texts, **ids)
            return {"ranking": [metadata.shown_ids[place] for place in places], "gaps": gaps}
        first, second = request.essay_texts
        return {"winner": self.choose_winner(first, second, **ids)}

    def count_unknown(self, fingerprints: Sequence[str]) -> int:
        """How many texts with these fingerprints it cannot judge; a coin judges all."""
        if self.options.coin_flip:
            return 0
        return sum(fingerprint not in self.people.texts for fingerprint in fingerprints)

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task until it ends or the judge stops."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Drop the callbacks that are not sent yet, and the batches that are still running."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _deliver_later(
        self, request: CompareRequest, comparison: str, plan: Plan, verdict: JudgeVerdict
    ) -> None:
        if plan.conduct is Conduct.SILENCE:
            self.stats.totals["silent"] += 1
            return
        self.run_in_background(self._deliver(request, comparison, plan, verdict))

    async def _deliver(
        self, request: CompareRequest, comparison: str, plan: Plan, verdict: JudgeVerdict
    ) -> None:
        await asyncio.sleep(plan.delay)
        if plan.conduct is Conduct.ERROR_CALLBACK:
            error = ErrorDetail(
                code="provider_error", message="the model gave no answer", retryable=True
            )
            body = write_result(request, verdict=None, model=self.model, error=error)
        else:
            body = write_result(request, verdict=verdict, model=self.model)
        callback = request.callback
        send = webhooks.post if callback.kind == "webhook" else self.send
        try:
            for _ in range(plan.copies):
                await asyncio.to_thread(send, callback.url or callback.queue_url or "", body)
        except Exception:
            # Keep running: one missing queue must not stop the callbacks of other batches.
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
