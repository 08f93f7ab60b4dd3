"""The server in front of MiniStack: uvicorn, whose parser and loop are in C.

MiniStack brings hypercorn, which takes .47 ms of a processor for a request and uvicorn .08; all
that functions ask of AWS comes through it, some twenty requests for a decision of a judge.
"""

from __future__ import annotations

import asyncio
import gc
import sys

import hypercorn.asyncio
import uvicorn
import uvloop
from hypercorn.config import Config

_LONGEST_STOP_SECONDS = 1
_SWITCH_SECONDS = 0.0005
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""MiniStack keeps all data in memory: looking through them for garbage after each two thousand new
objects took an eighth of its time."""


def install() -> None:
    """Put it in place of MiniStack's own, before it starts."""
    hypercorn.asyncio.serve = serve  # MiniStack gives two arguments
    # Calls of functions run in threads beside the loop, which waits for them after each answer.
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


async def serve(app: object, config: Config) -> None:
    """Serve at the first address of the configuration until a signal comes."""
    host, _, port = config.bind[0].rpartition(":")
    options = uvicorn.Config(
        app,  # type: ignore[arg-type] # MiniStack has no types
        host=host,
        port=int(port),
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=int(config.keep_alive_timeout),
        timeout_graceful_shutdown=_LONGEST_STOP_SECONDS,
    )
    await uvicorn.Server(options).serve()
