"""Sample judges that start at once: forked from a process that has imported the judge.

A new process takes two seconds of a processor to import it, and each file needs a judge or two.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from local.demo import Stage
from local.judge import webhooks
from local.judge.options import JudgeOptions
from local.stack import processes
from local.stack.processes import Server

_PATIENCE_SECONDS = 5
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["local.judge_endpoint", __name__])


@contextmanager
def run_judge(on: Stage, options: JudgeOptions, *, port: int, name: str) -> Iterator[Server]:
    """A judge whose callbacks go to the stack's queues, until the context ends."""
    environment = on.cloud.environment() | {webhooks.VARIABLE: on.outputs["CallbackSecretArn"]}
    log = processes.folder(name) / "log"
    log.parent.mkdir(parents=True, exist_ok=True)
    process = _CONTEXT.Process(
        target=_serve, args=(port, options, environment, log), name=name, daemon=True
    )
    process.start()
    server = Server(name, process.pid or 0, port, "", {})
    try:
        while not processes.answers(f"{server.url}/healthz"):
            assert process.is_alive(), log.read_text()
            time.sleep(0.02)
        yield server
    finally:
        process.terminate()
        process.join(_PATIENCE_SECONDS)
        process.kill()
        process.join()


def _serve(port: int, options: JudgeOptions, environment: Mapping[str, str], log: Path) -> None:
    from local.judge_endpoint import serve

    with log.open("w") as printed:
        for stream in (1, 2):
            os.dup2(printed.fileno(), stream)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(port=port, **asdict(options))


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)
