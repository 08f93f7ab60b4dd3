"""The demo's batch by every provider and mode on the laptop cloud gives the same abilities."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from scipy.stats import spearmanr

from local.demo import CONFIG
from local.judge.options import JudgeOptions
from tests.local_cloud.conftest import KEY_NAME
from tests.local_cloud.running import run_together

pytestmark = pytest.mark.local_cloud

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
# Two waves of 32 comparisons of 16 texts.
TWO_WAVES = {"max_comparisons_per_essay": 8}
PROVIDERS = ("openai", "anthropic", "bedrock")
CALLBACKS = "callbacks"


@pytest.fixture(scope="module")
def stage_and_judge(stage):
    with stage(JudgeOptions(latency=0.05)) as answered:
        yield answered


@dataclass(frozen=True)
class Runs:
    """Results of batches that ran at the same time, and what the endpoint counted for all."""

    documents: dict[str, dict[str, Any]]
    counted: dict[str, int]

    @property
    def n_recorded(self) -> int:
        """The verdicts of all batches."""
        return sum(each["comparisons"]["recorded"] for each in self.documents.values())

    def abilities(self, provider: str) -> dict[str, float]:
        """The abilities of a provider's batch."""
        rankings = self.documents[provider]["rankings"]
        return {each["essay_id"]: each["bradley_terry_score"] for each in rankings}


def run(stage_and_judge, sample, judges, **config):
    """Run a batch by each of the judges, which have the names of their providers."""
    set_up, server = stage_and_judge
    before = httpx.get(f"{server.url}/stats", timeout=10).json()["totals"]
    with set_up.client() as client:
        documents = run_together(
            set_up, client, sample, list(judges.values()), config={**CONFIG, **config}
        )
    after = httpx.get(f"{server.url}/stats", timeout=10).json()["totals"]
    counted = {name: n - before.get(name, 0) for name, n in after.items()}
    return Runs(dict(zip(judges, documents, strict=True)), counted)


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


@pytest.fixture(scope="module")
def singly(stage_and_judge, small_sample):
    """The batch by callbacks, and in single calls by each provider."""
    models = {name: make_judge(stage_and_judge, name, "per_request") for name in PROVIDERS}
    return run(stage_and_judge, small_sample, {CALLBACKS: None, **models}, **TWO_WAVES)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_abilities_do_not_depend_on_the_provider(singly, provider):
    assert singly.abilities(provider) == singly.abilities(CALLBACKS)
    check_accounts(singly.documents[provider], provider)


def test_each_comparison_is_one_call(singly):
    # No provider can have fewer, so all together have as many only if each of them has.
    by_callbacks = singly.documents[CALLBACKS]["comparisons"]["recorded"]
    assert singly.counted["calls"] == singly.n_recorded - by_callbacks


@pytest.fixture(scope="module")
def bundled(stage_and_judge, small_sample):
    """The same batch in bundles, whose pairs share essays, by each provider."""
    models = {name: make_judge(stage_and_judge, name, "serial_bundle") for name in PROVIDERS}
    return run(stage_and_judge, small_sample, models, **TWO_WAVES)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_bundles_give_the_same_abilities_with_every_provider(bundled, singly, provider):
    abilities, single = bundled.abilities(provider), singly.abilities(CALLBACKS)
    # Other pairs than those of single calls: the same order, as far as so few tell it.
    assert abilities == bundled.abilities("openai")
    assert abilities.keys() == single.keys()
    essays = sorted(abilities)
    other = [single[essay] for essay in essays]
    assert spearmanr([abilities[essay] for essay in essays], other).statistic > 0.8
    check_accounts(bundled.documents[provider], provider)


def test_bundles_take_a_third_of_the_calls(bundled):
    # One provider without bundles would have as many calls as all together may have.
    assert bundled.counted["calls"] <= bundled.n_recorded / 3


@pytest.fixture(scope="module")
def in_batches(stage_and_judge, small_sample):
    """The same batch by the providers' batches, which are smaller than a wave of 32."""
    models = {
        name: make_judge(stage_and_judge, name, "provider_batch_api", provider_batch_size=25)
        for name in ("openai", "anthropic")
    }
    return run(stage_and_judge, small_sample, models, **TWO_WAVES)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_abilities_are_the_same_by_the_providers_batches(in_batches, bundled, provider):
    # The same calls, as requests of a batch.
    assert in_batches.abilities(provider) == bundled.abilities(provider)
    document = in_batches.documents[provider]
    assert document["comparisons"]["recorded"] == 64
    assert document["repeated_calls"] == 0
    assert document["cost_usd"] == pytest.approx(full_price(document) / 2, abs=1e-5)


def test_a_wave_is_as_many_of_the_providers_batches_as_it_needs(in_batches):
    # For each provider two waves of 32 in parts of at most 25: none can have fewer than four.
    assert (in_batches.counted["batches"], in_batches.counted.get("calls", 0)) == (8, 0)
    assert in_batches.counted["verdicts"] == in_batches.n_recorded


def test_abilities_are_the_same_by_bedrocks_jobs(stage_and_judge, sample):
    # Bedrock takes no job below 100 records.
    large = {"comparisons_per_essay_per_wave": 8}
    judge = make_judge(stage_and_judge, "bedrock", "provider_batch_api", bundle_size=1)
    runs = run(stage_and_judge, sample, {CALLBACKS: None, "bedrock": judge}, **large)
    assert runs.abilities("bedrock") == runs.abilities(CALLBACKS)
    document = runs.documents["bedrock"]
    # A wave of 128 is a job; the 64 that are left of the budget are too few and go one by one.
    assert (runs.counted["batches"], runs.counted["calls"]) == (1, 64)
    assert runs.counted["verdicts"] == runs.n_recorded
    assert document["comparisons"]["recorded"] == 192
    assert document["repeated_calls"] == 0
    assert document["cost_usd"] < full_price(document)


def check_accounts(document, provider):
    assert document["judges"] == [f"{provider}/{MODEL}"]
    assert document["cost_usd"] == pytest.approx(full_price(document), abs=1e-5)
    assert document["repeated_calls"] == 0


def full_price(document):
    return (document["input_tokens"] + 4 * document["output_tokens"]) / 1e6
