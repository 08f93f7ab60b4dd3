"""Background servers: each has a process group and a state file; its children stop with it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"
LOOPBACK = "127.0.0.1"
# Below the ports that systems draw for outgoing connections (Linux from 32768, others from 49152).
FIXED_PORTS = 20_000, 32_768
# Servers outlive the command that starts them. Without a reference Python would warn of a leak.
_left_running: dict[int, subprocess.Popen[bytes]] = {}


class LocalCloudError(RuntimeError):
    """The laptop cloud cannot run with these options; the message says what to do."""


class PortTakenError(LocalCloudError):
    """Another program listens on the port."""


class ServerDiedError(LocalCloudError):
    """A server ended while it was starting, or did not answer in time."""


@dataclass(frozen=True)
class Server:
    """A running background server.

    Parameters
    ----------
    identity
        The process's start time and command, as the operating system reports them. They differ when
        another program has received the process id since; that program is not stopped.
    settings
        The options of the server, by name.
    """

    name: str
    pid: int
    port: int
    identity: str
    settings: dict[str, str]

    @property
    def url(self) -> str:
        """The base URL of the server."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """The file that holds the output of the server."""
        return folder(self.name) / "log"


def folder(name: str) -> Path:
    """The folder of a server's files."""
    return STATE / name


def port_is_free(port: int) -> bool:
    """Whether nothing listens on the loopback port, at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port that nothing uses at this moment, and that no outgoing connection is given.

    A server that is stopped and started again on its port must find it free.
    """
    while not port_is_free(port := random.randrange(*FIXED_PORTS)):
        pass
    return port


def find_server(name: str) -> Server | None:
    """The running server of this name, or None."""
    try:
        server = Server(**json.loads((folder(name) / "server.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return server if _identity(server.pid) == server.identity else None


def start(
    name: str,
    command: Sequence[str],
    *,
    port: int,
    variable: str,
    health: str,
    environment: Mapping[str, str],
    settings: Mapping[str, str],
    timeout: float = 60,
) -> Server:
    """Start a server and wait until it answers its health address.

    Parameters
    ----------
    variable
        Environment variable that chooses the port, named in the error when the port is taken.
    health
        Path that answers 200 once the server is ready.

    Raises
    ------
    PortTakenError
        If the port is not free.
    ServerDiedError
        If the server ends or stays silent for `timeout` seconds; carries the end of its log.
    """
    if not port_is_free(port):
        raise PortTakenError(
            f"port {port} on {LOOPBACK} is taken by another program. Stop that program, or choose "
            f"another port with {variable}, for example: {variable}={free_port()} make demo"
        )
    home = folder(name)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(name, process.pid, port, _identity(process.pid), dict(settings))
    (home / "server.json").write_text(json.dumps(asdict(server)))
    try:
        _await_health(process, server, health, timeout)
        # The command may only be complete after exec, so the identity is read once more.
        server = Server(name, process.pid, port, _identity(process.pid), dict(settings))
        (home / "server.json").write_text(json.dumps(asdict(server)))
    except BaseException:
        stop_group(process.pid)
        process.wait()
        (home / "server.json").unlink(missing_ok=True)
        raise
    _left_running[process.pid] = process
    return server


def forget(name: str) -> bool:
    """Stop a server with all it started, and remove its data; False if none was running."""
    stopped = stop(name)
    shutil.rmtree(folder(name) / "tmp", ignore_errors=True)
    (folder(name) / "stack.json").unlink(missing_ok=True)
    return stopped


def stop(name: str) -> bool:
    """Stop the server of this name and everything it started; False if it was not running."""
    server = find_server(name)
    if server is not None:
        stop_group(server.pid)
    (folder(name) / "server.json").unlink(missing_ok=True)
    return server is not None


def stop_group(pid: int, *, patience: float = 5) -> None:
    """End a process group: by SIGTERM, and by SIGKILL after `patience` seconds."""
    handle = _left_running.pop(pid, None)
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal_number)
        deadline = time.monotonic() + patience
        while _group_lives(pid) and time.monotonic() < deadline:
            # An ended child stays in its group until its parent has read its exit status.
            if handle:
                handle.poll()
            else:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)
        if not _group_lives(pid):
            break
    if handle:
        handle.wait()


def answers(url: str) -> bool:
    """Whether a GET of the address gives 200 at once."""
    import httpx

    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _await_health(
    process: subprocess.Popen[bytes], server: Server, health: str, timeout: float
) -> None:
    deadline = time.monotonic() + timeout
    while not answers(server.url + health):
        if process.poll() is not None:
            raise ServerDiedError(
                f"{server.name} ended with status {process.returncode}:\n{_tail(server.log)}"
            )
        if time.monotonic() > deadline:
            raise ServerDiedError(
                f"{server.name} did not answer within {timeout:.0f} s:\n{_tail(server.log)}"
            )
        time.sleep(0.05)


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _identity(pid: int) -> str:
    """Start time and command of a process; empty when it does not run, or is a zombie."""
    output = subprocess.run(
        ["ps", "-ww", "-o", "stat=,lstart=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    state, _, identity = output.partition(" ")
    return "" if not output or state.startswith("Z") else identity.strip()
