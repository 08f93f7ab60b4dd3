"""Batches in lists of five on the laptop cloud: alike by all providers, and all accounted for."""

import pytest
from scipy.stats import spearmanr

from local.demo import CONFIG
from local.judge.options import JudgeOptions
from tests.local_cloud.conftest import KEY_NAME
from tests.local_cloud.running import run_together

pytestmark = pytest.mark.local_cloud

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
SIZE = 5
# Three waves: a wave takes what the budget still has.
SETTINGS = {**CONFIG, "comparisons_per_essay_per_wave": 20, "max_comparisons_per_essay": 8}


def run(set_up, sample, judges):
    """For each judge a batch's result, and its comparisons."""
    with set_up.client() as client:
        documents = run_together(set_up, client, sample, judges, config=SETTINGS)
        return [
            (document, list(client.list_comparisons(document["batch_id"])))
            for document in documents
        ]


def abilities(document):
    return {each["essay_id"]: each["bradley_terry_score"] for each in document["rankings"]}


def list_orders(comparisons):
    """The rankings of lists by their ids."""
    return {one.comparison_id: one.list_verdict.ranking for one in comparisons if one.list_verdict}


def correlate_abilities(one, other):
    """Spearman's correlation of the abilities of two results."""
    essays = sorted(abilities(one))
    first, second = ([abilities(each)[essay] for essay in essays] for each in (one, other))
    return spearmanr(first, second).statistic


CALLBACKS = {"provider": "callback_endpoint", "list_size": SIZE}


def make_judge(url, provider, mode):
    place = {
        "openai": {"base_url": f"{url}/v1", "api_key_secret": KEY_NAME},
        "anthropic": {"base_url": url, "api_key_secret": KEY_NAME},
        "bedrock": {},
    }[provider]
    return {
        "provider": provider, "model": MODEL, **place, "batching_mode": mode, "list_size": SIZE,
        "price": {"input_usd": 1.0, "output_usd": 4.0},
    }  # fmt: skip


# Ways of one kind plan the same comparisons; a provider's batches have larger waves, so others.
# Bedrock takes no job of fewer than 100 comparisons, more than so few essays have in lists.
KINDS = (
    (("anthropic", "per_request"),),
    (("openai", "serial_bundle"), ("bedrock", "serial_bundle")),
    (("openai", "provider_batch_api"), ("anthropic", "provider_batch_api")),
)


def test_lists_are_the_same_by_every_provider_and_mode(stage, small_sample):
    ways = [way for kind in KINDS for way in kind]
    with stage(JudgeOptions(latency=0.05)) as (set_up, server):
        judges = [CALLBACKS, *(make_judge(server.url, *way) for way in ways)]
        by_callbacks, *others = run(set_up, small_sample, judges)
    runs = dict(zip(ways, others, strict=True))
    document, comparisons = by_callbacks
    lists = [each.list_verdict for each in comparisons if each.is_list]
    assert all(order is not None and len(order.ranking) == SIZE for order in lists)
    n_pairs = len(comparisons) - len(lists)
    assert SIZE * len(lists) > 2 * n_pairs, "most readings are in lists"
    for kind in KINDS:
        alike = [runs[way] for way in kind]
        if kind is KINDS[0]:
            alike.append(by_callbacks)
        (document, found), (other, asked) = alike
        # A comparison that fails changes every plan after it: say so before abilities differ.
        failures = [each.failure for each in (*found, *asked) if each.failure]
        assert not failures, kind
        assert abilities(document) == pytest.approx(abilities(other), abs=1e-6), kind
        assert list_orders(found) == list_orders(asked)
        assert list_orders(found)
        assert document["repeated_calls"] == other["repeated_calls"] == 0
        # Without failures the runs are always the same: .93 with the providers' batches.
        assert correlate_abilities(document, by_callbacks[0]) > 0.8, kind


def test_a_troubled_judge_loses_no_list(stage, small_sample):
    troubled = JudgeOptions(latency=0.05, error_rate=0.2, duplicate_rate=0.2, shuffle=1.0)
    with stage(troubled) as (set_up, _):
        ((document, comparisons),) = run(set_up, small_sample, [CALLBACKS])
    lists = [each for each in comparisons if each.is_list]
    assert lists
    replaced = {each.failed_list_id for each in comparisons if each.failed_list_id}
    for each in lists:
        has_ended = each.list_verdict is not None or each.failure is not None
        assert has_ended, each.comparison_id
    recorded = sum(each.verdict is not None for each in comparisons)
    counts = document["comparisons"]
    assert counts["planned"] == len(comparisons)
    assert (counts["recorded"], counts["failed"]) == (recorded, len(comparisons) - recorded)
    assert replaced <= {each.comparison_id for each in lists if each.list_verdict is None}
