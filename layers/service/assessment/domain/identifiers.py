"""Identifiers and content hashes: every id that can be derived is derived, so retries agree."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Annotated, Any

from pydantic import StringConstraints

_NAMESPACE = uuid.UUID("6f0d4d1e-3d1a-5b8e-9a55-0c5b2c6f7a10")

EssayId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$")]
AssignmentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
AnchorRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]

ANCHOR_PREFIX = "ANCHOR_"


def derived_uuid(*parts: str) -> str:
    """A UUID (version 5) that depends on nothing but its parts."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def batch_id_for_key(idempotency_key: str) -> str:
    """The batch that this idempotency key stands for, before and after it exists."""
    return derived_uuid("batch", idempotency_key)


def is_batch_id(text: str) -> bool:
    """Whether the text has the form of a batch id (a UUID in canonical spelling)."""
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def content_sha256(text: str) -> str:
    """The content address of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_sha256(value: Any) -> str:
    """The hash of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def comparison_id(wave: int, position: int) -> str:
    """The id of the comparison at a position of a wave, unique within its batch."""
    return f"w{wave:03d}-{position:05d}"


def anchor_essay_id(assignment_id: str, anchor_ref: str, text_sha256: str) -> str:
    """The synthetic id under which an anchor enters a batch: `ANCHOR_<ref>_<8 hex>`."""
    digest = content_sha256(f"{assignment_id}\x1f{anchor_ref}\x1f{text_sha256}")
    return f"{ANCHOR_PREFIX}{anchor_ref}_{digest[:8]}"


def seed_for(batch_id: str) -> int:
    """The seed a batch uses when the request names none."""
    return int(content_sha256(batch_id)[:8], 16)
