"""Bearer tokens of the API: JSON Web Tokens signed with the stack's secret (RFC 7519, HS256)."""

from __future__ import annotations

from datetime import datetime, timedelta

import jwt

from assessment.domain.access import Caller
from assessment.domain.invitation import Invitation

AUDIENCE = "cj-assessment"
INVITATION_AUDIENCE = "cj-invitation"
"""Of tokens with a secret of their own: who may invite judges cannot sign for anybody else."""
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


def sign_invitation(invitation: Invitation, *, organisation: str, secret: str) -> str:
    """The token of an invitation: it opens its batch until the invitation ends."""
    claims = {
        "sub": invitation.subject,
        "aud": INVITATION_AUDIENCE,
        "organisation": organisation,
        "batch_id": invitation.batch_id,
        "iat": invitation.created_at,
        "exp": invitation.expires_at,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)
