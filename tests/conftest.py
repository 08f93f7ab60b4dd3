"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import typer.main
import typer.testing
import uvicorn
from botocore.client import BaseClient
from hypothesis import HealthCheck, settings
from moto.core.botocore_stubber import BotocoreStubber
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from xdist.scheduler import LoadScopeScheduling

from tests.examples import THOROUGH
from tests.fakes.fits import fit_once
from tests.fakes.moto import quick_moto

# Without kept bytecode this process and all that it starts would compile whatever they import, and
# pytest would rewrite every test file again: more work than the tests themselves.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A runner of tests in parallel exports the width of its terminal, and rich would hold it for good.
os.environ.pop("COLUMNS", None)

# `make check` draws few examples, `make test` as many as is usual; both draw the same each time, so
# that a change is judged by what it changes. `--hypothesis-profile=search` draws anew.
# How long an example takes says nothing on a machine that does other things too.
STEADY: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("quick", max_examples=20, **STEADY)
settings.register_profile("thorough", max_examples=THOROUGH, **STEADY)
settings.register_profile("search", max_examples=300, **STEADY | {"derandomize": False})
settings.load_profile("thorough")


LONG = ("local_cloud", "workflow", "batches")
CLOUDS = "tests/local_cloud/"
# Half of what the files take. Those of decisions and forgeries compare with the same batch.
SECOND_CLOUD = frozenset(
    f"{CLOUDS}test_{name}.py"
    for name in (
        "decisions", "forgeries", "lists", "release", "rooms", "rotation", "subscriber", "webhooks",
    )
)  # fmt: skip


class CloudsApart(LoadScopeScheduling):  # type: ignore[misc] # untyped base
    """Each file is run by one worker, and all files of a laptop cloud by the one that started it.

    There are two clouds, each for half of these files: they mostly wait. xdist's own groups
    (`--dist loadgroup`) are silently ignored under pytest 9.2: node ids can no longer be changed.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if not file.startswith(CLOUDS):
            return file
        return "cloud 2" if file in SECOND_CLOUD else "cloud 1"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> CloudsApart | None:
    """Schedule `--dist loadscope` so, the clouds first: they take longest."""
    if config.getvalue("dist") != "loadscope":
        return None
    config.option.loadscopereorder = False
    return CloudsApart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes long: the laptop clouds, then the state machine, then whole batches."""
    # Strings: taking paths apart took each worker seconds.
    folders = [f"tests/{name}/" for name in LONG]
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in folders])


# Measuring takes time. What these tests do not reach, the whole batches, the long simulations and
# the faults at every call hardly reach either, and those are most of the work: without the faults
# and `tests/unit/grading/` 96.7% is still reached.
MEASURED = (
    "tests/unit/assessment/", "tests/unit/grading/", "tests/unit/scoring/",
    "tests/contracts/", "tests/handlers/",
    # 20 lines more were all that the other whole batches reached in half a minute of measuring.
    "tests/batches/loop/test_batches_in_lists.py",
)  # fmt: skip
FIRST_WORKER = "gw0"


def find_measurement(config: pytest.Config) -> Any:
    """What pauses and resumes the measuring of coverage; None where it is not measured."""
    return getattr(config.pluginmanager.get_plugin("_cov"), "cov_controller", None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Measure by events in the workers of a parallel run, before they start to measure."""
    if session.config.pluginmanager.hasplugin("_cov"):
        from tests.fakes.measuring import analyse_once, measure_by_events

        if hasattr(session.config, "workerinput"):
            measure_by_events()
        else:
            analyse_once()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let one worker measure what imports run: all workers import the same modules.

    The process that hands out the tests runs no code of ours.
    """
    measurement = find_measurement(session.config)
    if measurement is None or not measurement.started:
        return
    is_first = os.environ.get("PYTEST_XDIST_WORKER", FIRST_WORKER) == FIRST_WORKER
    if not is_first or session.config.getoption("numprocesses", None):
        measurement.pause()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Measure coverage while a test runs that is there to be quick; all tests run all the same."""
    measurement = find_measurement(item.config)
    if measurement is None:
        return
    measured = item.nodeid.startswith(MEASURED) and not item.get_closest_marker("slow")
    if measured and not measurement.started:
        measurement.resume()
    elif measurement.started and not measured:
        measurement.pause()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what was imported alone in collections of garbage, and collect less often.

    Looking through half a million objects that stay took one in twenty seconds of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def one_request_at_a_time() -> Iterator[None]:
    """Let moto answer one request at a time, for tests that send them from several threads.

    moto's stores are plain dictionaries and files: two writes of one object at a time can leave a
    closed file (seen). AWS makes each request atomic, and requests still come in any order.
    """
    process = BotocoreStubber.process_request
    lock = threading.RLock()

    def process_alone(stubber: BotocoreStubber, request: Any) -> Any:
        if request.url.startswith("https://lambda."):
            # The function that it runs sends requests from threads of its own, and waits for them.
            return process(stubber, request)
        with lock:
            return process(stubber, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BotocoreStubber, "process_request", process_alone)
        yield


@pytest.fixture(scope="session", autouse=True)
def less_work_in_moto() -> Iterator[None]:
    """Let moto answer the same in less time."""
    with quick_moto():
        yield


CALL = "_make_api_call"
"""The method of botocore's clients that makes a request, whatever it is of."""


@pytest.fixture(scope="session", autouse=True)
def each_fit_once() -> Iterator[None]:
    """Let a process calculate a fit once; the tests of `scoring` calculate every one."""
    with fit_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def clients_unmeasured() -> Iterator[None]:
    """Measure no coverage inside a call of AWS, which is botocore's and moto's own code.

    In the tests that are measured no code of ours runs there, and measuring doubles its time.
    """
    call: Callable[..., Any] = getattr(BaseClient, CALL)

    def call_unmeasured(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        tracer = sys.gettrace()
        if tracer is None:
            return call(client, operation, request)
        sys.settrace(None)
        try:
            return call(client, operation, request)
        finally:
            sys.settrace(tracer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, CALL, call_unmeasured)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_context_of_tls() -> Iterator[None]:
    """Let all HTTP clients of a process share what they know of authorities.

    No test speaks TLS, and reading the authorities takes a client longer than most tests take.
    """
    with pytest.MonkeyPatch.context() as patch:
        shared = functools.cache(httpx.create_ssl_context)
        patch.setattr("httpx._transports.default.create_ssl_context", shared)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_kind_of_loop() -> Iterator[None]:
    """Let httpcore ask once which library of event loops is there: asyncio, in all tests.

    Each lock of a client asks again, by the import of a package that is not installed.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in ("httpcore._synchronization", "httpcore._backends.auto"):
            name = f"{module}.current_async_library"
            patch.setattr(name, functools.cache(pkgutil.resolve_name(name)))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_command_line() -> Iterator[None]:
    """Let typer read the parameters of all commands once, not for each that a test runs.

    That took most of the time of the tests of `cj`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", functools.cache(typer.main.get_command))
        yield


Answer = Callable[[dict[str, Any]], Response]


def answer_queued(body: dict[str, Any]) -> Response:
    """The endpoint will call back."""
    return JSONResponse(
        {"status": "queued", "correlation_id": body["correlation_id"]}, status_code=202
    )


@dataclass
class JudgeServer:
    """A real HTTP endpoint whose answer a test chooses; it keeps what was posted."""

    answer: Answer = answer_queued
    posted: list[dict[str, Any]] = field(default_factory=list)
    hangs: bool = False
    url: str = ""

    def __post_init__(self) -> None:
        self._released = asyncio.Event()
        app = Starlette(routes=[Route("/api/v1/llm/compare", self._compare, methods=["POST"])])
        config = uvicorn.Config(app, port=0, log_config=None, ws="none", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._ready = threading.Event()

    async def _compare(self, request: Request) -> Response:
        body = await request.json()
        self.posted.append(body)
        if self.hangs:
            while not await request.is_disconnected():  # noqa: ASYNC110 - the client gives up
                await asyncio.sleep(0.01)
        return self.answer(body)

    def start(self) -> None:
        """Listen on a free port of the loopback."""
        self._thread.start()
        while not self._server.started:
            self._ready.wait(0.005)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._server.should_exit = True
        self._thread.join(timeout=10)


@pytest.fixture(scope="session")
def judge_endpoint() -> Iterator[JudgeServer]:
    """One endpoint for all tests of a process."""
    server = JudgeServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def judge_server(judge_endpoint: JudgeServer) -> JudgeServer:
    """The endpoint as every test finds it: it queues everything."""
    judge_endpoint.answer = answer_queued
    judge_endpoint.hangs = False
    judge_endpoint.posted.clear()
    return judge_endpoint
