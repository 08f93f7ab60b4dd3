"""Signed callbacks: HMAC-SHA256 over a timestamp and the body (RFC 2104), good for five minutes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from assessment.domain.errors import SignatureRefusedError

WINDOW_SECONDS = 300
TIMESTAMP_HEADER = "X-CJ-Timestamp"
SIGNATURE_HEADER = "X-CJ-Signature"
_SCHEME = "sha256="


def sign_body(secret: str, timestamp: str, body: str) -> str:
    """The signature header of a body sent at a time (Unix seconds)."""
    signed = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256)
    return _SCHEME + signed.hexdigest()


def check_signature(
    body: str,
    *,
    timestamp: str | None,
    signature: str | None,
    secrets: Sequence[str],
    now: datetime,
) -> None:
    """Refuse what was not signed with one of the secrets within the last five minutes.

    A secret that is being rotated has two versions, and either holds.

    Raises
    ------
    SignatureRefusedError
        The same words for a wrong secret and a changed body.
    """
    if not timestamp or not signature:
        raise SignatureRefusedError(
            f"send the headers {TIMESTAMP_HEADER} (Unix seconds) and {SIGNATURE_HEADER}"
        )
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > len("9999999999"):
        raise SignatureRefusedError(f"{TIMESTAMP_HEADER} is not a time in Unix seconds")
    # Checked before the age, so that an error about the age tells nothing to an unknown sender.
    fits = [
        hmac.compare_digest(sign_body(secret, timestamp, body).encode(), signature.encode())
        for secret in secrets
    ]
    if not any(fits):
        raise SignatureRefusedError("the signature does not fit the timestamp and the body")
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise SignatureRefusedError(
            f"the timestamp is more than {WINDOW_SECONDS} seconds away from now; sign it anew"
        )
