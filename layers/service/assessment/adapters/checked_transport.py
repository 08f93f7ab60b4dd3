"""HTTP connections to addresses that were checked.

A host is looked up once for a connection, every address that it has is checked, and the connection
goes to one of these: a name that answers differently the second time (DNS rebinding) gains nothing.
The certificate is that of the name. Connections that are kept are not looked up again.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from assessment.domain.endpoint import check_endpoint_address

type AddressFinder = Callable[[str, int], Sequence[str]]
"""The addresses of a host and port, each of them checked; raises what its caller is to see."""

_MOST_TRIED = 3
_CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


def look_up(host: str, port: int) -> list[str]:
    """All addresses of a host, those of IPv4 first: functions reach the internet over it anywhere.

    Raises
    ------
    OSError, UnicodeError
        If the host is not found, or is no name.
    """
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted((str(place[4][0]) for place in entries), key=lambda address: ":" in address)


def find_endpoint_addresses(host: str, port: int) -> list[str]:
    """The addresses of a judge's endpoint.

    Raises
    ------
    EndpointRefusedError
        If one of them is the machine that the stack runs on.
    OSError, UnicodeError
    """
    addresses = look_up(host, port)
    for address in addresses:
        check_endpoint_address(host, address)
    return addresses


@cache
def trust_authorities() -> ssl.SSLContext:
    """The authorities whose certificates are trusted, read once for a process.

    Reading them takes longer than making a connection.
    """
    return httpx.create_ssl_context()


class CheckedTransport(httpx.AsyncBaseTransport):
    """Transport that connects only to what its finder of addresses gives; it knows no proxies.

    The transport of httpx takes no network backend for its pool of connections, so this one holds a
    pool of httpcore, which does.
    """

    def __init__(
        self,
        find_addresses: AddressFinder,
        *,
        limits: httpx.Limits,
        retries: int = 0,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify or trust_authorities(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            retries=retries,
            network_backend=_CheckedNetwork(find_addresses),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, and give the response with its body still to be read."""
        url = request.url
        with _httpx_errors(request):
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response, request),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response, as it comes."""

    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors(self._request):
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """Raise each error of httpcore as the one of httpx that has its name."""
    try:
        yield
    except _CORE_ERRORS as error:
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error), request=request) from error


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Finds and checks the addresses of a host before it connects to one of them."""

    def __init__(self, find_addresses: AddressFinder) -> None:
        self._find_addresses = find_addresses
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in (await self._find(host, port, timeout))[:_MOST_TRIED]:
            try:
                return await self._network.connect_tcp(
                    address,
                    port,
                    timeout=timeout,
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _find(self, host: str, port: int, seconds: float | None) -> Sequence[str]:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(self._find_addresses, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} was not looked up in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error

    async def sleep(self, seconds: float) -> None:
        """Wait between the tries of a connection."""
        await self._network.sleep(seconds)
