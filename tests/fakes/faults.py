"""Crashes at a chosen port call, before or after the call took effect."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, cast


class CrashError(Exception):
    """The process died here."""


@dataclass
class Fault:
    """Counts port calls and crashes at one of them; `at` 0 never crashes."""

    at: int = 0
    after: bool = False
    calls: int = 0

    def begin(self) -> bool:
        """Count a call; whether the crash belongs to it."""
        self.calls += 1
        due = self.calls == self.at
        if due and not self.after:
            raise CrashError(f"before call {self.at}")
        return due

    def end(self, *, due: bool) -> None:
        """Crash after the call, if that is wanted."""
        if due:
            raise CrashError(f"after call {self.at}")


class _Faulty:
    def __init__(self, port: Any, fault: Fault) -> None:
        self._port = port
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            due = self._fault.begin()
            result = method(*args, **kwargs)
            self._fault.end(due=due)
            return result

        async def call_async(*args: Any, **kwargs: Any) -> Any:
            due = self._fault.begin()
            result = await method(*args, **kwargs)
            self._fault.end(due=due)
            return result

        return call_async if inspect.iscoroutinefunction(method) else call


def faulty[P](port: P, fault: Fault) -> P:
    """The port with the fault in front of every call."""
    return cast("P", _Faulty(port, fault))
