"""Bearer tokens of the API: JSON Web Tokens signed with the stack's secret (RFC 7519, HS256)."""

from __future__ import annotations

from datetime import datetime, timedelta

import jwt

AUDIENCE = "cj-assessment"
ALGORITHM = "HS256"


def sign_token(subject: str, *, secret: str, scope: str, now: datetime, lifetime: timedelta) -> str:
    """A token for a caller of the API."""
    return jwt.encode(
        {"sub": subject, "aud": AUDIENCE, "scope": scope, "iat": now, "exp": now + lifetime},
        secret,
        algorithm=ALGORITHM,
    )
