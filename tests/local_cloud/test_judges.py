"""The demo's batch by every provider and mode on the laptop cloud gives the same abilities."""

import httpx
import pytest

from local.demo import CONFIG, run_batch
from local.judge_options import JudgeOptions
from local.stack import STACK

pytestmark = [pytest.mark.local_cloud, pytest.mark.timeout(600)]

KEY_NAME = "sample"
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture(scope="module")
def stage_and_judge(stage):
    with stage("test-judges", JudgeOptions(latency=0.05)) as (set_up, judge):
        secrets = set_up.cloud.session().client("secretsmanager", endpoint_url=set_up.cloud.url)
        secrets.create_secret(Name=f"{STACK}/judge/{KEY_NAME}", SecretString="no-real-key")
        yield set_up, judge


def run(stage_and_judge, sample, judge=None):
    """A batch's abilities, its judges, and how many calls the endpoint saw for it."""
    set_up, server = stage_and_judge
    before = httpx.get(f"{server.url}/stats", timeout=10).json()["totals"]
    with set_up.client() as client:
        document = run_batch(client, sample, config=CONFIG, judge=judge, show=lambda *_: None)
    after = httpx.get(f"{server.url}/stats", timeout=10).json()["totals"]
    abilities = {r["essay_id"]: r["bradley_terry_score"] for r in document["rankings"]}
    return abilities, document, after.get("calls", 0) - before.get("calls", 0)


@pytest.fixture(scope="module")
def by_callbacks(stage_and_judge, sample):
    return run(stage_and_judge, sample)[0]


@pytest.mark.parametrize("mode", ["serial_bundle", "per_request"])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "bedrock"])
def test_abilities_do_not_depend_on_provider_or_mode(
    stage_and_judge, sample, by_callbacks, provider, mode
):
    url = stage_and_judge[1].url
    place = {
        "openai": {"base_url": f"{url}/v1", "api_key_secret": KEY_NAME},
        "anthropic": {"base_url": url, "api_key_secret": KEY_NAME},
        # The laptop cloud's Bedrock hands its conversations to the same judge.
        "bedrock": {},
    }[provider]
    judge = {
        "provider": provider,
        "model": MODEL,
        **place,
        "batching_mode": mode,
        "price": {"input_usd": 1.0, "output_usd": 4.0},
    }
    abilities, document, calls = run(stage_and_judge, sample, judge)
    assert abilities == by_callbacks
    assert document["judges"] == [f"{provider}/{MODEL}"]
    recorded = document["comparisons"]["recorded"]
    tokens = document["input_tokens"], document["output_tokens"]
    assert document["cost_usd"] == pytest.approx((tokens[0] + 4 * tokens[1]) / 1e6, abs=1e-5)
    assert document["repeated_calls"] == 0
    assert calls == recorded if mode == "per_request" else calls <= recorded / 3
