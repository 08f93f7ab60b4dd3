"""Workers of the stack's functions, as processes of this machine that are killed at work."""

from __future__ import annotations

import contextlib
import os
import platform
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable
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
# MiniStack's folder of a function ends in eight random characters.
_FOLDER = re.compile(rf"ministack-lambda-{STACK}-(?P<function>.+)-\w{{8}}")
# What waits for its next event reads from its standard input: the number of this call of the
# kernel, and of the descriptor. It stands so in /proc/<pid>/syscall.
WAITING = ["63" if platform.machine() == "aarch64" else "0", "0x0"]


class Workers:
    """The processes that run the functions of one laptop cloud; others may run beside it.

    The cloud has a child that has imported the runtime. Its children have imported layers, theirs a
    function each, and theirs are the workers.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._server = cloud.server.pid
        self._function_names: dict[int, str] = {}

    def find(self, function: str) -> list[int]:
        """The workers of one function."""
        return [pid for pid, name in self.list_all().items() if name == function]

    def list_all(self) -> dict[int, str]:
        """The function of every worker, by process id."""
        parents = read_parents()
        generation = {self._server}
        for _ in range(4):
            generation = {pid for pid, parent in parents.items() if parent in generation}
        workers = generation
        for pid in workers - set(self._function_names):
            name = read_function_name(pid)
            if name:
                self._function_names[pid] = name
        return {pid: self._function_names[pid] for pid in workers if pid in self._function_names}


def read_parents() -> dict[int, int]:
    """The process id of every process's parent."""
    parents = {}
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                parents[int(process.name)] = int(fields[1])
    return parents


def read_function_name(pid: int) -> str:
    """The function whose code a process of the laptop cloud runs; empty where it has none."""
    try:
        folder = Path(f"/proc/{pid}/cwd").readlink().parent.name
    except OSError:
        return ""
    found = _FOLDER.fullmatch(folder)
    return found["function"] if found else ""


def is_at_work(pid: int) -> bool:
    """Whether the worker has an event: it has called AWS, and does not wait for its next event.

    One that is still being started is left alone: MiniStack does not always start another.
    """
    process = Path(f"/proc/{pid}")
    try:
        call = (process / "syscall").read_text().split()
        files = [str(link.readlink()) for link in (process / "fd").iterdir()]
    except OSError:
        return False
    return call[:2] != WAITING and any(file.startswith("socket:") for file in files)


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
        pause: float = 0.02,
    ) -> None:
        super().__init__()
        self.killed: Counter[str] = Counter()
        self._workers = Workers(stage.cloud)
        self._choose = choose
        self._rng = random.Random(seed)
        self._pause = pause
        self._over = threading.Event()

    def run(self) -> None:
        """Look for workers at work until enough have died, or the context ends."""
        while functions := self._choose(self.killed):
            if self._over.wait(self._rng.uniform(0, self._pause)):
                return
            self._kill_one(functions)

    def _kill_one(self, functions: list[str]) -> None:
        found = list(self._workers.list_all().items())
        self._rng.shuffle(found)
        for pid, function in found:
            if function in functions and is_at_work(pid) and kill(pid):
                self.killed[function] += 1
                return

    def __enter__(self) -> Counter[str]:
        self.start()
        return self.killed

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
