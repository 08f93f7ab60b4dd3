"""A batch where IAM is enforced: no function lacks a permission that its work needs."""

import pytest

from local.demo import run_batch
from local.judge_options import JudgeOptions

pytestmark = [pytest.mark.local_cloud, pytest.mark.timeout(600)]

SHORT = {"max_comparisons_per_essay": 8, "min_comparisons_per_essay": 4, "seed": 1}


@pytest.fixture(scope="module")
def run(stage, sample):
    with stage("test-auth", JudgeOptions(latency=0.05, duplicate_rate=0.1), auth=True) as (on, _):
        with on.client() as client:
            document = run_batch(client, sample, config=SHORT, show=lambda *_: None)
        yield on, document


def test_the_batch_is_finalised(run):
    document = run[1]
    assert document["status"] == "COMPLETED"
    assert document["comparisons"]["recorded"] == document["comparisons"]["planned"]


def test_policies_were_enforced_and_nothing_was_denied(run):
    cloud = run[0].cloud
    assert cloud.enforces_iam
    log = cloud.server.log.read_text(errors="replace")
    denied = [line for line in log.splitlines() if "is not authorized to perform" in line]
    assert denied == []
