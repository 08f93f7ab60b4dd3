"""Where and as what the pages let people sign in: an OIDC issuer's endpoints and our client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignIn:
    """The code flow with PKCE (RFC 6749, 7636) of a public client; nothing here is secret."""

    issuer: str
    client_id: str
    audience: str
    scope: str
    authorization_endpoint: str
    token_endpoint: str
