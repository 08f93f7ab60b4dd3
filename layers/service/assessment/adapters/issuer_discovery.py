"""What an OIDC issuer says of itself: OpenID Connect Discovery 1.0, section 4.

The addresses of an issuer are not checked as those of judges and webhooks are: callers cannot name
one. It is a parameter of the stack, and whoever is the issuer may sign any token anyway.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from assessment.domain.endpoint import LOCAL_HOSTS
from assessment.domain.errors import MissingSettingError, TransientError
from assessment.domain.sign_in import SignIn

TIMEOUT_SECONDS = 3.0


def check_issuer_url(url: str) -> None:
    """Refuse an issuer that is not reached by https, unless it is on this machine.

    Raises
    ------
    MissingSettingError
    """
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
    if not (local or (parts.scheme == "https" and parts.hostname)):
        raise MissingSettingError(f"the issuer {url} is no https address")


def read_discovery(issuer_url: str) -> dict[str, Any]:
    """The issuer's document.

    Raises
    ------
    TransientError
        If the issuer does not answer as one.
    MissingSettingError
        If the document is another issuer's.
    """
    url = f"{issuer_url.rstrip('/')}/.well-known/openid-configuration"
    try:
        document = httpx.get(url, timeout=TIMEOUT_SECONDS).raise_for_status().json()
        issuer = document["issuer"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise TransientError(f"{url} does not answer as an issuer does") from error
    if issuer != issuer_url:
        # Section 4.3: it must be the very URL that the tokens have.
        raise MissingSettingError(f"{url} is of the issuer {issuer}; set OidcIssuer to that")
    return dict(document)


def find_sign_in(issuer_url: str, *, client_id: str, audience: str, scope: str) -> SignIn:
    """Where people sign in with the issuer.

    Raises
    ------
    TransientError, MissingSettingError
        As `read_discovery`, and if the issuer names no place to sign in.
    """
    check_issuer_url(issuer_url)
    document = read_discovery(issuer_url)
    authorisation, token = (
        document.get(name) for name in ("authorization_endpoint", "token_endpoint")
    )
    if not isinstance(authorisation, str) or not isinstance(token, str):
        raise MissingSettingError(f"the issuer {issuer_url} has no authorization or token endpoint")
    for address in (authorisation, token):
        check_issuer_url(address)
    return SignIn(
        issuer=issuer_url,
        client_id=client_id,
        audience=audience,
        scope=scope,
        authorization_endpoint=authorisation,
        token_endpoint=token,
    )
