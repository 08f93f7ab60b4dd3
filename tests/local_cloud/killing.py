"""Workers of the stack's functions, as processes of this machine that are killed at work."""

from __future__ import annotations

import os
import platform
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from local.demo import Stage
from local.stack import processes
from local.stack.cloud import Cloud
from local.stack.deploy import STACK

FUNCTIONS = sorted(
    folder.name.replace("_", "-")
    for folder in (processes.ROOT / "functions").iterdir()
    if (folder / "app.py").exists()
)
# What waits for its next event reads from its standard input: the number of this call of the
# kernel, and of the descriptor. It stands so in /proc/<pid>/syscall.
WAITING = ["63" if platform.machine() == "aarch64" else "0", "0x0"]


def workers(cloud: Cloud, function: str) -> Iterator[int]:
    """The processes that run a function on this laptop cloud; others may run beside it."""
    folder = f"{processes.folder(cloud.server.name)}/".encode()
    named = f"AWS_LAMBDA_FUNCTION_NAME={STACK}-{function}\0".encode()
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        worker = b"_worker.py" in command and folder in command
        if process.name.isdecimal() and worker and named in environment:
            yield int(process.name)


def is_at_work(pid: int) -> bool:
    """Whether the worker has an event, or is being started for one."""
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return False
    return call[:2] != WAITING


def kill(pid: int) -> bool:
    """Kill a worker; False if it was gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Killer(threading.Thread):
    """Kills workers at work, at random moments, until it has killed as many as it is to.

    Parameters
    ----------
    choose
        The functions whose workers may die next, by what has been killed before; none ends it.
    pause
        The longest time between two looks, s.
    """

    def __init__(
        self,
        stage: Stage,
        choose: Callable[[Counter[str]], list[str]],
        *,
        seed: int,
        pause: float = 0.03,
    ) -> None:
        super().__init__()
        self.killed: Counter[str] = Counter()
        self._cloud = stage.cloud
        self._choose = choose
        self._rng = random.Random(seed)
        self._pause = pause
        self._over = threading.Event()

    def run(self) -> None:
        """Look for workers at work until all have died, or the context ends."""
        while functions := self._choose(self.killed):
            if self._over.wait(self._rng.uniform(0, self._pause)):
                return
            self._rng.shuffle(functions)
            self._kill_one(functions)

    def _kill_one(self, functions: list[str]) -> None:
        for function in functions:
            for pid in workers(self._cloud, function):
                if is_at_work(pid) and kill(pid):
                    self.killed[function] += 1
                    return

    def __enter__(self) -> Counter[str]:
        self.start()
        return self.killed

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
