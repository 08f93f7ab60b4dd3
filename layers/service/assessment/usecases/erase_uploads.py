"""Remove texts that were uploaded for requests to name, and manifests that name or have them.

A batch has its own copies of both, so nothing is taken from another batch; a request that names
such a text later has to bring it again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from assessment.domain.document_keys import CONTENT_TEXTS, MANIFESTS, text_key
from assessment.domain.identifiers import content_sha256
from assessment.ports.erasure import ErasurePorts


def erase_uploads(text_sha256s: Sequence[str], *, ports: ErasurePorts) -> None:
    """Remove all uploads of texts with these hashes."""
    ports.records.erase_content(text_sha256s)
    for sha256 in text_sha256s:
        ports.documents.erase_document(text_key(CONTENT_TEXTS, sha256))
    doomed = frozenset(text_sha256s)
    for key in ports.documents.list_keys(MANIFESTS):
        manifest = ports.content.get_document(key) or ""
        if any(_find_hash(line) in doomed for line in manifest.split("\n")):
            ports.documents.erase_document(key)


def _find_hash(line: str) -> str | None:
    """The hash of the text of a manifest's line; None for one that cannot be read."""
    try:
        essay: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(essay, dict):
        return None
    text = essay.get("text")
    return content_sha256(text) if isinstance(text, str) else str(essay.get("content_id"))
