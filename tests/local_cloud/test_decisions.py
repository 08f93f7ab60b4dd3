"""How batches end on the laptop cloud when the judge is not a good one, or the net is small.

They wait for deadlines, pauses and a judge that is away, so they run side by side.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.contracts.request import BatchRequest
from assessment.contracts.views import BatchProgress
from assessment.domain.judge import JudgeSpec
from local.demo import CONFIG, Stage
from local.judge.options import JudgeOptions
from local.sample import Sample
from local.stack.processes import free_port
from runner.client import ApiClient
from tests.local_cloud.disturbances import result_bytes, run_sample
from tests.local_cloud.forked_judge import run_judge
from tests.local_cloud.running import await_end

pytestmark = pytest.mark.local_cloud

PATIENCE_SECONDS = 120
# It answers at once: a verdict that was only promised would be gone with the process.
IMMEDIATE = JudgeOptions(latency=0.2, immediate=True)
JUDGES = {
    "coin": JudgeOptions(latency=0.05, coin_flip=True),
    "silent": JudgeOptions(silent=1.0),
    # Half of the errors come as callbacks, the other half as refusals with 503.
    "faulty": JudgeOptions(latency=0.05, error_rate=0.3),
    "quick": JudgeOptions(latency=0.05),
}
SETTINGS = {
    # Enough comparisons for the verdicts to speak for a coin, or nearly so.
    "coin": {**CONFIG, "max_comparisons_per_essay": 24},
    "silent": {**CONFIG, "wave_timeout_seconds": 6},
    "faulty": {**CONFIG, "retry_pool_threshold": 5, "max_attempts": 5},
}


@dataclass(frozen=True)
class Decided:
    """A stack, and batches on it by the names of their judges: their ids, and how they ended."""

    stage: Stage
    client: ApiClient
    batch_ids: dict[str, str]

    def await_end(self, name: str) -> BatchProgress:
        """The batch by this judge once it has ended."""
        return await_end(self.stage, self.client, self.batch_ids[name])


@pytest.fixture(scope="module")
def decided(deployed, sample, small_sample) -> Iterator[Decided]:
    """Batches by judges of their own, which run from now on."""
    on: Stage = deployed[0]
    with on.client() as client, ExitStack() as judges:
        client.register_anchors(sample.registration)
        batch_ids = {}
        for name, options in JUDGES.items():
            place = f"{on.cloud.server.name}-judge-{name}"
            judge = judges.enter_context(run_judge(on, options, port=free_port(), name=place))
            request = make_request(name, judge.url, sample, small_sample)
            accepted = client.request_batch(request, idempotency_key=str(uuid.uuid4()))
            batch_ids[name] = accepted.batch_id
        yield Decided(on, client, batch_ids)


def make_request(name: str, url: str, sample: Sample, small_sample: Sample) -> BatchRequest:
    """The batch that the judge of this name is asked about, at its address."""
    judge = {"provider": "callback_endpoint", "base_url": url}
    if name in SETTINGS:
        return small_sample.request(SETTINGS[name], judge)
    config = {"seed": 3, "max_comparisons_per_essay": 40}
    request = {"essays": sample.essays[:5], "config": config, "judge": judge}
    return BatchRequest.model_validate(request)


def documents(set_up, key):
    s3 = set_up.cloud.session().client("s3", endpoint_url=set_up.cloud.url)
    body = s3.get_object(Bucket=set_up.outputs["BucketName"], Key=key)["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


@pytest.fixture(scope="module")
def disturbed(deployed, stage, sample, decided):
    """The result of a batch whose judge goes away in its first wave, and the calls afterwards."""
    set_up: Stage = deployed[0]
    dynamodb = set_up.cloud.session().client("dynamodb", endpoint_url=set_up.cloud.url)
    gate = DynamoDBJudgeGate(Table(dynamodb, set_up.outputs["TableName"]))
    results = []
    with stage(IMMEDIATE) as (_, judge):
        batch = threading.Thread(target=lambda: results.append(run_sample(set_up, sample)))
        batch.start()
        while not count_requests(judge.url):
            assert batch.is_alive()
            batch.join(0.02)
    await_pause(gate, batch)
    with stage(IMMEDIATE) as (_, judge):
        batch.join()
        return results[0], count_requests(judge.url)


def await_pause(gate: DynamoDBJudgeGate, batch: threading.Thread) -> None:
    """Wait until the stack has given up asking the judge for a while: its circuit is open."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while gate.get_circuit(JudgeSpec()).open_until is None:
        assert batch.is_alive(), "the batch ended without its judge"
        assert time.monotonic() < patience, "the judge is asked without end"
        batch.join(0.2)


def count_requests(url):
    return httpx.get(f"{url}/stats", timeout=10).json()["totals"].get("requests", 0)


# The first in this file: the other batches run beside this one.
def test_the_result_is_that_of_a_batch_whose_judge_stayed(disturbed, quiet):
    document, asked_afterwards = disturbed
    assert 0 < asked_afterwards < document["comparisons"]["recorded"]
    assert document["comparisons"]["failed"] == 0
    assert result_bytes(document) == result_bytes(quiet)


def test_only_the_calls_in_flight_are_paid_again(disturbed):
    # Five workers at most ask about ten comparisons each, side by side.
    assert disturbed[0]["repeated_calls"] <= 50


def test_a_judge_that_flips_coins_gets_no_grades(decided):
    batch = decided.await_end("coin")
    if batch.status == "FAILED":
        assert batch.decision["reason"] == "judge_at_chance"
        assert batch.failure["code"] == "judge_at_chance"
        assert batch.failure["remedy"]
        return
    result = decided.client.result_document(batch.batch_id)
    assert result["outcome"] == "COMPLETE_UNPROVEN"
    assert not result["grade_projections"]["projections_available"]
    # Either gate may be the one that is named first.
    reason = result["grade_projections"]["reason"]
    assert "reliability" in reason or "anchors' abilities do not rise" in reason
    assert any(note["code"] == "not_proven" for note in result["notes"])


def test_a_silent_judge_ends_the_batch_by_its_deadlines(decided):
    batch = decided.await_end("silent")
    assert (batch.status, batch.decision["reason"]) == ("FAILED", "zero_successes")
    assert [wave.closed_by for wave in batch.waves] == ["deadline", "deadline"]
    assert batch.comparisons.recorded == 0
    assert batch.comparisons.planned == batch.comparisons.failed


def test_transient_errors_are_retried_until_the_batch_completes(decided):
    batch = decided.await_end("faulty")
    assert batch.status == "COMPLETED"
    assert batch.comparisons.planned == batch.comparisons.recorded + batch.comparisons.failed
    history = documents(decided.stage, f"batches/default/{batch.batch_id}/comparisons.jsonl")
    retried = [comparison for comparison in history if comparison["attempt"] > 1]
    assert len(retried) >= 5
    # A retried comparison keeps its pairing, its order and its id, and moves to a later wave.
    assert all(comparison["submitted_wave"] > comparison["wave"] for comparison in retried)


def test_a_net_of_five_essays_ends_saturated(decided):
    batch = decided.await_end("quick")
    assert (batch.status, batch.decision["reason"]) == ("COMPLETED", "small_net_saturated")
    result = decided.client.result_document(batch.batch_id)
    assert result["resampled_comparisons"] > 0
    assert any(note["code"] == "pairs_judged_again" for note in result["notes"])
    assert not result["grade_projections"]["projections_available"]
    # Five essays cannot prove a judge, so the result does not claim that it was stable.
    assert result["outcome"] in {"COMPLETE_UNPROVEN", "COMPLETE_SATURATED"}
