"""HTTP to the receivers of webhooks, signed by the Standard Webhooks scheme.

A host's address is looked up and checked, and the connection goes to that very address: a name
that answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from urllib.parse import SplitResult

import httpx
from standardwebhooks import Webhook

from assessment.adapters.judges.retry_delay import find_retry_delay
from assessment.domain.webhook import check_address, read_url
from assessment.domain.webhook_errors import AddressRefusedError, WebhookUnavailableError
from assessment.ports.webhooks import OutgoingMessage, Reply

_SECONDS = 15.0
"""As long as the scheme lets a receiver take."""

_PORTS = {"http": 80, "https": 443}


class HTTPWebhookSender:
    """Sends to public addresses; with `loopback_allowed` also to this machine, for its cloud."""

    def __init__(self, *, loopback_allowed: bool = False) -> None:
        self._loopback_allowed = loopback_allowed

    def check(self, url: str) -> None:
        """Look up the host and check all its addresses."""
        self._find_address(read_url(url, loopback_allowed=self._loopback_allowed))

    async def send(self, message: OutgoingMessage, *, now: datetime) -> Reply:
        """Post the message; of the answer only its status and headers are read."""
        parts = read_url(message.url, loopback_allowed=self._loopback_allowed)
        try:
            async with asyncio.timeout(_SECONDS):
                address = await asyncio.to_thread(self._find_address, parts)
                return await _post(message, parts, address, now)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebhookUnavailableError(
                f"the receiver did not answer: {type(error).__name__}"
            ) from error

    def _find_address(self, parts: SplitResult) -> str:
        """An address of the host; every one that it has must be allowed."""
        port = parts.port or _PORTS[parts.scheme]
        try:
            entries = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AddressRefusedError("has a host that is not found", field="url") from error
        addresses = [str(place[4][0]) for place in entries]
        for address in addresses:
            check_address(address, scheme=parts.scheme, loopback_allowed=self._loopback_allowed)
        # Functions reach the internet over IPv4 everywhere.
        return min(addresses, key=lambda address: ":" in address)


async def _post(message: OutgoingMessage, parts: SplitResult, address: str, now: datetime) -> Reply:
    # No connection is kept: two hosts may share an address, and each is to be checked by its own
    # certificate. Proxies of the environment would look the host up again.
    transport = httpx.AsyncHTTPTransport(
        trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
    )
    url = httpx.URL(message.url).copy_with(host=address)
    async with (
        httpx.AsyncClient(
            transport=transport, follow_redirects=False, trust_env=False, timeout=_SECONDS
        ) as client,
        client.stream(
            "POST",
            url,
            content=message.body.encode(),
            headers=_headers(message, now) | {"Host": parts.netloc},
            extensions={"sni_hostname": parts.hostname},
        ) as response,
    ):
        delay = find_retry_delay(response.headers, [], now=now)
        return Reply(response.status_code, retry_after=delay)


def _headers(message: OutgoingMessage, now: datetime) -> dict[str, str]:
    moment = now.astimezone(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": "cj-assessment",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        # One for each secret, with spaces between them, as the scheme has it for rotations.
        "webhook-signature": " ".join(
            Webhook(secret).sign(message.message_id, moment, message.body)
            for secret in message.secrets
        ),
    }
