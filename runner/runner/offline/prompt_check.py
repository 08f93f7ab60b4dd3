"""How a prompt makes a judge behave: every pair in both orders, counted with intervals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

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
from assessment.domain.prompt import EssayPair, JudgeInstructions, prompt_sha256
from scoring.proportions import wilson_interval

_AT_ONCE = 4
_TRIES = 3
_SEEN_FROM_B = {"A": "B", "B": "A", "tie": "tie"}


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval by Wilson (1927); None where nothing was counted."""

    name: str
    n_hits: int
    n_counted: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.n_hits / self.n_counted if self.n_counted else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval."""
        return (
            wilson_interval(self.n_hits / self.n_counted, self.n_counted)
            if self.n_counted
            else None
        )


@dataclass(frozen=True)
class PromptReport:
    """What the judge did with the pairs."""

    shares: list[Share]
    n_calls: int
    n_failed: int
    cost_usd: float | None


@dataclass(frozen=True)
class Trial:
    """A pair, what the judge said in both orders (A is `first` in both), and what others said."""

    first: str
    second: str
    forward: str | None
    backward: str | None
    reference: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is a verdict in both orders."""
        return bool(self.forward and self.backward)

    def list_first_choices(self) -> list[bool]:
        """For each order whether the essay shown first was preferred; none if either is a tie."""
        if "tie" in (self.forward, self.backward):
            return []
        return [self.forward == "A", self.backward == "B"]

    def list_agreements(self) -> list[bool]:
        """For each order without a tie whether the verdict is the reference's, if there is one."""
        if self.reference not in ("A", "B"):
            return []
        verdicts = [verdict for verdict in (self.forward, self.backward) if verdict != "tie"]
        return [verdict == self.reference for verdict in verdicts]


def choose_pairs(names: Sequence[str], count: int) -> list[tuple[str, str]]:
    """So many pairs, spread evenly over all of them; the same names give the same pairs."""
    pairs = list(combinations(sorted(names), 2))
    if count >= len(pairs):
        return pairs
    return [pairs[n * len(pairs) // count] for n in range(count)]


def summarise(trials: Sequence[Trial]) -> list[Share]:
    """Order consistency, first-choice rate and agreement with the reference."""
    complete = [trial for trial in trials if trial.is_complete]
    consistent = [trial.forward == trial.backward for trial in complete]
    first_choices = chain.from_iterable(trial.list_first_choices() for trial in complete)
    agreements = chain.from_iterable(trial.list_agreements() for trial in complete)
    return [
        _count("order consistency", consistent),
        _count("first shown is preferred", first_choices),
        _count("agreement with reference", agreements),
    ]


def _count(name: str, outcomes: Iterable[bool]) -> Share:
    counted = list(outcomes)
    return Share(name, sum(counted), len(counted))


async def check_prompt(
    judge: JudgeSpec,
    texts: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    *,
    run_id: str,
    instructions: JudgeInstructions,
    key: str | None,
    references: Mapping[tuple[str, str], str],
) -> PromptReport:
    """Ask about every pair in both orders, one comparison to a call; `run_id` names them all.

    Raises
    ------
    InvalidRequestError
        If the template does not render or loses an essay, before anything is asked.
    JudgeError
        If the judge refuses, or answers nothing at all.
    """
    JinjaPrompts().check(judge)
    forward = [(f"pair-{number:04d}-forward", *pair) for number, pair in enumerate(pairs)]
    backward = [(f"pair-{number:04d}-backward", *pair[::-1]) for number, pair in enumerate(pairs)]
    requests = [
        _request(judge, instructions, EssayPair(name, texts[first], texts[second]), run_id=run_id)
        for name, first, second in (*forward, *backward)
    ]
    results = await _ask_all(judge, requests, key=key)
    winners = [result.winner if result else None for result in results]
    trials = [
        Trial(
            *pair,
            forward=shown_first,
            backward=_SEEN_FROM_B[shown_second] if shown_second else None,
            reference=references.get(pair),
        )
        for pair, shown_first, shown_second in zip(
            pairs, winners[: len(pairs)], winners[len(pairs) :], strict=True
        )
    ]
    return PromptReport(
        shares=summarise(trials),
        n_calls=len(results),
        n_failed=winners.count(None),
        cost_usd=_sum_costs(results),
    )


def _sum_costs(results: Iterable[LLMComparisonResultV1 | None]) -> float | None:
    """What all answers cost; None where the price of one is not known."""
    costs = [result.cost_usd for result in results if result]
    prices = [cost for cost in costs if cost is not None]
    return sum(prices) if len(prices) == len(costs) else None


async def _ask_all(
    judge: JudgeSpec, requests: Sequence[CompareRequestV1], *, key: str | None
) -> list[LLMComparisonResultV1 | None]:
    """The results in the order of the requests, None where the judge was out of reach.

    Raises
    ------
    JudgeError
        If the judge refuses, or answers nothing at all.
    """
    limit = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient() as client:
        model_judge = ModelJudge(judge, _model(judge, client, key))

        async def ask(request: CompareRequestV1) -> LLMComparisonResultV1 | JudgeError:
            async with limit:
                return await _ask(model_judge, request)

        answers = await asyncio.gather(*map(ask, requests))
    outages = [answer for answer in answers if isinstance(answer, JudgeError)]
    if len(outages) == len(answers):
        raise outages[-1]
    return [None if isinstance(answer, JudgeError) else answer for answer in answers]


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
            if isinstance(result, LLMComparisonResultV1):
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
    judge: JudgeSpec, instructions: JudgeInstructions, pair: EssayPair, *, run_id: str
) -> CompareRequestV1:
    blocks = JinjaPrompts().render(judge, instructions, [pair], bundle=True)
    return CompareRequestV1(
        correlation_id=pair.comparison_id,
        callback=CallbackAddress(),
        essay_a=CompareEssay(essay_id="A", text=pair.essay_a),
        essay_b=CompareEssay(essay_id="B", text=pair.essay_b),
        prompt_blocks=blocks,
        metadata=CompareMetadata(
            batch_id=run_id,
            wave=1,
            comparison_id=pair.comparison_id,
            essay_a_id="A",
            essay_b_id="B",
            prompt_sha256=prompt_sha256(blocks),
        ),
    )
