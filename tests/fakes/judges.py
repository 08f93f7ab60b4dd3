"""A simulated judge with every bad habit a real one may have, seeded by the comparison."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from assessment.contracts.callback_token import sign_metadata
from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    ComparisonResult,
    ListMetadata,
    make_result,
)
from assessment.contracts.llm_protocol import (
    CompareMetadata,
    ErrorDetail,
    LLMComparisonResultV1,
    TokenUsage,
)
from assessment.domain.circuit import Circuit, count_failure
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import (
    ContentRefusedError,
    JudgeRefusedError,
    JudgeUnavailableError,
)
from assessment.ports.judging import BatchJudge, Judge
from tests.fakes.messaging import InMemoryCallbackQueue

COMPARISON_HEADING = re.compile(r"^# Comparison (\S+)$", re.MULTILINE)
"""How the registered template names the comparisons of a call."""


class OpenGate:
    """Admits everybody, and remembers why the latest call failed."""

    def __init__(self) -> None:
        self.circuit = Circuit()

    def admit(self, judge: JudgeSpec, *, tokens: int, now: datetime) -> None:
        pass

    def record_success(self, judge: JudgeSpec) -> None:
        self.circuit = Circuit()

    def list_circuits(self, judges: Sequence[JudgeSpec]) -> list[Circuit]:
        return [self.get_circuit(judge) for judge in judges]

    def record_failure(
        self,
        judge: JudgeSpec,
        *,
        retry_after: float | None,
        now: datetime,
        reason: str | None = None,
        code: str | None = None,
    ) -> None:
        self.circuit = count_failure(
            self.circuit, now=now, retry_after=retry_after, reason=reason, code=code
        ).model_copy(update={"open_until": None})

    def get_circuit(self, judge: JudgeSpec) -> Circuit:
        return self.circuit


@dataclass(frozen=True)
class OneJudge:
    """One judge for every provider, and one that takes every provider's batches."""

    judge: Judge
    batch_judge: BatchJudge | None = None

    def get_judge(self, _judge: JudgeSpec) -> Judge:
        return self.judge

    def get_batch_judge(self, _judge: JudgeSpec) -> BatchJudge:
        assert self.batch_judge is not None
        return self.batch_judge


class KnownKeys:
    """The secrets that a simulated stack has."""

    def __init__(self, *names: str) -> None:
        self.names = names or ("openai", "anthropic")

    def exists(self, name: str) -> bool:
        return name in self.names

    def get_key(self, name: str) -> str:
        if name not in self.names:
            raise JudgeRefusedError(f"there is no secret {name}")
        return f"key of {name}"


@dataclass(frozen=True)
class Habits:
    """How a simulated judge behaves: shares between 0 and 1, delays in seconds.

    The sets name essays that it declines, refuses in other words, answers in no readable form, or
    never answers about.
    """

    silent: float = 0.0
    unavailable: float = 0.0
    refusing: float = 0.0
    error_callback: float = 0.0
    permanent_callback: float = 0.0
    malformed: float = 0.0
    duplicating: float = 0.0
    contradictory: float = 0.0
    late: float = 0.0
    at_once: float = 0.0
    coin: bool = False
    tying: float = 0.0
    sharpness: float = 1.5
    delay: float = 5.0
    late_delay: float = 5000.0
    cost_usd: float = 0.001
    declines: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    silences: frozenset[str] = frozenset()
    fails_lists: bool = False


def make_text(quality: float, name: str) -> str:
    """An essay text that carries its simulated quality, in logits."""
    return f"Simulated essay {name} of quality {quality:+.4f}"


def read_quality(text: str) -> float:
    """The simulated quality in a text."""
    return float(text.rsplit(" ", 1)[1])


@dataclass
class FakeJudge:
    """Answers by callback or at once; the same comparison and attempt get the same treatment."""

    callbacks: InMemoryCallbackQueue
    habits: Habits = field(default_factory=Habits)
    seed: int = 0
    asked: list[str] = field(default_factory=list)

    async def compare(self, requests: Sequence[CompareRequest]) -> list[ComparisonResult | None]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: CompareRequest) -> ComparisonResult | None:
        meta, habits = request.metadata, self.habits
        rng = random.Random(f"{self.seed}:{meta.comparison_id}:{meta.attempt}")
        self.asked.append(meta.comparison_id)
        shown = set(meta.shown_ids)
        if shown & habits.declines:
            raise ContentRefusedError("simulated: the provider declined the content")
        if shown & habits.refuses:
            raise JudgeRefusedError("simulated: 400")
        if shown & habits.breaks:
            return _malformed(request)
        if shown & habits.silences:
            return None
        if habits.fails_lists and isinstance(request, CompareRequestV2):
            return _error(request, retryable=True)
        fate = rng.random()
        for share, error in (
            (habits.unavailable, JudgeUnavailableError("simulated: 503")),
            (habits.refusing, JudgeRefusedError("simulated: 403")),
        ):
            if fate < share:
                raise error
            fate -= share
        result = self.give_verdict(request)
        if rng.random() < habits.at_once:
            return result
        if rng.random() < habits.silent:
            return None
        self._call_back(request, result, rng)
        return None

    def give_verdict(self, request: CompareRequest) -> ComparisonResult:
        """What it says whenever and however it is asked."""
        name = request.metadata.comparison_id
        return self._verdict(request, random.Random(f"{self.seed}:{name}"))

    def _call_back(
        self, request: CompareRequest, result: ComparisonResult, rng: random.Random
    ) -> None:
        habits = self.habits
        delay = rng.uniform(0.1, habits.delay)
        if rng.random() < habits.late:
            delay = habits.late_delay
        body = _body(result)
        fate = rng.random()
        if fate < habits.error_callback:
            body = _body(_error(request, retryable=True))
        elif fate < habits.error_callback + habits.permanent_callback:
            body = _body(_error(request, retryable=False))
        elif fate < habits.error_callback + habits.permanent_callback + habits.malformed:
            body = json.dumps({**json.loads(body), "winner": "essay one", "ranking": ["x", "y"]})
        self.callbacks.deliver(body, delay=delay)
        if rng.random() < habits.duplicating:
            self.callbacks.deliver(body, delay=delay + rng.uniform(0, 2 * habits.delay))
        if rng.random() < habits.contradictory:
            contradiction = json.loads(_body(result)) | _contradict(result)
            self.callbacks.deliver(json.dumps(contradiction), delay=delay + 1.0)

    def _verdict(self, request: CompareRequest, rng: random.Random) -> ComparisonResult:
        slope = 0.0 if self.habits.coin else self.habits.sharpness
        if isinstance(request, CompareRequestV2):
            return self._rank(request, slope, rng)
        difference = read_quality(request.essay_a.text) - read_quality(request.essay_b.text)
        p_first = 1.0 / (1.0 + math.exp(-slope * difference))
        winner: Literal["A", "B", "tie"] = "A" if rng.random() < p_first else "B"
        return LLMComparisonResultV1(
            correlation_id=request.correlation_id,
            request_metadata=request.metadata,
            winner="tie" if rng.random() < self.habits.tying else winner,
            confidence=4,
            justification="simulated",
            provider="simulated",
            model="logistic",
            token_usage=TokenUsage(input_tokens=100, output_tokens=10),
            cost_usd=self.habits.cost_usd,
        )

    def _rank(
        self, request: CompareRequestV2, slope: float, rng: random.Random
    ) -> ComparisonResult:
        """An order by the model of Plackett and Luce: differences of Gumbel draws are logistic."""
        utility = {
            essay.essay_id: slope * read_quality(essay.text) - math.log(rng.expovariate(1.0))
            for essay in request.essays
        }
        ranking = sorted(utility, key=lambda essay_id: -utility[essay_id])
        ties = [rng.random() < self.habits.tying for _ in ranking[1:]]
        return make_result(
            request,
            ranking=ranking,
            gaps=["tie" if tied else "slight" for tied in ties],
            justification="simulated",
            provider="simulated",
            model="logistic",
            token_usage=TokenUsage(input_tokens=100, output_tokens=10),
            cost_usd=self.habits.cost_usd,
        )


def _contradict(result: ComparisonResult) -> dict[str, Any]:
    """The opposite verdict."""
    if isinstance(result, LLMComparisonResultV1):
        return {"winner": {"A": "B", "B": "A", "tie": "A"}[result.winner or "tie"]}
    return {"ranking": list(reversed(result.ranking))}


def _error(request: CompareRequest, *, retryable: bool) -> ComparisonResult:
    return make_result(
        request,
        error_detail=ErrorDetail(code="overloaded", message="simulated", retryable=retryable),
    )


def _malformed(request: CompareRequest) -> ComparisonResult:
    """What the adapters of models make of an answer that they cannot read."""
    return _error(request, retryable=request.metadata.attempt == 1).model_copy(
        update={"error_detail": ErrorDetail(
            code="malformed_verdict", message="simulated: no JSON",
            retryable=request.metadata.attempt == 1,
        )}
    )  # fmt: skip


def _body(result: ComparisonResult) -> str:
    return result.model_dump_json(by_alias=True, exclude_none=True)


CALLBACK_KEY = "simulated-key-of-callback-tokens"
"""The key of every simulated batch."""


def callback_body(
    comparison: Any,
    batch_id: str,
    *,
    echo: dict[str, Any] | None = None,
    key: str = CALLBACK_KEY,
    **changes: Any,
) -> str:
    """A callback for a comparison, A being preferred, or a list's essays in the order shown.

    `changes` replace or add fields.

    `echo` changes what it says of its request after that was signed.
    """
    fields: dict[str, Any] = {
        "batch_id": batch_id,
        "wave": comparison.wave,
        "comparison_id": comparison.comparison_id,
        "attempt": comparison.attempt,
        "prompt_sha256": "0" * 64,
    }
    if comparison.is_list:
        asked = ListMetadata(**fields, essay_ids=comparison.essay_ids)
        said = {"schema": "LLMComparisonResultV2", "ranking": list(comparison.essay_ids)}
        signed = sign_metadata(asked, key=key).model_dump(mode="json", exclude_none=True)
    else:
        pair = CompareMetadata(**fields, essay_a_id=comparison.first, essay_b_id=comparison.second)
        said = {"schema": "LLMComparisonResultV1", "winner": "A"}
        signed = sign_metadata(pair, key=key).model_dump(exclude_none=True)
    body = {
        **said,
        "correlation_id": "00000000-0000-4000-8000-000000000001",
        "request_metadata": signed | (echo or {}),
        "provider": "simulated",
        "model": "logistic",
        "cost_usd": 0.002,
    }
    body.update(changes)
    return json.dumps({name: value for name, value in body.items() if value is not None})
