"""Webhooks: where an organisation wants its events sent, and when a failed attempt is repeated.

The scheme is Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec 1.0.0).
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from enum import StrEnum
from math import ceil
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict

from assessment.domain.addresses import is_public
from assessment.domain.backoff import LONGEST_INVISIBILITY_SECONDS
from assessment.domain.identifiers import derive_uuid, draw_fraction
from assessment.domain.webhook_errors import AddressRefusedError

MOST_WEBHOOKS = 20
"""Of one organisation: every event is sent to each of them."""

MOST_ATTEMPTS = 9
"""Attempts until a message is a dead letter; the queue's redrive policy has the same number."""

_DELAYS = (5, 300, 1_800, 7_200, 18_000, 36_000)
"""Seconds after each failed attempt, as the scheme recommends; the last one repeats. The scheme's
later ones (14 to 24 hours) are longer than a queue can hide a message."""

_SPREAD = 0.1
_LONGEST_URL = 2_000


class Outcome(StrEnum):
    """What became of an attempt to deliver."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"


class Attempt(BaseModel):
    """The last attempt to deliver; `status` is null where no answer came."""

    model_config = ConfigDict(frozen=True)

    moment: datetime
    outcome: Outcome
    status: int | None = None


class Webhook(BaseModel):
    """A subscription of an organisation; its secret is kept apart."""

    model_config = ConfigDict(frozen=True)

    webhook_id: str
    url: str
    event_types: tuple[str, ...]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None = None
    last_attempt: Attempt | None = None

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are sent to it."""
        return self.disabled_at is None and event_type in self.event_types


def is_webhook_id(text: str) -> bool:
    """Whether the text can be the id of a webhook."""
    return re.fullmatch(r"[0-9a-f]{16}", text) is not None


def derive_message_id(webhook_id: str, event_id: str) -> str:
    """The `webhook-id` of an event at a webhook: the same at every attempt and replay."""
    return f"msg_{derive_uuid('webhook message', webhook_id, event_id)}"


def choose_delay(*, receives: int, retry_after: float | None, spread_by: str) -> int:
    """Seconds until the next attempt, never before the receiver asks for it.

    After the last attempt it is one second: the queue then moves the message to the dead letters.
    """
    if receives >= MOST_ATTEMPTS:
        return 1
    delay = _DELAYS[min(max(receives, 1), len(_DELAYS)) - 1]
    spread = delay * (1 + _SPREAD * draw_fraction(f"{spread_by}\x1f{receives}"))
    return min(ceil(max(spread, retry_after or 0)), LONGEST_INVISIBILITY_SECONDS)


def read_url(url: str, *, loopback_allowed: bool) -> SplitResult:
    """The parts of a webhook's URL.

    Raises
    ------
    AddressRefusedError
        If it is no https URL of a host, or has a name and password or a fragment in it.
    """
    parts = _split(url)
    if parts.scheme != "https" and not (loopback_allowed and parts.scheme == "http"):
        raise AddressRefusedError("must begin with https://", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefusedError("must have no user, password or fragment in it", field="url")
    return parts


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or len(url) > _LONGEST_URL or not url.isascii() or not _is_plain(url):
        raise AddressRefusedError(
            "is no URL; give one like https://school.example/events, in ASCII", field="url"
        )
    return parts


def _is_plain(url: str) -> bool:
    return url.isprintable() and not set(url) & {" ", "\\"}


def check_address(text: str, *, scheme: str, loopback_allowed: bool) -> None:
    """Refuse an address that is not of the public internet.

    Raises
    ------
    AddressRefusedError
        Also for addresses that carry another one in them, as these reach private networks too.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if loopback_allowed and address.is_loopback:
        return
    if scheme == "https" and is_public(address):
        return
    raise AddressRefusedError(
        "its host is not on the public internet; use a public address", field="url"
    )
