"""A language model as a judge: one call, one verdict for every comparison in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from assessment.domain.answers import ModelVerdict, read_answer, split_evenly
from assessment.domain.judge import JudgeSpec
from assessment.domain.llm_protocol import (
    CompareRequestV1,
    ErrorDetail,
    LLMComparisonResultV1,
    PromptBlock,
    TokenUsage,
)
from assessment.domain.prices import price_of


@dataclass(frozen=True)
class Completion:
    """A model's answer: its document, or what is wrong with it in words; both were paid for."""

    document: object = None
    problem: str | None = None
    usage: TokenUsage | None = None


class Model(Protocol):
    """A provider's way to complete a prompt with a structured answer."""

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One call; raises JudgeError."""


class ModelJudge:
    """Asks a model and matches its verdicts by comparison id."""

    def __init__(self, judge: JudgeSpec, model: Model) -> None:
        self._judge = judge
        self._model = model

    async def compare(self, requests: Sequence[CompareRequestV1]) -> list[LLMComparisonResultV1]:
        """A result for every request; one that is missing or malformed fails alone."""
        completion = await self._model.complete(
            self._judge,
            requests[0].prompt_blocks,
            max_tokens=self._judge.answer_tokens(len(requests)),
        )
        wanted = [request.metadata.comparison_id for request in requests]
        if completion.problem is not None:
            verdicts: dict[str, ModelVerdict | str] = dict.fromkeys(wanted, completion.problem)
        else:
            verdicts = read_answer(completion.document, wanted)
        usage = completion.usage or TokenUsage()
        inputs = split_evenly(usage.input_tokens, len(requests))
        outputs = split_evenly(usage.output_tokens, len(requests))
        return [
            self._result(request, verdicts[name], TokenUsage(input_tokens=i, output_tokens=o))
            for request, name, i, o in zip(requests, wanted, inputs, outputs, strict=True)
        ]

    def _result(
        self, request: CompareRequestV1, verdict: ModelVerdict | str, usage: TokenUsage
    ) -> LLMComparisonResultV1:
        price = price_of(self._judge)
        paid = {
            "correlation_id": request.correlation_id,
            "request_metadata": request.metadata,
            "provider": self._judge.provider,
            "model": self._judge.model or "unknown",
            "token_usage": usage,
            "cost_usd": price.of(usage.input_tokens, usage.output_tokens) if price else None,
        }
        if isinstance(verdict, str):
            # Malformed once may be chance; twice, asked alone, is how this model answers.
            detail = ErrorDetail(
                code="malformed_verdict",
                message=verdict[:500],
                retryable=request.metadata.attempt == 1,
            )
            return LLMComparisonResultV1.model_validate({**paid, "error_detail": detail})
        return LLMComparisonResultV1.model_validate(
            {
                **paid,
                "winner": verdict.winner,
                "degree": verdict.degree,
                "confidence": verdict.confidence,
                "justification": verdict.justification,
            }
        )
