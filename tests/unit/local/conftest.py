"""The sample judge on a real port, and questions about the sample's texts."""

import contextlib

import pytest

from benchmarks.judges import SAMPLE, pairs_of_texts
from local.judge import human_judge
from local.judge.options import JudgeOptions
from local.judge.sample_judge import SampleJudge
from local.judge.serving import serve
from local.judge_endpoint import create_app
from tests.unit.local.batch_clients import MemoryObjects


@pytest.fixture(scope="session")
def people():
    return human_judge.load(SAMPLE)


@pytest.fixture(scope="session")
def pairs():
    """Pairs of the sample's texts, with ids as a wave has them."""
    return pairs_of_texts(40)


@pytest.fixture
def endpoint_for(people):
    """Opens a client of one provider on a judge with some options."""
    with contextlib.ExitStack() as stack:

        def open_with(client, **options):
            quick = {"latency": 0, "batch_seconds": 0.05, "bedrock_minimum_records": 1}
            objects = MemoryObjects()
            judge = SampleJudge(people, JudgeOptions(**(quick | options)), lambda *_: None)
            opened = client(stack.enter_context(serve(create_app(judge, objects))), objects)
            stack.callback(opened.http.close)
            return opened

        yield open_with
