"""Store texts before a batch names them: one by one, by upload, or as a manifest."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from assessment.contracts.manifest import (
    ContentText,
    ManifestLink,
    StoredContent,
    UploadLink,
    UploadLinks,
    UploadRequest,
)
from assessment.domain.document_keys import CONTENT_TEXTS, text_key, upload_key
from assessment.ports.groups import ContentPorts

KEPT = timedelta(days=7)
"""How long a text waits for a request; a batch keeps copies of its own."""

_LINK_LIFE = timedelta(hours=1)
_TEXT = "text/plain; charset=utf-8"
_LINES = "application/jsonl"


def store_content(body: ContentText, *, ports: ContentPorts, now: datetime) -> StoredContent:
    """Keep a text of the organisation under its hash; the same text again is the same content."""
    content_id = ports.content.put_text(CONTENT_TEXTS, body.text)
    ports.registry.note_content([content_id], until=now + KEPT)
    return StoredContent(
        content_id=content_id,
        n_characters=len(body.text),
        expires_at=(now + KEPT).isoformat(),
    )


def announce_texts(request: UploadRequest, *, ports: ContentPorts, now: datetime) -> UploadLinks:
    """Links by which texts are uploaded; each takes the text with its hash and no other.

    A batch that names a text which was not uploaded fails when it is prepared, and says so.
    """
    uploads = []
    for text in request.texts:
        headers = {
            "Content-Type": _TEXT,
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(text.content_id)).decode(),
        }
        link = ports.links.link_upload(
            text_key(CONTENT_TEXTS, text.content_id),
            headers=headers,
            n_bytes=text.n_bytes,
            life=_LINK_LIFE,
        )
        uploads.append(UploadLink(content_id=text.content_id, link=link, headers=headers))
    ports.registry.note_content([text.content_id for text in request.texts], until=now + KEPT)
    return UploadLinks(uploads=uploads, expires_at=(now + _LINK_LIFE).isoformat())


def announce_manifest(manifest_id: str, *, ports: ContentPorts, now: datetime) -> ManifestLink:
    """A link by which a manifest is uploaded; `manifest_id` is random."""
    headers = {"Content-Type": _LINES}
    link = ports.links.link_upload(
        upload_key(manifest_id), headers=headers, n_bytes=None, life=_LINK_LIFE
    )
    return ManifestLink(
        manifest_id=manifest_id,
        link=link,
        headers=headers,
        expires_at=(now + _LINK_LIFE).isoformat(),
    )
