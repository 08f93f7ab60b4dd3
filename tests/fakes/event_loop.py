"""One event loop for all simulated worlds: making one takes longer than handling a message."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import cache
from typing import Any


class ThreadlessLoop(asyncio.SelectorEventLoop):
    """Runs at once what is for a thread: stores in memory never wait.

    Whole batches spent most of their time on giving these calls to threads and back. An executor
    that a test gives still runs its own threads.
    """

    def run_in_executor[*Arguments, T](
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> asyncio.Future[T]:
        """The answer, which is there already."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        answer: asyncio.Future[T] = self.create_future()
        try:
            answer.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            answer.set_exception(error)
        return answer


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner(loop_factory=ThreadlessLoop)
    atexit.register(runner.close)
    return runner


def run_async[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on the main thread."""
    return _runner().run(coroutine)
