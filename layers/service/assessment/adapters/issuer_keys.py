"""Public keys of an OIDC issuer, found by discovery and kept for a while.

OpenID Connect Discovery 1.0, section 4, names the document; RFC 7517 the set of keys.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
from jwt import PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWKSetError

from assessment.domain.endpoint import LOCAL_HOSTS
from assessment.domain.errors import MissingSettingError, TokenRefusedError, TransientError

KEYS_LIFESPAN_SECONDS = 300
"""A key that the issuer withdraws is refused after this time."""

NEW_KEY_SECONDS = 15
"""How often an unknown key may make it ask the issuer again: a stranger can name any."""

_TIMEOUT_SECONDS = 3.0


class _LastingKeys(PyJWKClient):
    """The keys as they were, while the issuer does not answer."""

    _last: PyJWKSet | None = None

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:  # noqa: FBT001, FBT002 - as PyJWT has it
        """The set from the cache, from the issuer, or the one before."""
        try:
            self._last = super().get_jwk_set(refresh)
        except PyJWKClientConnectionError:
            if self._last is None:
                raise
        return self._last


class IssuerKeys:
    """The keys with which one issuer signs."""

    def __init__(self, issuer_url: str) -> None:
        parts = urlsplit(issuer_url)
        local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
        if not (local or (parts.scheme == "https" and parts.hostname)):
            raise MissingSettingError(f"the issuer {issuer_url} is no https address")
        self._issuer_url = issuer_url

    def find(self, key_id: str) -> Any:
        """The key of this id.

        Raises
        ------
        TokenRefusedError
            If the issuer has no such key.
        TransientError
            If the issuer does not answer, and has never answered.
        """
        try:
            return self._keys.get_signing_key(key_id).key
        except PyJWKClientConnectionError as error:
            raise TransientError(f"{self._issuer_url} does not give its keys") from error
        except (PyJWKClientError, PyJWKSetError) as error:
            raise TokenRefusedError("the issuer has no such key") from error

    @cached_property
    def _keys(self) -> PyJWKClient:
        return _LastingKeys(
            self._jwks_uri(),
            lifespan=KEYS_LIFESPAN_SECONDS,
            cooldown_duration=NEW_KEY_SECONDS,
            timeout=_TIMEOUT_SECONDS,
        )

    def _jwks_uri(self) -> str:
        url = f"{self._issuer_url.rstrip('/')}/.well-known/openid-configuration"
        try:
            document = httpx.get(url, timeout=_TIMEOUT_SECONDS).raise_for_status().json()
            issuer, jwks_uri = document["issuer"], str(document["jwks_uri"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise TransientError(f"{url} does not answer as an issuer does") from error
        if issuer != self._issuer_url:
            # Section 4.3: it must be the very URL that the tokens have.
            raise MissingSettingError(f"{url} is of the issuer {issuer}; set OidcIssuer to that")
        return jwks_uri
