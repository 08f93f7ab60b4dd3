"""Texts by hash and documents by key, in memory."""

from __future__ import annotations

from assessment.domain.document_keys import text_key
from assessment.domain.errors import MissingDocumentError
from assessment.domain.identifiers import content_sha256


class InMemoryContentStore:
    """A bucket; `written` counts how often each document was put."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.documents: dict[str, str] = {}
        self.written: list[str] = []

    def place(self, key: str) -> str:
        folder, _, rest = key.partition("/")
        return f"{folder}/default/{rest}"

    def put_text(self, text: str) -> str:
        sha256 = content_sha256(text)
        self.texts[sha256] = text
        return sha256

    def get_text(self, sha256: str) -> str:
        if sha256 not in self.texts:
            raise MissingDocumentError.from_key(text_key(sha256))
        return self.texts[sha256]

    def put_document(self, key: str, body: str, *, content_type: str = "application/json") -> None:
        self.documents[key] = body
        self.written.append(key)

    def get_document(self, key: str) -> str | None:
        return self.documents.get(key)

    def get_frozen_document(self, key: str) -> str:
        if key not in self.documents:
            raise MissingDocumentError.from_key(key)
        return self.documents[key]
