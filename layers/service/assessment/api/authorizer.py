"""Whom an `Authorization` header names, by the tokens that this stack accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assessment.api.rotation import check_with_versions
from assessment.api.tokens import (
    is_invitation,
    verify_invitation,
    verify_issued_token,
    verify_own_token,
)
from assessment.bootstrap import Composition
from assessment.domain.access import Caller
from assessment.settings import AuthorizeRequestSettings


def find_caller(
    authorization: str, *, adapters: Composition[AuthorizeRequestSettings], now: datetime
) -> Caller:
    """Whom the token names: an invitation, one of the issuer if the stack has one, or its own.

    Raises
    ------
    TokenRefusedError
    TransientError
        If the issuer gives no keys.
    """
    settings = adapters.settings
    if is_invitation(authorization):
        return check_with_versions(
            adapters.invitation_secret,
            lambda secrets: verify_invitation(authorization, secrets=secrets, now=now),
        )
    if settings.oidc_issuer:
        return verify_issued_token(
            authorization,
            issuer=settings.issuer,
            find_key=adapters.issuer_keys.find,
            max_life=settings.max_token_life,
            now=now,
        )

    def check(secrets: Sequence[str]) -> Caller:
        return verify_own_token(
            authorization, secrets=secrets, max_life=settings.max_token_life, now=now
        )

    return check_with_versions(adapters.api_secret, check)
