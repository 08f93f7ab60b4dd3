"""Bearer tokens of the API: JSON Web Tokens signed with the stack's secret (RFC 7519, HS256)."""

from __future__ import annotations

from datetime import datetime, timedelta

import jwt

from assessment.domain.access import Caller

AUDIENCE = "cj-assessment"
ALGORITHM = "HS256"


def sign_token(caller: Caller, *, secret: str, now: datetime, lifetime: timedelta) -> str:
    """A token for a caller of the API."""
    claims = {
        "sub": caller.subject,
        "aud": AUDIENCE,
        "organisation": caller.organisation,
        "roles": sorted(caller.roles),
        "iat": now,
        "exp": now + lifetime,
    }
    if caller.batch_id is not None:
        claims["batch_id"] = caller.batch_id
    return jwt.encode(claims, secret, algorithm=ALGORITHM)
