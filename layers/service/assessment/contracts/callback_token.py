"""What ties a callback to the one comparison that its sender was asked about.

A request carries a token in its metadata, and the endpoint echoes it with the rest. The token has
two parts, both HMAC-SHA256 (RFC 2104) under a key that only the batch's record holds. The grant
covers the batch and the comparison: who lacks it was never asked, and is refused. The seal covers
all metadata: essay ids in their shown order, wave, attempt, judge and prompt hash. A callback with
a grant and a broken seal was asked about this comparison, but names something else.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from assessment.contracts.list_protocol import AnyMetadata, ListMetadata
from assessment.contracts.llm_protocol import CompareMetadata
from assessment.domain.errors import CallbackRefusedError, MalformedCallbackError
from assessment.domain.identifiers import canonical_json, is_batch_id, is_comparison_id

_PART_BYTES = 18
_SEALED_FIELDS = {
    "batch_id",
    "wave",
    "comparison_id",
    "attempt",
    "essay_a_id",
    "essay_b_id",
    "essay_ids",
    "prompt_sha256",
    "judge",
}


def sign_metadata[M: (CompareMetadata, ListMetadata)](metadata: M, *, key: str) -> M:
    """The metadata with the token that belongs to it."""
    grant = _sign_grant(metadata.batch_id, metadata.comparison_id, key)
    token = f"{grant}.{_sign_seal(metadata, key)}"
    return metadata.model_copy(update={"callback_token": token})


@dataclass
class CallbackEcho:
    """What a callback says of its request. `metadata` is None unless it is what was sent."""

    batch_id: str
    comparison_id: str
    token: str = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    metadata: AnyMetadata | None = None

    @classmethod
    def read(cls, document: object) -> CallbackEcho:
        """The echo with as much as is needed to tell its comparison.

        Raises
        ------
        MalformedCallbackError
            If the comparison cannot be told. What the endpoint put in the place of an id is not
            repeated: logs have ids, and nothing that looks like one.
        """
        fields = document if isinstance(document, dict) else {}
        names = ("batch_id", "comparison_id", "callback_token")
        missing = [name for name in names if not isinstance(fields.get(name), str)]
        if missing:
            wrong = ", ".join(missing) if isinstance(document, dict) else "all of it"
            raise MalformedCallbackError(
                f"echo the request's metadata whole; missing or wrong: {wrong}",
                field="request_metadata",
            )
        batch_id, comparison_id, token = (fields[name] for name in names)
        if not is_batch_id(batch_id):
            raise MalformedCallbackError("is no batch id", field="request_metadata.batch_id")
        if not is_comparison_id(comparison_id):
            raise MalformedCallbackError(
                "is no comparison id", field="request_metadata.comparison_id"
            )
        return cls(batch_id, comparison_id, token, fields)

    def check_grant(self, *, key: str) -> None:
        """Accept the echo of an endpoint that was asked, and its metadata if its seal is valid.

        Raises
        ------
        CallbackRefusedError
            If the sender was not asked about this comparison.
        """
        grant, _, seal = self.token.partition(".")
        expected = _sign_grant(self.batch_id, self.comparison_id, key)
        if not key or not _are_equal(grant, expected):
            raise CallbackRefusedError(
                "echo the request's metadata whole; its callback_token is not this comparison's",
                field="request_metadata.callback_token",
            )
        for version in (CompareMetadata, ListMetadata):
            try:
                metadata = version.model_validate(self.fields)
            except ValidationError:
                continue
            if _are_equal(seal, _sign_seal(metadata, key)):
                self.metadata = metadata


def _are_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _sign_grant(batch_id: str, comparison_id: str, key: str) -> str:
    return _sign(key, "grant", canonical_json([batch_id, comparison_id]))


def _sign_seal(metadata: AnyMetadata, key: str) -> str:
    # What the endpoint adds is not sealed, whatever its name is.
    names = _SEALED_FIELDS & type(metadata).model_fields.keys()
    return _sign(key, "seal", canonical_json(metadata.model_dump(mode="json", include=names)))


def _sign(key: str, purpose: str, text: str) -> str:
    message = f"{purpose}\n{text}".encode("utf-8", "replace")
    digest = hmac.new(key.encode(), message, sha256).digest()
    return base64.urlsafe_b64encode(digest[:_PART_BYTES]).decode()
