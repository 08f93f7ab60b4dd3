"""Public keys of an OIDC issuer, found by discovery and kept for a while.

OpenID Connect Discovery 1.0, section 4, names the document; RFC 7517 the set of keys.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from jwt import PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWKSetError

from assessment.adapters.issuer_discovery import (
    TIMEOUT_SECONDS,
    check_issuer_url,
    read_discovery,
)
from assessment.domain.errors import TokenRefusedError, TransientError

KEYS_LIFESPAN_SECONDS = 300
"""A key that the issuer withdraws is refused after this time."""

NEW_KEY_SECONDS = 15
"""How often an unknown key may make it ask the issuer again: anybody can name one."""


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
        check_issuer_url(issuer_url)
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
            timeout=TIMEOUT_SECONDS,
        )

    def _jwks_uri(self) -> str:
        jwks_uri = read_discovery(self._issuer_url).get("jwks_uri")
        if not isinstance(jwks_uri, str):
            raise TransientError(f"{self._issuer_url} does not answer as an issuer does")
        return jwks_uri
