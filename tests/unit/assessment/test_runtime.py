"""The process of a function: its event loop and threads."""

from __future__ import annotations

import asyncio
from threading import Barrier

from assessment import bootstrap

MESSAGES_OF_A_WORKER = 10


def test_calls_that_hold_a_thread_do_not_wait_for_each_other() -> None:
    together = Barrier(MESSAGES_OF_A_WORKER)

    async def wait_for_all() -> list[int]:
        waits = (asyncio.to_thread(together.wait, 10) for _ in range(MESSAGES_OF_A_WORKER))
        return await asyncio.gather(*waits)

    assert sorted(bootstrap.run(wait_for_all())) == list(range(MESSAGES_OF_A_WORKER))
