"""Secrets Manager: the signing secrets and the providers' keys, behind one cache."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError

from assessment.adapters.aws.errors import error_code, wrap_client
from assessment.domain.judge_errors import JudgeRefusedError

MAX_AGE_SECONDS = 300
"""A secret that was rotated takes effect within this time."""

_MISSING = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class MissingSecretError(LookupError):
    """There is no secret of this name, or it is to be deleted."""


class Secrets:
    """Texts of secrets; each is read again after `max_age` seconds."""

    def __init__(self, client: Any, *, max_age: int = MAX_AGE_SECONDS) -> None:
        self._client = wrap_client(client)
        self._provider = SecretsProvider(boto3_client=self._client)
        self._max_age = max_age

    def read(self, name: str) -> str:
        """The text of a secret, by its name or ARN.

        Raises
        ------
        MissingSecretError
        TransientError, PermissionMissingError
        """
        try:
            return str(self._provider.get(name, max_age=self._max_age))
        except GetParameterError as error:
            # The provider raises it while it handles the client's own error.
            cause = error.__context__
            if isinstance(cause, ClientError) and error_code(cause) in _MISSING:
                raise MissingSecretError(name) from cause
            raise (cause or error)  # noqa: B904 - its own cause is the one to show

    def exists(self, name: str) -> bool:
        """Whether there is such a secret; it is not read.

        Raises
        ------
        TransientError, PermissionMissingError
        """
        try:
            description = self._client.describe_secret(SecretId=name)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return False
            raise
        return "DeletedDate" not in description


_LEAST_AGE_SECONDS = 15
"""How often a secret may be read again because something does not fit it."""


class SigningSecret:
    """A secret that signs, with the version before it: both hold while it is rotated.

    A signature that fits no known version makes it read both again, at most once in 15 seconds,
    so that a new version is accepted at once and wrong signatures cost nothing.
    """

    def __init__(
        self,
        client: Any,
        name: str,
        *,
        max_age: float = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = wrap_client(client)
        self._name = name
        self._max_age = max_age
        self._clock = clock
        self._versions: tuple[str, ...] = ()
        self._read_at = float("-inf")

    def versions(self, *, latest: bool = False) -> tuple[str, ...]:
        """The current version, then the previous one if there is one.

        `latest` reads them again unless that was done a moment ago.

        Raises
        ------
        TransientError, PermissionMissingError
        """
        allowed_age = _LEAST_AGE_SECONDS if latest else self._max_age
        if self._clock() - self._read_at >= allowed_age:
            self._versions = (self._read("AWSCURRENT"), *self._previous())
            self._read_at = self._clock()
        return self._versions

    def _read(self, stage: str) -> str:
        return str(
            self._client.get_secret_value(SecretId=self._name, VersionStage=stage)["SecretString"]
        )

    def _previous(self) -> tuple[str, ...]:
        try:
            return (self._read("AWSPREVIOUS"),)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return ()
            raise


class JudgeKeys:
    """Keys of providers: secrets below the stack's own prefix."""

    def __init__(self, secrets: Secrets, prefix: str) -> None:
        self._secrets = secrets
        self._prefix = prefix

    def exists(self, name: str) -> bool:
        """Whether there is such a key; it is not read."""
        return self._secrets.exists(self._prefix + name)

    def get_key(self, name: str) -> str:
        """The key: the secret's text, or its `api_key` where it is a JSON object.

        Raises
        ------
        JudgeRefusedError
            If there is no such secret, or no key in it.
        TransientError, PermissionMissingError
        """
        path = self._prefix + name
        try:
            key = _read_key(self._secrets.read(path))
        except MissingSecretError as error:
            raise JudgeRefusedError(f"there is no secret {path}") from error
        if not key or not key.isascii() or not key.isprintable():
            raise JudgeRefusedError(f"the secret {path} holds no key")
        return key


def _read_key(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith("{"):
        return stripped
    try:
        return str(json.loads(stripped).get("api_key", ""))
    except ValueError:
        return ""
