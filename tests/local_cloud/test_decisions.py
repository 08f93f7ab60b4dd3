"""How batches end on the laptop cloud when the judge is not a good one, or the net is small."""

import json
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from assessment.contracts.request import BatchRequest
from assessment.contracts.views import BatchProgress
from local.demo import CONFIG, Stage
from local.judge.options import JudgeOptions
from local.stack.processes import Server
from runner.client import ApiClient
from runner.waiting import await_batch

pytestmark = pytest.mark.local_cloud

QUICK = JudgeOptions(latency=0.05)
PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class Deciding:
    """A stack, and a judge whose options a test chooses."""

    answered: Callable[[JudgeOptions], AbstractContextManager[tuple[Stage, Server]]]
    stage: Stage
    client: ApiClient

    def __call__(self, options: JudgeOptions, request: BatchRequest) -> BatchProgress:
        """Run a batch against a judge with these options; its progress once it has ended."""
        key = str(uuid.uuid4())
        with self.answered(options):
            batch_id = self.client.request_batch(request, idempotency_key=key).batch_id
            return await_batch(self.client, batch_id, show=lambda *_: None, timeout=PATIENCE)


@pytest.fixture(scope="module")
def decided(deployed, stage, sample):
    set_up, _ = deployed
    with set_up.client() as client:
        client.register_anchors(sample.registration)
        yield Deciding(stage, set_up, client)


def documents(set_up, key):
    s3 = set_up.cloud.session().client("s3", endpoint_url=set_up.cloud.url)
    body = s3.get_object(Bucket=set_up.outputs["BucketName"], Key=key)["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


def test_a_judge_that_flips_coins_gets_no_grades(decided, small_sample):
    # Enough comparisons for the verdicts to speak for a coin, or nearly so.
    config = {**CONFIG, "max_comparisons_per_essay": 24}
    batch = decided(JudgeOptions(latency=0.05, coin_flip=True), small_sample.request(config))
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


def test_a_silent_judge_ends_the_batch_by_its_deadlines(decided, small_sample):
    config = {**CONFIG, "wave_timeout_seconds": 6}
    batch = decided(JudgeOptions(silent=1.0), small_sample.request(config))
    assert (batch.status, batch.decision["reason"]) == ("FAILED", "zero_successes")
    assert [wave.closed_by for wave in batch.waves] == ["deadline", "deadline"]
    assert batch.comparisons.recorded == 0
    assert batch.comparisons.planned == batch.comparisons.failed


def test_transient_errors_are_retried_until_the_batch_completes(decided, small_sample):
    # Half of the errors come as callbacks, the other half as refusals with 503.
    config = {**CONFIG, "retry_pool_threshold": 5, "max_attempts": 5}
    batch = decided(JudgeOptions(latency=0.05, error_rate=0.3), small_sample.request(config))
    assert batch.status == "COMPLETED"
    assert batch.comparisons.planned == batch.comparisons.recorded + batch.comparisons.failed
    history = documents(decided.stage, f"batches/default/{batch.batch_id}/comparisons.jsonl")
    retried = [comparison for comparison in history if comparison["attempt"] > 1]
    assert len(retried) >= 5
    # A retried comparison keeps its pairing, its order and its id, and moves to a later wave.
    assert all(comparison["submitted_wave"] > comparison["wave"] for comparison in retried)


def test_a_net_of_five_essays_ends_saturated(decided, sample):
    request = BatchRequest.model_validate(
        {"essays": sample.essays[:5], "config": {"seed": 3, "max_comparisons_per_essay": 40}}
    )
    batch = decided(QUICK, request)
    assert (batch.status, batch.decision["reason"]) == ("COMPLETED", "small_net_saturated")
    result = decided.client.result_document(batch.batch_id)
    assert result["resampled_comparisons"] > 0
    assert any(note["code"] == "pairs_judged_again" for note in result["notes"])
    assert not result["grade_projections"]["projections_available"]
    # Five essays cannot prove a judge, so the result does not claim that it was stable.
    assert result["outcome"] in {"COMPLETE_UNPROVEN", "COMPLETE_SATURATED"}
