"""A language model as a judge: one call, one verdict for every comparison in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from assessment.contracts.llm_protocol import (
    CompareRequestV1,
    ErrorDetail,
    LLMComparisonResultV1,
    TokenUsage,
)
from assessment.contracts.model_answer import ModelVerdict, read_answer, split_evenly
from assessment.domain.errors import JudgeError, ProviderBatchError
from assessment.domain.judge import JudgeSpec
from assessment.domain.prices import price_of
from assessment.domain.prompt import PromptBlock
from assessment.domain.provider_batch import Tried

_LONGEST_MESSAGE = 500


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


@dataclass(frozen=True)
class Submission:
    """What a provider's batch is to answer: prompts by comparison id."""

    name: str
    prompts: Mapping[str, Sequence[PromptBlock]]
    max_tokens: int


class BatchModel(Protocol):
    """A provider's way to complete many prompts within a day."""

    async def find(
        self, judge: JudgeSpec, tried: Tried, *, claimed: Callable[[str], bool]
    ) -> str | None:
        """The provider's id of a submission that may have arrived; raises JudgeError."""

    async def submit(self, judge: JudgeSpec, submission: Submission) -> str:
        """The provider's id of a new batch; raises JudgeError."""

    async def ended(self, judge: JudgeSpec, batch_id: str) -> bool:
        """Whether nothing more will be added; raises JudgeError."""

    async def answers(
        self, judge: JudgeSpec, batch_id: str, wanted: Sequence[str]
    ) -> Mapping[str, Completion | JudgeError]:
        """What the batch says of these comparisons, where it says anything; raises JudgeError."""

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Begin no more of it; raises JudgeError."""

    async def forget(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete prompts and answers; raises JudgeError."""


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
        return _results(self._judge, requests, completion)


class ModelBatchJudge:
    """Hands comparisons to a provider's batch, each with its own prompt, and reads its verdicts."""

    def __init__(self, judge: JudgeSpec, model: BatchModel) -> None:
        self._judge = judge
        self._model = model

    async def find(self, tried: Tried, *, claimed: Callable[[str], bool]) -> str | None:
        """The provider's id of a submission that may have arrived."""
        return await self._model.find(self._judge, tried, claimed=claimed)

    async def submit(self, name: str, requests: Sequence[CompareRequestV1]) -> str:
        """The provider's id of a new batch."""
        prompts = {each.metadata.comparison_id: each.prompt_blocks for each in requests}
        submission = Submission(name, prompts, self._judge.answer_tokens(1))
        return await self._model.submit(self._judge, submission)

    async def ended(self, provider_batch_id: str) -> bool:
        """Whether nothing more will be added."""
        return await self._model.ended(self._judge, provider_batch_id)

    async def results(
        self, provider_batch_id: str, requests: Sequence[CompareRequestV1]
    ) -> list[LLMComparisonResultV1]:
        """A result for every request; the provider's answers to anything else are nobody's."""
        wanted = [request.metadata.comparison_id for request in requests]
        answers = await self._model.answers(self._judge, provider_batch_id, wanted)
        return [
            self._result(request, answers.get(name))
            for request, name in zip(requests, wanted, strict=True)
        ]

    def _result(
        self, request: CompareRequestV1, answer: Completion | JudgeError | None
    ) -> LLMComparisonResultV1:
        if isinstance(answer, Completion):
            return _results(self._judge, [request], answer, in_batch=True)[0]
        error = answer or ProviderBatchError(
            "the provider's batch has no answer to this comparison"
        )
        detail = ErrorDetail(
            code=error.code, message=str(error)[:_LONGEST_MESSAGE], retryable=error.retryable
        )
        return LLMComparisonResultV1(
            correlation_id=request.correlation_id,
            request_metadata=request.metadata,
            provider=self._judge.provider,
            model=self._judge.model or "unknown",
            error_detail=detail,
        )

    async def cancel(self, provider_batch_id: str) -> None:
        """Begin no more of it."""
        await self._model.cancel(self._judge, provider_batch_id)

    async def forget(self, provider_batch_id: str) -> None:
        """Delete prompts and answers."""
        await self._model.forget(self._judge, provider_batch_id)


def _results(
    judge: JudgeSpec,
    requests: Sequence[CompareRequestV1],
    completion: Completion,
    *,
    in_batch: bool = False,
) -> list[LLMComparisonResultV1]:
    """A completion as results, each with its share of the tokens."""
    wanted = [request.metadata.comparison_id for request in requests]
    if completion.problem is not None:
        verdicts: dict[str, ModelVerdict | str] = dict.fromkeys(wanted, completion.problem)
    else:
        verdicts = read_answer(completion.document, wanted)
    usage = completion.usage or TokenUsage()
    inputs = split_evenly(usage.input_tokens, len(requests))
    outputs = split_evenly(usage.output_tokens, len(requests))
    return [
        _result(
            judge,
            request,
            verdicts[name],
            TokenUsage(input_tokens=i, output_tokens=o),
            in_batch=in_batch,
        )
        for request, name, i, o in zip(requests, wanted, inputs, outputs, strict=True)
    ]


def _result(
    judge: JudgeSpec,
    request: CompareRequestV1,
    verdict: ModelVerdict | str,
    usage: TokenUsage,
    *,
    in_batch: bool,
) -> LLMComparisonResultV1:
    price = price_of(judge)
    cost = price and price.of(usage.input_tokens, usage.output_tokens, in_batch=in_batch)
    paid = {
        "correlation_id": request.correlation_id,
        "request_metadata": request.metadata,
        "provider": judge.provider,
        "model": judge.model or "unknown",
        "token_usage": usage,
        "cost_usd": cost,
    }
    if isinstance(verdict, str):
        # Malformed once may be chance; twice, asked alone, is how this model answers.
        detail = ErrorDetail(
            code="malformed_verdict",
            message=verdict[:_LONGEST_MESSAGE],
            retryable=request.metadata.attempt == 1,
        )
        return LLMComparisonResultV1.model_validate({**paid, "error_detail": detail})
    return LLMComparisonResultV1.model_validate(
        {
            **paid,
            "winner": verdict.winner,
            "degree": verdict.degree,
            "confidence": verdict.confidence,
            "justification": verdict.justification and verdict.justification[:_LONGEST_MESSAGE],
        }
    )
