"""The figures that the page of a new batch estimates costs by are those of the default prompt."""

from __future__ import annotations

import pytest

from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.prompt import EssayList, EssayPair, JudgeInstructions
from assessment.domain.token_estimates import read_token_estimates
from runner.offline.prices import estimate_cost

SIZES = [10, 2000]


def count_bytes_around(n_letters: int, list_size: int) -> float:
    """Bytes of a prompt beside the essays, for each of its comparisons."""
    n_together = read_token_estimates().comparisons_per_call
    ids = [f"w0001-{number:05d}" for number in range(n_together)]
    judge = JudgeSpec(provider=Provider.OPENAI, model="gpt-4.1-mini")
    text = "x" * n_letters
    prompts = JinjaPrompts()
    if list_size == 2:
        pairs = [EssayPair(name, text, text) for name in ids]
        blocks = prompts.render(judge, JudgeInstructions(), pairs, bundle=True)
    else:
        lists = [EssayList(name, (text,) * list_size) for name in ids]
        blocks = prompts.render_lists(judge, JudgeInstructions(), lists, bundle=True)
    n_bytes = sum(len(block.content.encode()) for block in blocks)
    return n_bytes / n_together - list_size * n_letters


@pytest.mark.parametrize("n_letters", SIZES)
@pytest.mark.parametrize("list_size", [2, 5, 10])
def test_the_bytes_around_essays_are_those_of_the_prompt(n_letters: int, list_size: int) -> None:
    known = read_token_estimates()
    expected = known.bytes_around_comparison + list_size * known.bytes_around_essay
    assert expected == pytest.approx(count_bytes_around(n_letters, list_size), rel=0.05)


def test_the_formula_of_the_page_is_that_of_the_command() -> None:
    known = read_token_estimates()
    texts = ["An argument. " * 40] * 6
    # The page does not know that calls share essays: it forecasts what is paid at the most.
    judge = JudgeSpec(provider=Provider.OPENAI, model="gpt-4.1-mini", template="comparison@2")
    cost = estimate_cost(judge, texts, JudgeInstructions())
    assert cost is not None
    n_bytes = 2 * (len(texts[0]) + known.bytes_around_essay) + known.bytes_around_comparison
    least, expected, most = (n_bytes / each for each in known.bytes_per_token)
    tokens = cost.input_tokens
    assert (tokens.low, tokens.expected, tokens.high) == pytest.approx(
        (least, expected, most), rel=0.05
    )
