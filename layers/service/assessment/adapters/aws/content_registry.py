"""Which texts an organisation has stored or announced, and the manifests that it uploaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assessment.adapters.aws import keys
from assessment.adapters.aws.links import S3Links
from assessment.adapters.item_table import ItemTable
from assessment.domain.document_keys import upload_key
from assessment.domain.errors import UnknownManifestError
from assessment.ports.content import ContentStore


class DynamoDBContentRegistry:
    """One item a text, which ends with it: thousands are asked about in a few reads."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def note_content(self, content_ids: Sequence[str], *, until: datetime) -> None:
        """Write the items, each once."""
        expires_at = int(until.timestamp())
        self._table.put_many(
            [
                {**keys.content(content_id), "expires_at": expires_at}
                for content_id in dict.fromkeys(content_ids)
            ]
        )

    def list_unknown(self, content_ids: Sequence[str]) -> list[str]:
        """Those that have no item."""
        items = self._table.get_many([keys.content(content_id) for content_id in content_ids])
        return [one for one, item in zip(content_ids, items, strict=True) if item is None]


class StoredReferences:
    """What a request may refer to."""

    def __init__(
        self, registry: DynamoDBContentRegistry, content: ContentStore, links: S3Links
    ) -> None:
        self._registry = registry
        self._content = content
        self._links = links

    def list_unknown(self, content_ids: Sequence[str]) -> list[str]:
        """Those that the registry does not have."""
        return self._registry.list_unknown(content_ids)

    def find_manifest_size(self, manifest_id: str) -> int | None:
        """The size of the upload."""
        return self._links.find_size(upload_key(manifest_id))

    def read_manifest(self, manifest_id: str) -> str:
        """The upload as text."""
        manifest = self._content.get_document(upload_key(manifest_id))
        if manifest is None:
            raise UnknownManifestError.from_id(manifest_id)
        return manifest
