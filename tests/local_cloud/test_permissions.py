"""Batches where IAM is enforced: no function lacks a permission that its work needs."""

import pytest

from local.judge.options import JudgeOptions
from tests.local_cloud.running import run_batch

pytestmark = pytest.mark.local_cloud

SHORT = {"max_comparisons_per_essay": 8, "min_comparisons_per_essay": 4, "seed": 1}
# Bedrock's jobs read and write the stack's bucket; they take no fewer than 100 comparisons.
ONE_WAVE = {**SHORT, "comparisons_per_essay_per_wave": 8}
JOBS = {
    "provider": "bedrock",
    "model": "anthropic.claude-3-haiku-20240307-v1:0",
    "batching_mode": "provider_batch_api",
}


@pytest.fixture(scope="module")
def run(stage, job_sample):
    with stage(JudgeOptions(latency=0.05, duplicate_rate=0.1)) as (on, _):
        with on.client() as client:
            documents = [
                run_batch(on, client, job_sample, config=config, judge=judge)
                for config, judge in ((SHORT, None), (ONE_WAVE, JOBS))
            ]
        yield on, documents


def test_the_batches_are_finalised(run):
    for document in run[1]:
        assert document["status"] == "COMPLETED"
        assert document["comparisons"]["recorded"] == document["comparisons"]["planned"]


def test_policies_were_enforced_and_nothing_was_denied(run):
    cloud = run[0].cloud
    assert cloud.enforces_iam
    log = cloud.server.log.read_text(errors="replace")
    # Of the batches of all files that ran on this cloud before, too.
    denied = [line for line in log.splitlines() if "is not authorized to perform" in line]
    assert denied == []
