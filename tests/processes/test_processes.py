"""Background servers: real processes, started and stopped."""

import os
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from json import dumps

import pytest

from local.stack import processes
from local.stack.processes import PortTakenError, ServerDiedError, free_port


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "STATE", tmp_path)


@pytest.fixture
def started():
    names = []

    def start(name="web", port=None, command=None):
        port = port or free_port()
        names.append(name)
        return processes.start(
            name,
            command or [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
            port=port,
            variable="CJ_PORT",
            health="/",
            environment=os.environ,
            settings={"colour": "red"},
            timeout=60,
        )

    yield start
    for name in names:
        processes.stop(name)


def test_a_started_server_answers_is_found_again_and_stops(started):
    server = started()
    assert processes.answers(server.url)
    assert processes.find_server("web") == server
    assert processes.stop("web")
    assert not processes.answers(server.url)
    assert processes.find_server("web") is None
    assert not processes.stop("web")


def test_stopping_ends_the_children_too(started, tmp_path):
    script = (
        "import subprocess, sys, http.server;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid));"
        "handler = http.server.SimpleHTTPRequestHandler;"
        "http.server.test(handler, bind='127.0.0.1', port=int(sys.argv[1]))"
    )
    port = free_port()
    started(port=port, command=[sys.executable, "-c", script, str(port)])
    child = int((tmp_path / "child").read_text())
    processes.stop("web")
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True, check=False
    ).stdout
    assert state.strip() in {"", "Z"}


def test_a_taken_port_is_named_with_the_variable_that_changes_it(started):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port}.*CJ_PORT=\d+ make demo"):
            started(port=port)


def test_a_server_that_ends_at_once_shows_its_last_words(started):
    command = [sys.executable, "-c", "import sys; sys.exit('no configuration')"]
    with pytest.raises(ServerDiedError, match="status 1:\nno configuration"):
        started(command=command)
    assert processes.find_server("web") is None


def test_a_process_that_got_the_old_number_is_left_alone(started):
    server = started()
    stranger = replace(server, identity="Thu Jan  1 00:00:00 1970 something else")
    (processes.folder("web") / "server.json").write_text(dumps(asdict(stranger)))
    assert not processes.stop("web")
    assert processes.answers(server.url)
    processes.stop_group(server.pid)


def test_a_torn_record_counts_as_not_running():
    processes.folder("web").mkdir()
    (processes.folder("web") / "server.json").write_text('{"name": "we')
    assert processes.find_server("web") is None
