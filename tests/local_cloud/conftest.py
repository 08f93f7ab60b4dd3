"""Laptop clouds of the tests' own: on free ports, under their own names, stopped at the end."""

from contextlib import contextmanager

import pytest

from local import sample as samples
from local.demo import SAMPLE, Stage
from local.judge import server as judges
from local.stack import cloud as clouds
from local.stack import deploy
from local.stack.processes import free_port


@contextmanager
def stage_on(name, options, *, auth=False):
    """The stack on a laptop cloud of this name, answered by a judge with these options."""
    judge_name = f"{name}-judge"
    try:
        port = free_port()
        models = f"http://127.0.0.1:{port}"
        cloud = clouds.up(port=free_port(), auth=auth, name=name, models=models)
        outputs = deploy.deploy(cloud, deploy.demo_parameters(port))
        secret = outputs["CallbackSecretArn"]
        judge = judges.up(cloud, options, port=port, name=judge_name, callback_secret=secret)
        yield Stage(cloud, outputs), judge
    finally:
        judges.down(judge_name)
        clouds.down(name)


@pytest.fixture(scope="session")
def sample():
    return samples.load(SAMPLE)


@pytest.fixture(scope="session")
def stage():
    return stage_on
