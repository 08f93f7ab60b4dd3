"""Events of the API through `sam local invoke`, on a store that holds what they name."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from assessment import bootstrap
from local.stack import deploy
from local.stack.bridge import open_bridge
from local.stack.invoke import make_command, require_docker, write_variables
from local.stack.processes import ROOT
from tests.conftest import JudgeServer
from tests.fakes.aws import client
from tests.handlers.conftest import EVENTS, Stack, make_stack
from tests.handlers.event_states import ACTING, PROBLEMS, find_operation, prepare_state

pytestmark = pytest.mark.containers

# Of every state one event: all of them run in process, in test_api_events.py.
CASES = [(state, names[0], find_operation(names[0]).status) for state, names in ACTING]
CASES += [
    (PROBLEMS[name][0], name, PROBLEMS[name][1])
    for name in ("create_batch_malformed_json", "release_batch_twice", "get_batch_erased")
]


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    require_docker()
    deploy.build()


@pytest.fixture
def served(
    judge_server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Stack, str]]:
    """A fresh account behind an address of this machine."""
    # Its web framework is loaded where it is used only: all workers read this file.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    client.cache_clear()
    # The server keeps its accounts in this process, those of the test before, too.
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    try:
        yield make_stack(judge_server, monkeypatch.setenv), url
    finally:
        server.stop()
        client.cache_clear()
        bootstrap.process.cache_clear()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("state", "name", "status"), CASES, ids=[name for _, name, _ in CASES])
def test_an_event_in_a_container_is_answered_as_in_process(
    served: tuple[Stack, str], state: str, name: str, status: int
) -> None:
    stack, server_url = served
    prepare_state(state, stack)
    answered = run_in_container(name, stack, server_url)
    assert answered["statusCode"] == status, answered


def run_in_container(name: str, stack: Stack, server_url: str) -> dict[str, Any]:
    """What the container prints at its end."""
    command = make_command("handle_api", EVENTS / "handle_api" / f"{name}.json")
    with open_bridge(server_url) as url:
        variables = write_variables(stack.variables | {"LAPTOP_CLOUD_URL": url})
        done = subprocess.run(
            [*command, "--env-vars", str(variables)],
            cwd=ROOT,
            env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answered
