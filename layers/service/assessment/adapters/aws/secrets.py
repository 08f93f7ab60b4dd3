"""The stack's own secrets."""

from __future__ import annotations

from typing import Any

from assessment.adapters.aws.errors import translating


def secret_text(client: Any, secret_id: str) -> str:
    """The text of a secret.

    Raises
    ------
    TransientError, PermissionMissingError
    """
    return str(translating(client).get_secret_value(SecretId=secret_id)["SecretString"])
