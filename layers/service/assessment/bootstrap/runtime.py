"""What lives as long as the process: clients, adapters and the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from concurrent import futures
from functools import cache
from typing import Any

from assessment.bootstrap.clients import Clients
from assessment.bootstrap.composition import Composition
from assessment.settings import Settings, read_settings

# A worker asks about ten messages side by side, and each call to Bedrock holds a thread until its
# answer. Python's own choice is four more than the processors: later calls would wait for earlier
# ones, beyond the function's time.
_THREADS = 20


class Process:
    """What lives as long as the process: clients, and the adapters of its function."""

    def __init__(self) -> None:
        self._clients = Clients(os.environ.get("LAPTOP_CLOUD_URL") or None)
        self._adapters: dict[type[Settings], Composition[Any]] = {}

    def adapters[S: Settings](self, model: type[S]) -> Composition[S]:
        """A function's adapters; its settings are checked the first time."""
        if model not in self._adapters:
            self._adapters[model] = Composition(read_settings(model, os.environ), self._clients)
        return self._adapters[model]


@cache
def process() -> Process:
    """The one process; a test that plays several clears this cache."""
    return Process()


def adapters[S: Settings](model: type[S]) -> Composition[S]:
    """The adapters of the function whose settings have this model.

    Raises
    ------
    MissingSettingError
        At the first call, if the environment lacks a variable that the function needs.
    """
    return process().adapters(model)


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of the process: connections belong to a loop and outlive invocations."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(futures.ThreadPoolExecutor(_THREADS))
    return loop


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the process's loop."""
    return event_loop().run_until_complete(work)
