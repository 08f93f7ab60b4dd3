"""Essay texts and documents in the bucket."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError

from assessment.adapters.aws.errors import error_code, translate_errors, wrap_client
from assessment.domain.access import DEFAULT_ORGANISATION
from assessment.domain.document_keys import text_key
from assessment.domain.errors import MissingDocumentError
from assessment.domain.identifiers import content_sha256

_CACHED_TEXTS = 512
_CACHED_DOCUMENTS = 16
_MISSING = frozenset({"NoSuchKey", "404"})


class S3ContentStore:
    """The content of one organisation; storing a text again under its hash changes nothing."""

    def __init__(
        self, client: Any, bucket: str, *, organisation: str = DEFAULT_ORGANISATION
    ) -> None:
        self._client = wrap_client(client)
        self._bucket = bucket
        self._organisation = organisation
        # A text never changes under its hash, so a warm function need not read it twice.
        self._cached_text = lru_cache(maxsize=_CACHED_TEXTS)(self._read_document)
        self._cached_document = lru_cache(maxsize=_CACHED_DOCUMENTS)(self._read_document)

    def place(self, key: str) -> str:
        """The key in the bucket: below its first folder lie the organisations."""
        folder, _, rest = key.partition("/")
        return f"{folder}/{self._organisation}/{rest}"

    def put_text(self, folder: str, text: str) -> str:
        """Store a text in the folder under its hash."""
        sha256 = content_sha256(text)
        self._client.put_object(
            Bucket=self._bucket,
            Key=self.place(text_key(folder, sha256)),
            Body=text.encode(),
            ContentType="text/plain; charset=utf-8",
        )
        return sha256

    def get_text(self, folder: str, sha256: str) -> str:
        """The folder's text with this hash."""
        return self._cached_text(text_key(folder, sha256))

    def put_document(self, key: str, body: str, *, content_type: str = "application/json") -> None:
        """Store a document; the same document again changes nothing."""
        self._client.put_object(
            Bucket=self._bucket, Key=self.place(key), Body=body.encode(), ContentType=content_type
        )

    def get_document(self, key: str) -> str | None:
        """The document, or None."""
        try:
            return self._read_document(key)
        except MissingDocumentError:
            return None

    def get_frozen_document(self, key: str) -> str:
        """A document that never changes, from the cache when this process read it before."""
        return self._cached_document(key)

    def _read_document(self, key: str) -> str:
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=self.place(key))["Body"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise MissingDocumentError.from_key(key) from error
            raise
        # The connection may break while the body is read, after the call itself has succeeded.
        with translate_errors("s3", "GetObject"):
            content: bytes = body.read()
        return content.decode()
