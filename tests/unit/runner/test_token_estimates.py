"""The figures that the page of a new batch estimates costs by are those of the default prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.price import Price
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


@pytest.mark.parametrize("n_letters", SIZES)
@pytest.mark.parametrize("n_essays", [20, 30, 60])
def test_the_formula_of_the_page_is_that_of_the_command(n_essays: int, n_letters: int) -> None:
    known = read_token_estimates()
    judge = JudgeSpec(provider=Provider.OPENAI, model="gpt-4.1-mini")
    texts = [f"{number:03d}".ljust(n_letters, "x") for number in range(n_essays)]
    cost = estimate_cost(judge, texts, JudgeInstructions())
    assert cost is not None
    n_bytes = (
        known.texts_per_shared_comparison * (n_letters + known.bytes_around_essay)
        + known.bytes_around_shared_comparison
    )
    least, expected, most = (n_bytes / each for each in known.bytes_per_token)
    tokens = cost.input_tokens
    assert (tokens.low, tokens.expected, tokens.high) == pytest.approx(
        (least, expected, most), rel=0.05
    )


def list_documented_costs() -> list[tuple[str, str]]:
    """Models and costs of the table of `docs/judges.md`."""
    text = (Path(__file__).parents[3] / "docs" / "judges.md").read_text(encoding="utf-8")
    table = text.partition("## What a class of 30 costs")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
    return [(row[1], row[3]) for row in rows if len(row) == 5 and "/" in row[1]]


def test_the_costs_of_the_documentation_are_those_of_the_command() -> None:
    documented = list_documented_costs()
    assert len(documented) == 6
    texts = [f"{number:02d}".ljust(2600, "x") for number in range(38)]
    for name, costs in documented:
        provider, model = name.strip("`").split("/")
        judge = JudgeSpec(provider=Provider(provider), model=model)
        estimate = estimate_cost(judge, texts, JudgeInstructions())
        assert estimate is not None
        cost = estimate.cost_usd
        assert cost is not None
        low, expected, high = (f"{228 * usd:.2g}" for usd in (cost.low, cost.expected, cost.high))
        assert costs == f"{expected} ({low} to {high})", name


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("openai", {}),
        ("anthropic", {"batching_mode": "provider_batch_api"}),
        ("bedrock", {"batching_mode": "provider_batch_api"}),
    ],
)
def test_the_least_cost_is_with_the_common_part_of_prompts_from_the_cache(
    provider: str, settings: dict[str, str]
) -> None:
    price = Price(input_usd=1.0, output_usd=0.0)
    plain = JudgeSpec.model_validate(
        {"provider": provider, "model": "m", "price": price, **settings}
    )
    cached = plain.model_copy(update={"price": price.model_copy(update={"cache_read_share": 0.1})})
    texts = [f"{number:02d}".ljust(2600, "x") for number in range(20)]
    has_cache = provider != "bedrock"  # its jobs have none
    for rubric, changes in (("Short.", False), ("Weigh. " * 1000, has_cache)):
        told = JudgeInstructions(judge_rubric=rubric)
        usual, least = (estimate_cost(judge, texts, told) for judge in (plain, cached))
        assert usual is not None
        assert least is not None
        assert usual.cost_usd is not None
        assert least.cost_usd is not None
        assert (least.cost_usd.low < usual.cost_usd.low) is changes
        assert least.cost_usd.expected == usual.cost_usd.expected
