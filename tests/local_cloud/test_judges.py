"""The demo's batch by every provider and mode on the laptop cloud gives the same abilities."""

import httpx
import pytest
from scipy.stats import spearmanr

from local.demo import CONFIG, run_batch
from local.judge.options import JudgeOptions
from tests.local_cloud.conftest import KEY_NAME

pytestmark = pytest.mark.local_cloud

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
# Two waves of 32 comparisons of 16 texts.
TWO_WAVES = {"max_comparisons_per_essay": 8}


@pytest.fixture(scope="module")
def stage_and_judge(stage):
    with stage(JudgeOptions(latency=0.05)) as answered:
        yield answered


def run(stage_and_judge, sample, judge=None, **config):
    """A batch's abilities, its result, and what the endpoint counted for it."""
    set_up, server = stage_and_judge
    before = httpx.get(f"{server.url}/stats", timeout=10).json()["totals"]
    with set_up.client() as client:
        document = run_batch(
            client, sample, config={**CONFIG, **config}, judge=judge, show=lambda *_: None
        )
    after = httpx.get(f"{server.url}/stats", timeout=10).json()["totals"]
    abilities = {r["essay_id"]: r["bradley_terry_score"] for r in document["rankings"]}
    return abilities, document, {name: n - before.get(name, 0) for name, n in after.items()}


@pytest.fixture(scope="module")
def by_callbacks(stage_and_judge, small_sample):
    return run(stage_and_judge, small_sample, **TWO_WAVES)[0]


def make_judge(stage_and_judge, provider, mode, **settings):
    """The sample judge as this provider, in this mode, at an example price."""
    url = stage_and_judge[1].url
    place = {
        "openai": {"base_url": f"{url}/v1", "api_key_secret": KEY_NAME},
        "anthropic": {"base_url": url, "api_key_secret": KEY_NAME},
        # The laptop cloud's Bedrock hands its conversations to the same judge.
        "bedrock": {},
    }[provider]
    return {
        "provider": provider,
        "model": MODEL,
        **place,
        "batching_mode": mode,
        "price": {"input_usd": 1.0, "output_usd": 4.0},
        **settings,
    }


@pytest.mark.parametrize("provider", ["openai", "anthropic", "bedrock"])
def test_abilities_do_not_depend_on_the_provider(
    stage_and_judge, small_sample, by_callbacks, provider
):
    judge = make_judge(stage_and_judge, provider, "per_request")
    abilities, document, counted = run(stage_and_judge, small_sample, judge, **TWO_WAVES)
    assert abilities == by_callbacks
    check_accounts(document, provider)
    assert counted["calls"] == document["comparisons"]["recorded"]


@pytest.fixture(scope="module")
def bundled(stage_and_judge, small_sample):
    """The same batch in bundles, whose pairs share essays, by each provider."""
    return {
        provider: run(
            stage_and_judge,
            small_sample,
            make_judge(stage_and_judge, provider, "serial_bundle"),
            **TWO_WAVES,
        )
        for provider in ("openai", "anthropic", "bedrock")
    }


@pytest.mark.parametrize("provider", ["openai", "anthropic", "bedrock"])
def test_bundles_give_the_same_abilities_with_every_provider(bundled, by_callbacks, provider):
    abilities, document, counted = bundled[provider]
    # Other pairs than those of single calls: the same order, as far as so few tell it.
    assert abilities == bundled["openai"][0]
    assert abilities.keys() == by_callbacks.keys()
    essays = sorted(abilities)
    single = [by_callbacks[essay] for essay in essays]
    assert spearmanr([abilities[essay] for essay in essays], single).statistic > 0.8
    check_accounts(document, provider)
    assert counted["calls"] <= document["comparisons"]["recorded"] / 3


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_abilities_are_the_same_by_the_providers_batches(
    stage_and_judge, small_sample, bundled, provider
):
    judge = make_judge(stage_and_judge, provider, "provider_batch_api", provider_batch_size=25)
    abilities, document, counted = run(stage_and_judge, small_sample, judge, **TWO_WAVES)
    # The same calls, as requests of a batch.
    assert abilities == bundled[provider][0]
    # Two waves of 32 in parts of at most 25.
    assert (counted["batches"], counted.get("calls", 0)) == (4, 0)
    assert counted["verdicts"] == document["comparisons"]["recorded"] == 64
    assert document["repeated_calls"] == 0
    assert document["cost_usd"] == pytest.approx(full_price(document) / 2, abs=1e-5)


def test_abilities_are_the_same_by_bedrocks_jobs(stage_and_judge, sample):
    # Bedrock takes no job below 100 records.
    large = {"comparisons_per_essay_per_wave": 8}
    expected = run(stage_and_judge, sample, **large)[0]
    judge = make_judge(stage_and_judge, "bedrock", "provider_batch_api", bundle_size=1)
    abilities, document, counted = run(stage_and_judge, sample, judge, **large)
    assert abilities == expected
    # A wave of 128 is a job; the 64 that are left of the budget are too few and go one by one.
    assert (counted["batches"], counted["calls"]) == (1, 64)
    assert counted["verdicts"] == document["comparisons"]["recorded"] == 192
    assert document["repeated_calls"] == 0
    assert document["cost_usd"] < full_price(document)


def check_accounts(document, provider):
    assert document["judges"] == [f"{provider}/{MODEL}"]
    assert document["cost_usd"] == pytest.approx(full_price(document), abs=1e-5)
    assert document["repeated_calls"] == 0


def full_price(document):
    return (document["input_tokens"] + 4 * document["output_tokens"]) / 1e6
