"""Functions start in processes that are forked from one that has imported what they import.

boto3 takes two thirds of a second of a processor to import, the layers half a second or a whole
one, and a stack has fifteen functions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from local.stack.bytecode import LATE_IMPORTS
from local.stack.forking import DESCRIBED, ForkedProcess, request_fork
from local.stack.runtime import LAYERS_VARIABLE

COMMON_MODULES = (
    "assessment.bootstrap", "assessment.contracts.steps", "assessment.statistics.engine",
    "aws_lambda_powertools.metrics", "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes",
)  # fmt: skip
"""What functions import of their layers, as far as it reads nothing of their environment."""

# Reads descriptions by the session that boto3 uses where it is given none; that looks for
# credentials and a region when it makes the first client. A process that is asked for a function
# goes on as if its script had been started; one that is asked for layers imports them, and then
# processes are forked from it.
SCRIPT = """
import contextlib, importlib.util, json, os, signal, sys
import boto3

def fork_when_asked():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for processes that ended
    for request in sys.stdin:
        if os.fork() == 0:
            break
    else:
        sys.exit()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked = json.loads(request)
    modes = os.O_RDONLY, os.O_WRONLY, os.O_WRONLY
    opened = [os.open(end, mode) for end, mode in zip(asked["ends"], modes, strict=True)]
    os.write(1, b"%d\\n" % os.getpid())
    for place, descriptor in enumerate(opened):
        os.dup2(descriptor, place)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    return asked

def import_layers(layers):
    path = list(sys.path)
    for layer in layers:
        sys.path[:0] = [layer, os.path.join(layer, "python")]
    late = [name for names in %LATE_IMPORTS%.values() for name in names]
    for name in (*%COMMON_MODULES%, *late):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if importlib.util.find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # or httpcore looks for it at each of its locks
    sys.path[:] = path

boto3.setup_default_session()
loader = boto3.DEFAULT_SESSION._session.get_component("data_loader")
for service in %DESCRIBED%:
    for kind in ("service-2", "endpoint-rule-set-1"):
        loader.load_service_model(service, kind)
for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
    loader.load_data(name)
asked = fork_when_asked()
if "layers" in asked:
    import_layers(asked["layers"])
    asked = fork_when_asked()
os.chdir(asked["cwd"])
os.environ.clear()
os.environ.update(asked["environment"])
sys.argv = [asked["path"]]
source = compile(open(asked["path"], encoding="utf-8").read(), asked["path"], "exec")
exec(source, {"__name__": "__main__", "__file__": asked["path"]})
"""
for place, value in (
    ("%DESCRIBED%", DESCRIBED),
    ("%LATE_IMPORTS%", LATE_IMPORTS),
    ("%COMMON_MODULES%", COMMON_MODULES),
):
    SCRIPT = SCRIPT.replace(place, repr(value))


class RuntimeProcess:
    """The process that has imported AWS's runtime, and for layers one that has imported these, too.

    Each is started when it is first asked.

    Parameters
    ----------
    prelude
        Lines of Python that run first.
    """

    def __init__(self, prelude: str) -> None:
        self._prelude = prelude
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._with_layers: dict[str, ForkedProcess] = {}

    def start(self, path: str, *, cwd: str, environment: Mapping[str, str]) -> ForkedProcess:
        """Run a script in a process of its own.

        Raises
        ------
        RuntimeError
            If boto3 cannot be imported.
        """
        layers = environment.get(LAYERS_VARIABLE, "")
        with self._lock:
            process = self._import_layers(layers) if layers else self._import_runtime()
            return request_fork(
                process, "the runtime", path=path, cwd=cwd, environment=dict(environment)
            )

    def _import_runtime(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._prelude + SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._process

    def _import_layers(self, layers: str) -> ForkedProcess:
        process = self._with_layers.get(layers)
        if process is None or process.poll() is not None:
            process = request_fork(
                self._import_runtime(), "the runtime", layers=layers.split(os.pathsep)
            )
            self._with_layers[layers] = process
        return process

    def stop(self) -> None:
        """End them; the functions go on."""
        with self._lock:
            for process in self._with_layers.values():
                process.kill()
            self._with_layers.clear()
            if self._process is not None:
                self._process.kill()
                self._process.communicate()
                self._process = None


class Subprocess:
    """The module `subprocess` as MiniStack uses it, but for scripts that are run by Python."""

    def __init__(self, runtime: RuntimeProcess) -> None:
        self._runtime = runtime

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        return getattr(subprocess, name)

    def Popen(self, arguments: Sequence[str], **options: Any) -> Any:  # noqa: ANN401, N802 - as the module
        """Start a process."""
        program, *rest = arguments
        if program == sys.executable and len(rest) == 1 and rest[0].endswith("_worker.py"):
            return self._runtime.start(rest[0], cwd=options["cwd"], environment=options["env"])
        return subprocess.Popen(arguments, **options)
