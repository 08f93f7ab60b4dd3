"""Workers of a function are forked from one process that has imported the function.

On AWS every worker imports the function for itself, on a processor of its own. Here each would take
a second of the machine's few processors, and thirty of them half a minute in which nothing else
moves. The process that has imported the function, its template, runs no event itself.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
import weakref
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ministack.core import lambda_runtime

from local.stack.bytecode import LATE_IMPORTS

# What a worker is made of: where none of these has changed, it is forked from the same template.
_INGREDIENTS = (
    "Environment", "FunctionArn", "Handler", "Layers", "MemorySize", "Role", "Runtime", "Timeout",
    "Version",
)  # fmt: skip

# Whoever makes a client of a service reads its description, and the first client those of all
# regions. A worker inherits them with boto3's session.
DESCRIBED = ("dynamodb", "s3", "sqs", "secretsmanager", "stepfunctions", "events")

# Runs before MiniStack's worker script. The script reads a line about the function, imports it,
# and reads events. Where it asks for the first event, the template stays and forks a process for
# each further line; in that process the script goes on with the events of the worker. A line names
# the ends of pipes that MiniStack has opened.
TEMPLATE_SCRIPT = """
import contextlib, gc, importlib, json, os, signal, sys, uuid

class _Template:
    def __init__(self, stream):
        self._stream, self._n_lines = stream, 0

    def readline(self):
        self._n_lines += 1
        if self._n_lines == 2:
            self._prepare()
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers that ended
            while request := self._stream.readline():
                sys.stderr.flush()
                if os.fork() == 0:
                    self._stream = self._become_worker(json.loads(request)["ends"])
                    break
        return self._stream.readline()

    def _prepare(self):
        for known, late in %LATE_IMPORTS%.items():
            for name in late if known in sys.modules else ():
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
        if "boto3" in sys.modules:
            for service in %DESCRIBED%:
                sys.modules["boto3"].client(service)
        # Nothing of all this becomes garbage: no worker need look through it, or copy it for that.
        gc.collect()
        gc.freeze()

    def _become_worker(self, ends):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] = str(uuid.uuid4())
        modes = os.O_RDONLY, os.O_WRONLY, os.O_WRONLY
        opened = [os.open(end, mode) for end, mode in zip(ends, modes, strict=True)]
        os.write(1, b"%d\\n" % os.getpid())
        for place, descriptor in enumerate(opened):
            os.dup2(descriptor, place)
            os.close(descriptor)
        return open(0, encoding="utf-8")

sys.stdin = _Template(sys.stdin)
""".replace("%LATE_IMPORTS%", repr(LATE_IMPORTS)).replace("%DESCRIBED%", repr(DESCRIBED))


class ForkedProcess:
    """A worker as MiniStack uses one, which is not this process's own child.

    Parameters
    ----------
    pid
        Its process id.
    ends
        The descriptors of this side of its standard input, output and error.
    """

    def __init__(self, pid: int, ends: tuple[int, int, int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = os.fdopen(ends[0], "w", buffering=1, encoding="utf-8")
        self.stdout = os.fdopen(ends[1], encoding="utf-8")
        self.stderr = os.fdopen(ends[2], encoding="utf-8")
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self.returncode = -signal.SIGKILL
        else:
            weakref.finalize(self, os.close, self._descriptor)

    def poll(self) -> int | None:
        """None while it runs; nobody learns with which status it ended."""
        return self._await_end(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises
        ------
        TimeoutExpired
            If it still runs after `timeout` seconds.
        """
        status = self._await_end(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def _await_end(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            watch = select.poll()
            watch.register(self._descriptor, select.POLLIN)
            if watch.poll(None if seconds is None else 1000 * seconds):
                self.returncode = -signal.SIGKILL
        return self.returncode


class Template(lambda_runtime.Worker):  # type: ignore[misc] # untyped base
    """The process from which the workers of a function are forked.

    Parameters
    ----------
    func_name, config, code_zip
        As MiniStack describes the function; layers are unpacked already.
    """

    _proc: subprocess.Popen[str] | ForkedProcess

    def __init__(self, func_name: str, config: Mapping[str, Any], code_zip: bytes) -> None:
        super().__init__(func_name, config, code_zip)
        self._ingredients = pick_ingredients(config), code_zip
        try:
            self._spawn()
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._proc.pid

    def fits(self, config: Mapping[str, Any], code_zip: bytes) -> bool:
        """Whether it lives and has imported this version of the function."""
        return self._proc.poll() is None and self._ingredients == (
            pick_ingredients(config),
            code_zip,
        )

    def fork(self) -> ForkedProcess:
        """A new worker.

        Raises
        ------
        RuntimeError
            If the template has ended.
        """
        return request_fork(self._proc, f"the template of {self.func_name}")


def request_fork(
    process: subprocess.Popen[str] | ForkedProcess, name: str, **told: object
) -> ForkedProcess:
    """A process that another one has forked, at its standard streams' other ends.

    Parameters
    ----------
    process
        Reads a line of JSON, with these `ends` and all else that is `told`, and writes the process
        id of the process that it forked.
    name
        What it is called in errors.

    Raises
    ------
    RuntimeError
        If it has ended.
    """
    (their_in, our_in), (our_out, their_out), (our_err, their_err) = (os.pipe() for _ in range(3))
    theirs = their_in, their_out, their_err
    try:
        ends = [f"/proc/{os.getpid()}/fd/{each}" for each in theirs]
        pid = _ask(process, name, json.dumps({"ends": ends, **told}))
    except BaseException:
        for each in (our_in, our_out, our_err):
            os.close(each)
        raise
    finally:
        for each in theirs:
            os.close(each)
    return ForkedProcess(pid, (our_in, our_out, our_err))


def _ask(process: subprocess.Popen[str] | ForkedProcess, name: str, line: str) -> int:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError(f"{name} has no pipes")
    try:
        stdin.write(f"{line}\n")
        stdin.flush()
        answer = stdout.readline()
    except OSError as error:
        raise RuntimeError(f"{name} has ended") from error
    if not answer:
        raise RuntimeError(f"{name} has ended")
    return int(answer)


class Templates:
    """The templates of all functions; one is started where a function's first worker is."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._templates: dict[str, Template] = {}

    def fork(
        self, function: str, config: Mapping[str, Any], code_zip: bytes, *, niceness: int
    ) -> ForkedProcess:
        """A new worker of the function.

        Parameters
        ----------
        niceness
            How much is added to the niceness (`man nice`) of a new template.

        Raises
        ------
        RuntimeError
            If the function cannot be imported.
        """
        with self._locks[function]:
            template = self._templates.pop(function, None)
            if template is not None and not template.fits(config, code_zip):
                template.kill()
                template = None
            if template is None:
                template = Template(function, config, code_zip)
                raise_niceness(template.pid, niceness)
            self._templates[function] = template
            return template.fork()


def pick_ingredients(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a function's configuration that its workers depend on."""
    return {name: config.get(name) for name in _INGREDIENTS}


_LEAST_PRIORITY = 19


def raise_niceness(pid: int, step: int) -> None:
    """Let other processes come first; whoever may not raise a priority may still lower it."""
    niceness = os.getpriority(os.PRIO_PROCESS, pid)
    os.setpriority(os.PRIO_PROCESS, pid, min(niceness + step, _LEAST_PRIORITY))
