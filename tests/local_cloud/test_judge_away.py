"""The judge refuses connections until it is asked no more: the batch waits, and loses nothing."""

import threading
import time

import httpx
import pytest

from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.domain.judge import JudgeSpec
from local.demo import Stage
from local.judge.options import JudgeOptions
from tests.local_cloud.disturbances import result_bytes, run_sample

pytestmark = pytest.mark.local_cloud

PATIENCE_SECONDS = 120
# It answers at once: a verdict that was only promised would be gone with the process.
IMMEDIATE = JudgeOptions(latency=0.2, immediate=True)


@pytest.fixture(scope="module")
def disturbed(deployed, stage, sample):
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


def test_the_result_is_that_of_a_batch_whose_judge_stayed(disturbed, quiet):
    document, asked_afterwards = disturbed
    assert 0 < asked_afterwards < document["comparisons"]["recorded"]
    assert document["comparisons"]["failed"] == 0
    assert result_bytes(document) == result_bytes(quiet)


def test_only_the_calls_in_flight_are_paid_again(disturbed):
    # Five workers at most ask about ten comparisons each, side by side.
    assert disturbed[0]["repeated_calls"] <= 50
