"""One event loop for all simulated worlds: making one takes longer than handling a message."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Coroutine
from functools import cache
from typing import Any


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner


def run_async[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on the main thread."""
    return _runner().run(coroutine)
