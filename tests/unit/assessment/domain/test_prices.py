"""List prices: what is looked up under which name, and that they are those of the sources."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from pathlib import Path

import pytest

from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.price import Price
from assessment.domain.prices import CACHE_PRICE_LISTS, PRICE_LISTS, find_price
from tests.present import present

DOCS = Path(__file__).parents[4] / "docs" / "judges.md"
# The price list that LiteLLM brings; `make litellm` installs it beside the tests' environment.
LITELLM = sorted(
    Path(sys.prefix, "litellm").glob(
        "lib/python*/site-packages/litellm/model_prices_and_context_window_backup.json"
    )
)
# OpenAI's page of models has these; LiteLLM's list has not.
NEWER_THAN_LITELLM = {"gpt-6.2-astra", "gpt-6.2-sol"}


def price(model, provider="openai", **settings):
    found = find_price(JudgeSpec(provider=provider, model=model, **settings))
    return None if found is None else (found.input_usd, found.output_usd)


def test_every_list_says_when_and_where_it_was_looked_up():
    assert set(PRICE_LISTS) == {Provider.OPENAI, Provider.ANTHROPIC, Provider.BEDROCK}
    for listed in PRICE_LISTS.values():
        assert listed.as_of > date(2026, 1, 1)
        assert listed.source
        assert listed.models


@pytest.mark.parametrize(
    ("provider", "dated", "name"),
    [
        ("openai", "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("openai", "gpt-5-2025-08-07", "gpt-5"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("bedrock", "amazon.nova-2-lite-v1:0", "amazon.nova-2-lite"),
        ("bedrock", "anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6"),
        (
            "bedrock",
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            "anthropic.claude-haiku-4-5",
        ),
    ],
)
def test_a_date_and_a_version_do_not_change_the_price(provider, dated, name):
    assert price(dated, provider) == price(name, provider) is not None


@pytest.mark.parametrize("profile", ["us", "eu", "apac", "jp", "au"])
def test_a_profile_of_a_region_costs_what_the_model_costs_there(profile):
    model = "anthropic.claude-haiku-4-5-20251001-v1:0"
    assert price(f"{profile}.{model}", "bedrock") == price(model, "bedrock") == (1.10, 5.50)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", (1.00, 5.00)),
        ("us.amazon.nova-lite-v1:0", (0.06, 0.24)),
        ("eu.amazon.nova-lite-v1:0", (0.078, 0.312)),
        (
            "arn:aws:bedrock:eu-north-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
            (0.078, 0.312),
        ),
    ],
)
def test_a_profile_with_a_price_of_its_own_has_that(model, expected):
    assert price(model, "bedrock") == expected


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4.1-turbo"),
        ("openai", "gpt-4"),
        ("openai", "us.gpt-4.1"),
        ("openai", "claude-haiku-4-5"),
        ("anthropic", "claude-sonnet-4-20250514"),
        ("anthropic", "claude-haiku-4-5-fast"),
        ("bedrock", "claude-haiku-4-5"),
        ("bedrock", "us-gov.anthropic.claude-sonnet-5"),
        ("bedrock", "eu.meta.llama3-3-70b-instruct-v1:0"),
        ("bedrock", "arn:aws:bedrock:eu-north-1:123456789012:application-inference-profile/a1b2"),
    ],
)
def test_what_is_not_listed_is_unknown_and_not_guessed(provider, model):
    assert price(model, provider) is None


def test_people_and_endpoints_that_call_back_have_no_list_price():
    assert find_price(JudgeSpec(provider=Provider.PERSON)) is None
    assert find_price(JudgeSpec()) is None


def test_a_batchs_own_price_wins():
    own = Price(input_usd=0.5, output_usd=0.25)
    assert price("gpt-4.1", price=own) == (0.5, 0.25)
    assert price("no-such-model", price=own, base_url="https://llm.example.org/v1") == (0.5, 0.25)


def test_another_endpoint_does_not_charge_list_prices():
    assert price("gpt-4.1", base_url="https://llm.example.org/v1") is None


def test_cached_input_costs_its_share_of_the_input_price():
    assert CACHE_PRICE_LISTS.keys() == PRICE_LISTS.keys()
    for provider, listed in CACHE_PRICE_LISTS.items():
        priced = PRICE_LISTS[provider].models.keys()
        assert priced - listed.models.keys() <= NEWER_THAN_LITELLM
        assert listed.models.keys() <= priced
        assert all(read < 1 <= write for read, write in listed.models.values())
    judge = JudgeSpec(provider=Provider.ANTHROPIC, model="claude-haiku-4-5-20251001")
    found = present(find_price(judge))
    assert (found.cache_read_share, found.cache_write_share) == (0.1, 1.25)
    cost = found.compute(1000, 0, cache_read_tokens=600, cache_write_tokens=300)
    assert cost == pytest.approx((100 + 60 + 375) / 1e6)


def test_a_model_whose_cache_has_no_known_price_is_charged_whole():
    found = present(find_price(JudgeSpec(provider=Provider.OPENAI, model="gpt-6.2-sol")))
    assert found.compute(1000, 0, cache_read_tokens=1000) == found.compute(1000, 0)


@pytest.mark.skipif(not LITELLM, reason="LiteLLM's price list is not there; `make litellm`")
def test_prices_are_those_of_litellms_list():
    charged = litellms_prices()
    for listed in PRICE_LISTS.values():
        for name, prices in listed.models.items():
            found = {charged[model] for model in charged if match_names(name).fullmatch(model)}
            assert found == (set() if name in NEWER_THAN_LITELLM else {prices}), name


def litellms_prices():
    """US dollars for a million input and output tokens, by LiteLLM's name of the model."""
    return {
        model: tuple(round(entry[f"{way}_cost_per_token"] * 1e6, 6) for way in ("input", "output"))
        for model, entry in json.loads(LITELLM[0].read_text(encoding="utf-8")).items()
        if entry.get("mode") == "chat"
        and {"input_cost_per_token", "output_cost_per_token"} <= entry.keys()
    }


@pytest.mark.skipif(not LITELLM, reason="LiteLLM's price list is not there; `make litellm`")
def test_cache_prices_are_those_of_litellms_list():
    charged = {
        model: tuple(
            round((entry.get(f"cache_{way}_input_token_cost") or cost) / cost, 6)
            for way in ("read", "creation")
        )
        for model, entry in json.loads(LITELLM[0].read_text(encoding="utf-8")).items()
        if (cost := entry.get("input_cost_per_token")) and entry.get("mode") == "chat"
    }
    for listed in CACHE_PRICE_LISTS.values():
        for name, shares in listed.models.items():
            found = {charged[model] for model in charged if match_names(name).fullmatch(model)}
            assert found == {shares}, name


def match_names(name):
    """LiteLLM's names of a model of ours."""
    # A Claude model without a profile is listed here as in a region; there, as everywhere.
    profile = r"(us|eu|jp|au|apac)\." if name.startswith("anthropic.") else ""
    return re.compile(rf"{profile}{re.escape(name)}(-\d{{8}})?(-v\d+(:\d+)?)?")


def test_the_costs_in_the_documentation_are_those_of_the_lists():
    rows = re.findall(
        r"^\| `\w+/([\w.-]+)` \| ([\d.]+), ([\d.]+) \| ([\d.]+) \([\d.]+ to [\d.]+\) \|$",
        DOCS.read_text(),
        re.MULTILINE,
    )
    assert len(rows) >= 6
    for model, input_usd, output_usd, cost in rows:
        (found,) = filter(None, (price(model, provider) for provider in PRICE_LISTS))
        assert found == (float(input_usd), float(output_usd)), model
        assert f"{228 * (564 * found[0] + 40 * found[1]) / 1e6:.2g}" == cost, model
