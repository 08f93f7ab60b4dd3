"""What a comparison costs: tokens of the prompts that would be sent, and the judge's price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import (
    PAIR_SIZE,
    JudgeSpec,
    Provider,
    estimate_tokens,
)
from assessment.domain.prices import find_price
from assessment.domain.prompt import EssayList, EssayPair, JudgeInstructions, PromptBlock
from assessment.domain.shared_calls import group_comparisons
from assessment.domain.token_estimates import read_token_estimates
from runner.offline.engine import MODE
from runner.offline.study import Range
from scoring.pairing import plan_wave

_ESTIMATES = read_token_estimates()
_BYTES_PER_TOKEN = Range(*_ESTIMATES.bytes_per_token)
_TOKENS_PER_VERDICT = Range(*_ESTIMATES.tokens_per_verdict)
_TOKENS_PER_PLACE = Range(*_ESTIMATES.tokens_per_place)
_SAMPLED_CALLS = 12
_MOST_PLANNED = 60
_LEAST_CACHED_TOKENS = 1024
"""Of common text at the beginning of prompts, below which no provider's cache takes it
(platform.openai.com/docs/guides/prompt-caching; some models of others begin at 4,096)."""


@dataclass(frozen=True)
class CallCost:
    """One comparison's part of a call: tokens, and its cost in US dollars if a price is known."""

    input_tokens: Range
    output_tokens: Range
    cost_usd: Range | None
    n_together: float


def estimate_cost(
    judge: JudgeSpec, texts: Sequence[str], instructions: JudgeInstructions, *, seed: int = 1
) -> CallCost | None:
    """What one of its comparisons of these texts costs on average; None for a judge without tokens.

    The prompts are those that would be sent, of texts drawn at random. The least cost is with the
    common part of every prompt read from the provider's cache, where it is long enough; no
    provider promises that, so that the other costs are without.
    """
    if not judge.is_model:
        return None
    prompts = _draw_prompts(judge, texts, instructions, np.random.default_rng(seed))
    n_comparisons = sum(n for n, _ in prompts)
    n_bytes = sum(len(block.content.encode()) for _, blocks in prompts for block in blocks)
    per_comparison = n_bytes / n_comparisons
    tokens = Range(
        per_comparison / _BYTES_PER_TOKEN.low,
        per_comparison / _BYTES_PER_TOKEN.expected,
        per_comparison / _BYTES_PER_TOKEN.high,
    )
    answer = _count_answer_tokens(judge)
    return CallCost(
        input_tokens=tokens,
        output_tokens=answer,
        cost_usd=_price(judge, tokens, answer, _count_cached_bytes(judge, prompts)),
        n_together=n_comparisons / len(prompts),
    )


def _draw_prompts(
    judge: JudgeSpec,
    texts: Sequence[str],
    instructions: JudgeInstructions,
    rng: np.random.Generator,
) -> list[tuple[int, list[PromptBlock]]]:
    """Prompts of texts drawn at random, each with the number of its comparisons."""
    is_bundled = judge.asks_together(MODE)
    if is_bundled and judge.list_size == PAIR_SIZE and JinjaPrompts().prints_texts_once(judge):
        return _render_wave(judge, texts, instructions, rng)
    drawn = [
        _draw_comparisons(judge, texts, rng, is_bundled=is_bundled) for _ in range(_SAMPLED_CALLS)
    ]
    return [(len(each), _render(judge, instructions, each)) for each in drawn]


def _render_wave(
    judge: JudgeSpec,
    texts: Sequence[str],
    instructions: JudgeInstructions,
    rng: np.random.Generator,
) -> list[tuple[int, list[PromptBlock]]]:
    """The prompts of a first wave of these texts, or of some of them, and what each asks about."""
    n_texts = min(len(texts), _MOST_PLANNED)
    chosen = rng.choice(len(texts), n_texts, replace=False)
    plan = plan_wave(n_texts, rng=rng, shares_essays=True)
    pairs = [(str(chosen[a]), str(chosen[b])) for a, b in zip(plan.first, plan.second, strict=True)]
    # As many as fit where each brings about one new text.
    tokens = [estimate_tokens(texts[at]) for at in chosen]
    n_fitting = int(judge.bundle_tokens * len(tokens) / sum(tokens))
    calls = group_comparisons(pairs, most=max(1, min(judge.bundle_size, n_fitting)))
    prompts = []
    for call in calls:
        essay_pairs = [
            EssayPair(
                f"w0001-{position:05d}",
                texts[int(a)],
                texts[int(b)],
                essay_a_id=a,
                essay_b_id=b,
            )
            for position in call
            for a, b in [pairs[position]]
        ]
        blocks = JinjaPrompts().render(judge, instructions, essay_pairs, bundle=True)
        prompts.append((len(call), list(blocks)))
    return prompts


def find_free_judge(judge: JudgeSpec) -> bool:
    """Whether the judge costs nothing: it asks nobody."""
    return judge.provider is Provider.SURFACE


def _count_answer_tokens(judge: JudgeSpec) -> Range:
    """Tokens of a verdict: of a list, an id and a gap for each further essay beside it."""
    further = judge.list_size - PAIR_SIZE
    each = _TOKENS_PER_PLACE
    plain = _TOKENS_PER_VERDICT
    return Range(
        plain.low + further * each.low,
        plain.expected + further * each.expected,
        plain.high + further * each.high,
    )


def _render(
    judge: JudgeSpec, instructions: JudgeInstructions, drawn: Sequence[EssayList]
) -> list[PromptBlock]:
    if judge.list_size > PAIR_SIZE:
        return JinjaPrompts().render_lists(judge, instructions, drawn, bundle=True)
    pairs = [EssayPair(each.comparison_id, *each.texts) for each in drawn]
    return JinjaPrompts().render(judge, instructions, pairs, bundle=True)


def _count_cached_bytes(
    judge: JudgeSpec, prompts: Sequence[tuple[int, Sequence[PromptBlock]]]
) -> float:
    """Bytes of each comparison's prompt that a provider's cache may have, at the best."""
    if judge.provider is Provider.BEDROCK and judge.uses_provider_batches(MODE):
        return 0.0
    fixed = [
        sum(len(block.content.encode()) for block in blocks if block.is_fixed)
        for _, blocks in prompts
    ]
    least = _LEAST_CACHED_TOKENS * _BYTES_PER_TOKEN.low
    return sum(n for n in fixed if n >= least) / sum(n for n, _ in prompts)


def _price(judge: JudgeSpec, tokens: Range, answer: Range, cached_bytes: float) -> Range | None:
    price = find_price(judge)
    if price is None:
        return None
    in_batch = judge.uses_provider_batches(MODE)
    low, expected, high = (
        price.compute(int(inputs), int(outputs), in_batch=in_batch, cache_read_tokens=int(cached))
        for inputs, outputs, cached in (
            (tokens.low, answer.low, cached_bytes / _BYTES_PER_TOKEN.low),
            (tokens.expected, answer.expected, 0),
            (tokens.high, answer.high, 0),
        )
    )
    return Range(low, expected, high)


def _draw_comparisons(
    judge: JudgeSpec, texts: Sequence[str], rng: np.random.Generator, *, is_bundled: bool
) -> list[EssayList]:
    """The comparisons of one call: as many as the judge is asked about together."""
    drawn: list[EssayList] = []
    n_tokens = 0
    size = min(judge.list_size, len(texts))
    while not drawn or (is_bundled and len(drawn) < judge.bundle_size):
        chosen = [texts[at] for at in rng.choice(len(texts), size, replace=False)]
        n_tokens += sum(map(estimate_tokens, chosen))
        if drawn and n_tokens > judge.bundle_tokens:
            break
        drawn.append(EssayList(f"w0001-{len(drawn):05d}", tuple(chosen)))
    return drawn
