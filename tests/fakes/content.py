"""Texts by folder and hash, and documents by key, in memory."""

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

    def put_text(self, folder: str, text: str) -> str:
        sha256 = content_sha256(text)
        self.texts[text_key(folder, sha256)] = text
        return sha256

    def get_text(self, folder: str, sha256: str) -> str:
        key = text_key(folder, sha256)
        if key not in self.texts:
            raise MissingDocumentError.from_key(key)
        return self.texts[key]

    def put_document(self, key: str, body: str, *, content_type: str = "application/json") -> None:
        self.documents[key] = body
        self.written.append(key)

    def get_document(self, key: str) -> str | None:
        return self.documents.get(key)

    def get_frozen_document(self, key: str) -> str:
        if key not in self.documents:
            raise MissingDocumentError.from_key(key)
        return self.documents[key]
