"""The processes that run functions on the laptop cloud: quick to start, with what AWS gives them.

- The workers of all clouds share the unpacked layers. MiniStack unpacks all layers for each worker
  anew, 200 MB of them, and each worker compiles every module of them again.
- Workers of a function are forked from a process that has imported it, see `forking`, and that one
  from a process that has imported AWS's runtime and the layers, see `runtime_process`.
- A function has a few workers, and whoever finds them busy waits. MiniStack starts a worker for
  every call that finds none free: thirty people who open a page at once then wait for thirty
  processes to start on the machine's few processors, a minute long, and are refused in the end.
- Messages of a queue are gathered for a twentieth of a second. MiniStack calls a function as soon
  as a message has come, mostly with that one alone, and a call costs as much as some messages do.
- A function that a queue feeds yields the machine's processors to those that somebody waits for. On
  AWS no function takes another one's processor.
- A worker sees its own code, its layers and the packages of AWS's runtime, and nothing else that is
  installed on this machine: what is missing in a layer is missing here, too.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import queue
import shutil
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.stack import processes
from local.stack.forking import TEMPLATE_SCRIPT, ForkedProcess, Templates
from local.stack.runtime import LAYERS_VARIABLE, provide_runtime, restrict_imports
from local.stack.runtime_process import RuntimeProcess, Subprocess

type Function = dict[str, Any]
type Execute = Callable[[Function, object, str], dict[str, Any]]

WORKERS_AT_ONCE = 2 + 2 * (os.process_cpu_count() or 1)
"""How many calls of one function run at the same time; a worker holds about 50 MB."""

YIELDING = 10
"""How much is added to the niceness (`man nice`) of a worker that works off a queue."""

GATHERING_SECONDS = 0.05
"""How long the messages of a queue that was empty are gathered before a function is called."""

LAYERS = processes.STATE / "layers"
"""Where layers are unpacked, each by its hash."""

LINKS = "*/tmp/layers/*"
"""The links of all clouds to what is unpacked, from the folder of all servers."""

_templates = Templates()
_unpacking = threading.Lock()


def install() -> None:
    """Put all in place of MiniStack's own."""
    lambda_runtime.Worker = Worker
    lambda_svc._esm_wake = Gathering(lambda_svc._esm_wake)  # noqa: SLF001 - there is no other way in
    Turns(WORKERS_AT_ONCE).install()
    imports = restrict_imports(provide_runtime())
    lambda_runtime._PYTHON_WORKER_SCRIPT = (  # noqa: SLF001 - there is no other way in
        imports + TEMPLATE_SCRIPT + lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001
    )
    lambda_runtime.subprocess = Subprocess(RuntimeProcess(imports))


class Gathering:
    """Tells the thread that reads queues of a message when more may have come.

    Parameters
    ----------
    has_come
        What MiniStack sets when a message comes.
    """

    def __init__(self, has_come: threading.Event) -> None:
        self._has_come = has_come
        self.set, self.clear = has_come.set, has_come.clear

    def wait(self, timeout: float) -> bool:
        """Wait for a message, and for those that come with it; False if none came."""
        has_come = self._has_come.wait(timeout)
        if has_come:
            time.sleep(GATHERING_SECONDS)
        return has_come


class Turns:
    """Lets calls of one function wait for each other; no function calls itself and waits for that.

    Parameters
    ----------
    n_at_once
        How many calls of a function run at the same time.
    """

    def __init__(self, n_at_once: int) -> None:
        self._execute: Execute = lambda_svc._execute_function_warm  # noqa: SLF001 - the only way in
        self.free: defaultdict[str, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(n_at_once)
        )

    def install(self) -> None:
        """Put it in place of MiniStack's own."""
        lambda_svc._execute_function_warm = self.execute  # noqa: SLF001

    def execute(self, function: Function, event: object, request_id: str) -> dict[str, Any]:
        """Run a call as soon as its turn has come."""
        config = function.get("config") or function
        with self.free[config["FunctionName"]]:
            return self._execute(function, event, request_id)


class Worker(lambda_runtime.Worker):  # type: ignore[misc] # untyped base
    """A forked worker; layers are unpacked once for all, and it yields if a queue feeds it."""

    config: dict[str, Any]
    code_zip: bytes
    func_name: str
    _proc: ForkedProcess
    _stderr_queue: queue.Queue[str]

    def _spawn(self) -> None:
        self.config = share_layers(self.config)
        niceness = YIELDING if is_fed_by_queue(self.func_name) else 0
        self._proc = _templates.fork(self.func_name, self.config, self.code_zip, niceness=niceness)
        self._stderr_queue = queue.Queue()
        threading.Thread(
            target=self._read_stderr, daemon=True, name=f"stderr-{self.func_name}"
        ).start()


def is_fed_by_queue(function_name: str) -> bool:
    """Whether a function works off a queue, so that nobody waits for its answer."""
    return any(
        mapping["FunctionName"] == function_name
        for _account, _region, mapping in lambda_svc._iter_all_esms()  # noqa: SLF001 - the only way in
    )


def share_layers(config: dict[str, Any]) -> dict[str, Any]:
    """The function's configuration with the folders of its layers instead of their archives."""
    layers = config.get("Layers", [])
    if not layers:
        return config
    archives = [lambda_svc._resolve_layer_zip(layer) for layer in layers]  # noqa: SLF001
    folders = [
        str(unpack_layer(layer["Arn"], archive))
        for layer, archive in zip(layers, archives, strict=True)
        if archive
    ]
    variables = config.get("Environment", {}).get("Variables", {})
    shared = {**variables, LAYERS_VARIABLE: os.pathsep.join(folders)}
    return {**config, "Layers": [], "Environment": {"Variables": shared}}


def unpack_layer(arn: str, archive: bytes) -> Path:
    """The folder of a layer's version, unpacked unless it is there; versions never change."""
    link = Path(tempfile.gettempdir()) / "layers" / arn.replace(":", "-")
    with _unpacking:
        if not link.exists():
            link.parent.mkdir(exist_ok=True)
            unpack_archive(archive, link)
        return link.resolve()


def unpack_archive(archive: bytes, link: Path) -> None:
    """Let a cloud's link lead to the folder of an archive, which it shares with other clouds."""
    folder = LAYERS / hashlib.sha256(archive).hexdigest()
    LAYERS.mkdir(parents=True, exist_ok=True)
    with (LAYERS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            remove_unused()
            unpacked = Path(tempfile.mkdtemp(dir=LAYERS))
            with zipfile.ZipFile(io.BytesIO(archive)) as file:
                file.extractall(unpacked)
            unpacked.rename(folder)
        link.symlink_to(folder)


def remove_unused() -> None:
    """Remove the folders of archives to which no cloud has a link."""
    used = {link.resolve() for link in LAYERS.parent.glob(LINKS)}
    for folder in LAYERS.iterdir():
        if folder.is_dir() and folder.resolve() not in used:
            shutil.rmtree(folder)
