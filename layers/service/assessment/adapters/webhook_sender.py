"""HTTP to the receivers of webhooks, signed by the Standard Webhooks scheme."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from functools import partial
from urllib.parse import SplitResult

import httpx
from standardwebhooks import Webhook

from assessment.adapters.checked_transport import CheckedTransport, look_up
from assessment.adapters.judges.retry_delay import find_retry_delay
from assessment.domain.webhook import check_address, read_url
from assessment.domain.webhook_errors import AddressRefusedError, WebhookUnavailableError
from assessment.ports.webhooks import OutgoingMessage, Reply

_SECONDS = 15.0
"""As long as the scheme lets a receiver take."""

_PORTS = {"http": 80, "https": 443}
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=0)


class HTTPWebhookSender:
    """Sends to public addresses; with `loopback_allowed` also to this machine, for its cloud."""

    def __init__(
        self, *, loopback_allowed: bool = False, verify: ssl.SSLContext | None = None
    ) -> None:
        self._loopback_allowed = loopback_allowed
        self._verify = verify

    def check(self, url: str) -> None:
        """Look up the host and check all its addresses."""
        parts = read_url(url, loopback_allowed=self._loopback_allowed)
        self._find_addresses(parts, parts.hostname or "", parts.port or _PORTS[parts.scheme])

    async def send(self, message: OutgoingMessage, *, now: datetime) -> Reply:
        """Post the message; of the answer only its status and headers are read."""
        parts = read_url(message.url, loopback_allowed=self._loopback_allowed)
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._post(message, parts, now)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebhookUnavailableError(
                f"the receiver did not answer: {type(error).__name__}"
            ) from error

    def _find_addresses(self, parts: SplitResult, host: str, port: int) -> list[str]:
        """The addresses of the host; every one that it has must be allowed."""
        try:
            addresses = look_up(host, port)
        except (OSError, UnicodeError) as error:
            raise AddressRefusedError("has a host that is not found", field="url") from error
        for address in addresses:
            check_address(address, scheme=parts.scheme, loopback_allowed=self._loopback_allowed)
        return addresses

    async def _post(self, message: OutgoingMessage, parts: SplitResult, now: datetime) -> Reply:
        # Made anew for each message, so that every one is sent to addresses that were checked.
        transport = CheckedTransport(
            partial(self._find_addresses, parts), limits=_ONE_CONNECTION, verify=self._verify
        )
        async with (
            httpx.AsyncClient(
                transport=transport, follow_redirects=False, trust_env=False, timeout=_SECONDS
            ) as client,
            client.stream(
                "POST",
                message.url,
                content=message.body.encode(),
                headers=_headers(message, now),
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
