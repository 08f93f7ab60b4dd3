"""One laptop cloud for all these tests: on free ports, under its own name, stopped at the end.

It enforces IAM, so every batch of every file also tests the functions' permissions. A file asks for
the judge that it needs; no test leaves anything behind that another would stumble over.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import sample as samples
from local.demo import SAMPLE, Stage
from local.judge.options import JudgeOptions
from local.stack import cloud as clouds
from local.stack import deploy
from local.stack.processes import Server, free_port
from tests.local_cloud.disturbances import run_sample
from tests.local_cloud.forked_judge import run_judge
from tests.local_cloud.leaks import find_leaks, pick_fragments, read_texts

KEY_NAME = "sample"
# The first test of a cloud builds and deploys, on a machine that may do much else at the time.
TIMEOUT_SECONDS = 1500


# The stack of this process once something asked for it: files that need none start none.
_STAGES: list[Stage] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests the time that a busy machine needs: how long they take says nothing."""
    folder = f"{Path(__file__).parent}/"
    for item in items:
        if str(item.path).startswith(folder):
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture(scope="session")
def deployed(worker_id):
    """The stack on a laptop cloud, and the port where its judge will listen."""
    name, port = f"tests-{worker_id}", free_port()
    models = f"http://127.0.0.1:{port}"
    try:
        cloud = clouds.start(port=free_port(), auth=True, name=name, models=models)
        outputs = deploy.deploy(cloud, deploy.demo_parameters(port))
        secrets = cloud.session().client("secretsmanager", endpoint_url=cloud.url)
        secrets.create_secret(Name=f"{deploy.STACK}/judge/{KEY_NAME}", SecretString="no-real-key")
        _STAGES.append(Stage(cloud, outputs))
        yield _STAGES[0], port
    finally:
        _STAGES.clear()
        clouds.stop(name)


@pytest.fixture(scope="session")
def stage(deployed):
    """The stack, answered by a new judge with these options until the context ends."""
    on, port = deployed
    name = f"{on.cloud.server.name}-judge"

    @contextmanager
    def answered(options: JudgeOptions) -> Iterator[tuple[Stage, Server]]:
        # A new one each time: another judge's counts are not this test's.
        with run_judge(on, options, port=port, name=name) as judge:
            yield on, judge

    return answered


@pytest.fixture(scope="session")
def sample():
    return samples.load(SAMPLE)


@pytest.fixture(scope="session")
def small_sample(sample):
    """Half of the sample's texts, for what does not depend on how many there are."""
    return replace(sample, essays=sample.essays[:8])


@pytest.fixture(scope="session")
def job_sample(sample):
    """As few texts as have waves of a hundred comparisons, of eight each: Bedrock's least job."""
    return replace(sample, essays=sample.essays[:18])


@pytest.fixture(scope="session")
def quiet(stage, sample):
    """The result of a batch that nothing disturbed."""
    with stage(JudgeOptions(latency=0.05)) as (set_up, _):
        return run_sample(set_up, sample)


@pytest.fixture(scope="module", autouse=True)
def no_texts_in_logs():
    """After each file: no words of an essay are in logs, events, histories or metrics."""
    since = datetime.now(UTC)
    yield
    for stack in _STAGES:
        fragments = pick_fragments(read_texts(stack))
        assert find_leaks(stack, fragments, since=since) == []
