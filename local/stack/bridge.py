"""Forward connections from Docker's bridge to the laptop cloud, which listens on loopback only."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

_CHUNK = 65_536


def bridge_address() -> str:
    """The host's address on Docker's default bridge: containers reach the host there.

    Docker names the gateway, or only the subnet, whose first address it then takes.
    """
    command = ["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    network = json.loads(output)[0]
    first = next(ipaddress.ip_network(network["Subnet"]).hosts())
    return str(network.get("Gateway") or first)


@contextmanager
def open_bridge(url: str) -> Iterator[str]:
    """Yield the URL under which containers reach a loopback server, until the context ends."""
    port = urlsplit(url).port or 80
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(forward, bridge_address(), 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    host, listening_port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{listening_port}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
