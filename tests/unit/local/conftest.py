"""The sample judge on a real port, and questions about the sample's texts."""

import asyncio
import contextlib
from typing import Any

import pytest
from starlette.applications import Starlette

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


class Host:
    """A server that goes from test to test: starting and stopping one takes longer than a test."""

    def __init__(self):
        self.app = Starlette()
        self.url = ""
        self.loop: Any = None

    async def __call__(self, scope, receive, send):
        """Answer as the app of the present test does."""
        if scope["type"] == "lifespan":
            self.loop = asyncio.get_running_loop()
            await Starlette()(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def stop(self, judge):
        """Let the judge of a test drop what it still does, as the end of its own server would."""
        asyncio.run_coroutine_threadsafe(judge.stop(), self.loop).result()


@pytest.fixture(scope="session")
def hosts():
    """Opens a host that nobody has; it can be given back."""
    idle: list[Host] = []
    with contextlib.ExitStack() as stack:

        @contextlib.contextmanager
        def borrow(judge, objects):
            if not idle:
                idle.append(Host())
                idle[-1].url = stack.enter_context(serve(idle[-1]))
            host = idle.pop()
            host.app = create_app(judge, objects)
            yield host.url
            host.stop(judge)
            idle.append(host)

        yield borrow


@pytest.fixture
def endpoint_for(people, hosts):
    """Opens a client of one provider on a judge with some options."""
    with contextlib.ExitStack() as stack:

        def open_client(client, **options):
            quick = {"latency": 0, "batch_seconds": 0.05, "bedrock_minimum_records": 1}
            objects = MemoryObjects()
            judge = SampleJudge(people, JudgeOptions(**(quick | options)), lambda *_: None)
            opened = client(stack.enter_context(hosts(judge, objects)), objects)
            stack.callback(opened.http.close)
            return opened

        yield open_client
