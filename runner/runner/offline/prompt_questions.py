"""Questions to a judge outside of any batch, and its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from assessment.adapters.judges.anthropic import AnthropicModel
from assessment.adapters.judges.model import Model
from assessment.adapters.judges.model_judge import ModelJudge
from assessment.adapters.judges.openai import OpenAIModel
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    ComparisonResult,
    ListMetadata,
    label_essays,
)
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
)
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import PAIR_SIZE, JudgeSpec, Provider
from assessment.domain.judge_errors import JudgeError
from assessment.domain.prompt import (
    EssayList,
    EssayPair,
    JudgeInstructions,
    PromptBlock,
    prompt_sha256,
)

_AT_ONCE = 4
_TRIES = 3


@dataclass(frozen=True)
class Asker:
    """A judge, what it is told, and the texts that it may be asked about by their names."""

    judge: JudgeSpec
    instructions: JudgeInstructions
    texts: Mapping[str, str] = field(repr=False)
    run_id: str
    key: str | None = field(default=None, repr=False)

    def write_request(self, name: str, shown: Sequence[str], *, repeat: int = 0) -> CompareRequest:
        """The request about texts in the order shown: two are compared, more are ranked.

        The prompt is the same for every `repeat`; what names the request is not, so that no
        endpoint takes it for one that it has answered.
        """
        texts = tuple(self.texts[essay] for essay in shown)
        blocks = self._render(name, texts)
        common: dict[str, Any] = {
            "correlation_id": f"{name}-{repeat}",
            "callback": CallbackAddress(),
            "prompt_blocks": blocks,
        }
        fields: dict[str, Any] = {
            "batch_id": self.run_id,
            "wave": 1,
            "comparison_id": name,
            "prompt_sha256": prompt_sha256(blocks),
        }
        if len(shown) > PAIR_SIZE:
            return CompareRequestV2(
                **common,
                essays=label_essays(shown, texts),
                metadata=ListMetadata(**fields, essay_ids=tuple(shown)),
            )
        return CompareRequestV1(
            **common,
            essay_a=CompareEssay(essay_id="A", text=texts[0]),
            essay_b=CompareEssay(essay_id="B", text=texts[1]),
            metadata=CompareMetadata(**fields, essay_a_id="A", essay_b_id="B"),
        )

    def _render(self, name: str, texts: tuple[str, ...]) -> list[PromptBlock]:
        if len(texts) > PAIR_SIZE:
            lists = [EssayList(name, texts)]
            return JinjaPrompts().render_lists(self.judge, self.instructions, lists, bundle=True)
        pairs = [EssayPair(name, *texts)]
        return JinjaPrompts().render(self.judge, self.instructions, pairs, bundle=True)

    async def ask(self, requests: Sequence[CompareRequest]) -> list[ComparisonResult | None]:
        """The results in the order of the requests, None where the judge was out of reach.

        Raises
        ------
        JudgeError
            If the judge refuses, or answers nothing at all.
        """
        limit = asyncio.Semaphore(_AT_ONCE)
        # Addresses are not checked as in the service: it is the user's own machine that asks.
        async with httpx.AsyncClient() as client:
            model_judge = ModelJudge(self.judge, _make_model(self.judge, client, self.key))

            async def ask(request: CompareRequest) -> ComparisonResult | JudgeError:
                async with limit:
                    return await _ask(model_judge, request)

            answers = await asyncio.gather(*map(ask, requests))
        outages = [answer for answer in answers if isinstance(answer, JudgeError)]
        if len(outages) == len(answers):
            raise outages[-1]
        return [None if isinstance(answer, JudgeError) else answer for answer in answers]


async def _ask(judge: ModelJudge, request: CompareRequest) -> ComparisonResult | JudgeError:
    """The result; an outage is waited for a little, a refusal is raised."""
    for attempt in range(1, _TRIES + 1):
        try:
            (result,) = await judge.compare([request])
        except JudgeError as error:
            if not error.retryable:
                raise
            if attempt == _TRIES:
                return error
            await asyncio.sleep(error.retry_after or 2.0**attempt)
        else:
            return result
    raise AssertionError


def _make_model(judge: JudgeSpec, client: httpx.AsyncClient, key: str | None) -> Model:
    if judge.provider is Provider.OPENAI:
        return OpenAIModel(client, key)
    if judge.provider is Provider.ANTHROPIC:
        return AnthropicModel(client, key)
    raise InvalidRequestError(
        f"prompt-check asks openai and anthropic endpoints, not {judge.provider}", field="provider"
    )


def sum_costs(results: Iterable[ComparisonResult | None]) -> float | None:
    """What all answers cost; None where the price of one is not known."""
    costs = [result.cost_usd for result in results if result]
    prices = [cost for cost in costs if cost is not None]
    return sum(prices) if len(prices) == len(costs) else None


def count_tokens(results: Iterable[ComparisonResult | None]) -> int:
    """Tokens of all answers and of their prompts."""
    spent = [result.spent for result in results if result]
    return sum(each.input_tokens + each.output_tokens for each in spent)
