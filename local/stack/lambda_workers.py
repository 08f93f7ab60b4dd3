"""The processes that run functions on the laptop cloud: quick to start, with what AWS gives them.

- Workers share the unpacked layers. MiniStack unpacks all layers for each worker anew, 200 MB of
  them, and each worker compiles every module of them again.
- Workers of a function are forked from a process that has imported it, see `forking`.
- A function has a few workers, and whoever finds them busy waits. MiniStack starts a worker for
  every call that finds none free: thirty people who open a page at once then wait for thirty
  processes to start on the machine's few processors, a minute long, and are refused in the end.
- A function that a queue feeds yields the machine's processors to those that somebody waits for. On
  AWS no function takes another one's processor.
- A worker sees its own code, its layers and the packages of AWS's runtime, and nothing else that is
  installed on this machine: what is missing in a layer is missing here, too.
"""

from __future__ import annotations

import io
import os
import queue
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.stack.forking import TEMPLATE_SCRIPT, ForkedProcess, Templates
from local.stack.runtime import provide_runtime, restrict_imports

type Function = dict[str, Any]
type Execute = Callable[[Function, object, str], dict[str, Any]]

LAYERS_VARIABLE = "_LAMBDA_LAYERS_DIRS"
"""Where MiniStack's worker script looks for layers."""

WORKERS_AT_ONCE = 2 + 2 * (os.process_cpu_count() or 1)
"""How many calls of one function run at the same time; a worker holds about 50 MB."""

YIELDING = 10
"""How much is added to the niceness (`man nice`) of a worker that works off a queue."""

_templates = Templates()
_unpacking = threading.Lock()


def install() -> None:
    """Put both in place of MiniStack's own."""
    lambda_runtime.Worker = Worker
    Turns(WORKERS_AT_ONCE).install()
    lambda_runtime._PYTHON_WORKER_SCRIPT = (  # noqa: SLF001 - there is no other way in
        restrict_imports(provide_runtime()) + TEMPLATE_SCRIPT + lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001
    )


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
    folder = Path(tempfile.gettempdir()) / "layers" / arn.replace(":", "-")
    with _unpacking:
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            unpacked = tempfile.mkdtemp(dir=folder.parent)
            with zipfile.ZipFile(io.BytesIO(archive)) as file:
                file.extractall(unpacked)
            Path(unpacked).rename(folder)
    return folder
