"""Checking against a secret that may have been rotated a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from assessment.domain.errors import SignatureRefusedError, TokenRefusedError


class Versions(Protocol):
    """The versions of a secret that are accepted, the current one first."""

    def versions(self, *, latest: bool = False) -> Sequence[str]:
        """From the cache, or with `latest` as they are now."""


def check_with_versions[T](secret: Versions, check: Callable[[Sequence[str]], T]) -> T:
    """What `check` returns for the known versions, or else for the latest.

    Raises
    ------
    TokenRefusedError, SignatureRefusedError
        As `check` raises it, if no version fits.
    """
    versions = secret.versions()
    try:
        return check(versions)
    except (TokenRefusedError, SignatureRefusedError):
        latest = secret.versions(latest=True)
        if latest == versions:
            raise
        return check(latest)
