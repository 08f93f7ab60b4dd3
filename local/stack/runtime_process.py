"""Functions start in processes that are forked from one that has imported AWS's runtime.

boto3 takes two thirds of a second of a processor to import, and a stack has fifteen functions.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from local.stack.forking import DESCRIBED, ForkedProcess, request_fork

# Reads descriptions by the session that boto3 uses where it is given none; that looks for
# credentials and a region when it makes the first client. The process that is forked goes on as if
# its script had been started.
SCRIPT = """
import json, os, signal, sys
import boto3

boto3.setup_default_session()
loader = boto3.DEFAULT_SESSION._session.get_component("data_loader")
for service in %DESCRIBED%:
    for kind in ("service-2", "endpoint-rule-set-1"):
        loader.load_service_model(service, kind)
for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
    loader.load_data(name)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for processes that ended
for request in sys.stdin:
    if os.fork() == 0:
        break
else:
    sys.exit()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
started = json.loads(request)
modes = os.O_RDONLY, os.O_WRONLY, os.O_WRONLY
opened = [os.open(end, mode) for end, mode in zip(started["ends"], modes, strict=True)]
os.write(1, b"%d\\n" % os.getpid())
for place, descriptor in enumerate(opened):
    os.dup2(descriptor, place)
    os.close(descriptor)
sys.stdin = open(0, encoding="utf-8", closefd=False)
os.chdir(started["cwd"])
os.environ.clear()
os.environ.update(started["environment"])
sys.argv = [started["path"]]
source = compile(open(started["path"], encoding="utf-8").read(), started["path"], "exec")
exec(source, {"__name__": "__main__", "__file__": started["path"]})
""".replace("%DESCRIBED%", repr(DESCRIBED))


class RuntimeProcess:
    """The process that has imported AWS's runtime; it is started when it is first asked.

    Parameters
    ----------
    prelude
        Lines of Python that run first.
    """

    def __init__(self, prelude: str) -> None:
        self._prelude = prelude
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self, path: str, *, cwd: str, environment: Mapping[str, str]) -> ForkedProcess:
        """Run a script in a process of its own.

        Raises
        ------
        RuntimeError
            If boto3 cannot be imported.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", self._prelude + SCRIPT],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            return request_fork(
                self._process, "the runtime", path=path, cwd=cwd, environment=dict(environment)
            )

    def stop(self) -> None:
        """End it; what it has forked goes on."""
        with self._lock:
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
