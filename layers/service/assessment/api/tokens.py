"""Check the API's bearer tokens."""

from __future__ import annotations

from dataclasses import dataclass

import jwt

from assessment.contracts.tokens import ALGORITHM, AUDIENCE
from assessment.domain.errors import TokenRefusedError


@dataclass(frozen=True)
class Claims:
    """Who calls, and what they may do."""

    subject: str
    scope: str


def verify_token(authorization: str, *, secret: str) -> Claims:
    """The claims of an `Authorization: Bearer` header.

    Raises
    ------
    TokenRefusedError
        With a reason that does not repeat the token.
    """
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer" or not token:
        raise TokenRefusedError("send the header Authorization: Bearer <token>")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["exp", "sub", "aud"]},
        )
    except jwt.InvalidTokenError as error:
        raise TokenRefusedError(type(error).__name__) from error
    return Claims(subject=claims["sub"], scope=str(claims.get("scope", "")))
