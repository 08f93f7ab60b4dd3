"""Whom the authorizer finds in a token, with the rules that a stack has by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assessment.api.tokens import verify_own_token
from assessment.domain.access import Caller

MAX_LIFE = timedelta(hours=24)


def read_caller(token: str, secret: str) -> Caller:
    """The caller of a bearer token; raises TokenRefusedError."""
    return verify_own_token(
        f"Bearer {token}", secrets=(secret,), max_life=MAX_LIFE, now=datetime.now(UTC)
    )
