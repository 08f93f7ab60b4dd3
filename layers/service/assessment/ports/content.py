"""Where texts and documents are kept, which texts there are, and links by which they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol


class ContentStore(Protocol):
    """Essay texts by folder and hash, and documents by key, of one organisation."""

    def place(self, key: str) -> str:
        """Where a document with this key lies, as others find it."""

    def put_text(self, folder: str, text: str) -> str:
        """Store a text in the folder under its SHA-256 and return that."""

    def get_text(self, folder: str, sha256: str) -> str:
        """The folder's text with this hash; raises MissingDocumentError."""

    def put_document(self, key: str, body: str, *, content_type: str = "application/json") -> None:
        """Store a document."""

    def get_document(self, key: str) -> str | None:
        """The document, or None."""

    def get_frozen_document(self, key: str) -> str:
        """A document that never changes once it exists, so it may come from a cache.

        Raises MissingDocumentError.
        """


class ContentRegistry(Protocol):
    """Which texts an organisation has stored or announced."""

    def note_content(self, content_ids: Sequence[str], *, until: datetime) -> None:
        """Remember that these texts are there, or are to come, until then."""


class References(Protocol):
    """What a request may refer to, of one organisation."""

    def list_unknown(self, content_ids: Sequence[str]) -> list[str]:
        """Those ids of texts that were neither stored nor announced."""

    def find_manifest_size(self, manifest_id: str) -> int | None:
        """The size of a manifest that was uploaded, in bytes; None if none was."""

    def read_manifest(self, manifest_id: str) -> str:
        """A manifest; raises UnknownManifestError, UnicodeDecodeError."""


class Links(Protocol):
    """Links by which callers reach the content store themselves, for a while."""

    def link_upload(
        self, key: str, *, headers: Mapping[str, str], n_bytes: int | None, life: timedelta
    ) -> str:
        """A link to PUT a document with exactly these headers, and of this size if it is given."""

    def link_download(self, key: str, *, file_name: str, life: timedelta) -> str:
        """A link to GET a document, to be saved under a name."""

    def find_size(self, key: str) -> int | None:
        """The size of a document in bytes; None if there is none."""
