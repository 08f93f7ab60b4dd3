"""Workers of the stack's functions, as processes of this machine that are killed at work."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from local.stack.cloud import Cloud
from local.stack.deploy import STACK


class Workers:
    """The processes that run the functions of one laptop cloud; others may run beside it."""

    def __init__(self, cloud: Cloud) -> None:
        self._server = str(cloud.server.pid)
        self._function_names: dict[int, str] = {}

    def find(self, function: str) -> list[int]:
        """The workers of one function."""
        return [pid for pid, name in self.list_all().items() if name == function]

    def list_all(self) -> dict[int, str]:
        """The function of every worker, by process id."""
        children = [int(path.name) for path in Path("/proc").iterdir() if self._is_child(path)]
        for pid in set(children) - set(self._function_names):
            name = read_function_name(pid)
            if name:
                self._function_names[pid] = name
        return {pid: self._function_names[pid] for pid in children if pid in self._function_names}

    def _is_child(self, process: Path) -> bool:
        if not process.name.isdecimal():
            return False
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return False
        return fields[1] == self._server


def read_function_name(pid: int) -> str:
    """The function that a process of the laptop cloud runs; empty before it knows it itself."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"AWS_LAMBDA_FUNCTION_NAME={STACK}-".encode()
    names = [each.removeprefix(prefix) for each in variables if each.startswith(prefix)]
    return names[0].decode() if names else ""


def kill(pid: int) -> bool:
    """Kill a worker; False if it was gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
