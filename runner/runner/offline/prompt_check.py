"""How a prompt makes a judge behave: every pair in both orders, counted with intervals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import httpx

from assessment.adapters.judges.anthropic import AnthropicModel
from assessment.adapters.judges.model_judge import Model, ModelJudge
from assessment.adapters.judges.openai import OpenAIModel
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.judge_errors import JudgeError
from assessment.domain.prompt import EssayPair, JudgeInstructions
from scoring.proportions import wilson_interval

_AT_ONCE = 4
_TRIES = 3
_SEEN_FROM_B = {"A": "B", "B": "A", "tie": "tie"}


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval by Wilson (1927); None where nothing was counted."""

    name: str
    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval."""
        return wilson_interval(self.hits / self.total, self.total) if self.total else None


@dataclass(frozen=True)
class PromptReport:
    """What the judge did with the pairs."""

    shares: list[Share]
    asked: int
    failed: int
    cost_usd: float | None


@dataclass(frozen=True)
class Trial:
    """A pair, what the judge said in both orders (A is `first` in both), and what others said."""

    first: str
    second: str
    forward: str | None
    backward: str | None
    reference: str | None = None


def chosen_pairs(names: Sequence[str], count: int) -> list[tuple[str, str]]:
    """So many pairs, spread evenly over all of them; the same names give the same pairs."""
    every = list(combinations(sorted(names), 2))
    if count >= len(every):
        return every
    return [every[n * len(every) // count] for n in range(count)]


def summarise(trials: Sequence[Trial]) -> list[Share]:
    """Order consistency, first-choice rate and agreement with the reference."""
    both = [t for t in trials if t.forward and t.backward]
    decided = [
        shown_first_won
        for t in both
        for shown_first_won in (t.forward == "A", t.backward == "B")
        if "tie" not in (t.forward, t.backward)
    ]
    known = [(t.forward, t.reference) for t in both if t.reference in ("A", "B")]
    known += [(t.backward, t.reference) for t in both if t.reference in ("A", "B")]
    known = [(said, truth) for said, truth in known if said != "tie"]
    return [
        Share("order consistency", sum(t.forward == t.backward for t in both), len(both)),
        Share("first shown is preferred", sum(decided), len(decided)),
        Share("agreement with reference", sum(said == truth for said, truth in known), len(known)),
    ]


async def check_prompt(
    judge: JudgeSpec,
    texts: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    *,
    instructions: JudgeInstructions,
    key: str | None,
    references: Mapping[tuple[str, str], str],
) -> PromptReport:
    """Ask about every pair in both orders, one comparison to a call.

    Raises
    ------
    InvalidRequestError
        If the template does not render or loses an essay, before anything is asked.
    JudgeError
        If the judge refuses, or answers nothing at all.
    """
    JinjaPrompts().check(judge)
    limit = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient() as client:
        asked = ModelJudge(judge, _model(judge, client, key))

        async def one(name: str, first: str, second: str) -> LLMComparisonResultV1 | JudgeError:
            request = _request(judge, instructions, EssayPair(name, texts[first], texts[second]))
            async with limit:
                return await _ask(asked, request)

        answers = await asyncio.gather(
            *(one(f"pair-{n:04d}-forward", *pair) for n, pair in enumerate(pairs)),
            *(one(f"pair-{n:04d}-backward", *pair[::-1]) for n, pair in enumerate(pairs)),
        )
    outages = [answer for answer in answers if isinstance(answer, JudgeError)]
    if len(outages) == len(answers):
        raise outages[-1]
    results = [None if isinstance(answer, JudgeError) else answer for answer in answers]
    forward, backward = results[: len(pairs)], results[len(pairs) :]
    trials = [
        Trial(
            *pair,
            forward=ahead.winner if ahead else None,
            backward=_SEEN_FROM_B[back.winner] if back and back.winner else None,
            reference=references.get(pair),
        )
        for pair, ahead, back in zip(pairs, forward, backward, strict=True)
    ]
    costs = [result.cost_usd for result in results if result]
    known = [cost for cost in costs if cost is not None]
    return PromptReport(
        shares=summarise(trials),
        asked=len(results),
        failed=sum(1 for result in results if result is None or result.winner is None),
        cost_usd=sum(known) if len(known) == len(costs) else None,
    )


async def _ask(judge: ModelJudge, request: CompareRequestV1) -> LLMComparisonResultV1 | JudgeError:
    """The result; an outage is waited for a little, a refusal is raised."""
    for attempt in range(1, _TRIES + 1):
        try:
            (result,) = await judge.compare([request])
        except JudgeError as error:
            if not error.retryable:
                raise
            if attempt == _TRIES:
                return error
            await asyncio.sleep(getattr(error, "retry_after", None) or 2.0**attempt)
        else:
            return result
    raise AssertionError


def _model(judge: JudgeSpec, client: httpx.AsyncClient, key: str | None) -> Model:
    if judge.provider is Provider.OPENAI:
        return OpenAIModel(client, key)
    if judge.provider is Provider.ANTHROPIC:
        return AnthropicModel(client, key)
    raise InvalidRequestError(
        f"prompt-check asks openai and anthropic endpoints, not {judge.provider}", field="provider"
    )


def _request(
    judge: JudgeSpec, instructions: JudgeInstructions, pair: EssayPair
) -> CompareRequestV1:
    return CompareRequestV1(
        correlation_id=pair.comparison_id,
        callback=CallbackAddress(),
        essay_a=CompareEssay(essay_id="A", text=pair.essay_a),
        essay_b=CompareEssay(essay_id="B", text=pair.essay_b),
        prompt_blocks=JinjaPrompts().render(judge, instructions, [pair], bundle=True),
        metadata=CompareMetadata(
            batch_id="prompt-check",
            wave=1,
            comparison_id=pair.comparison_id,
            essay_a_id="A",
            essay_b_id="B",
            prompt_sha256="",
        ),
    )
