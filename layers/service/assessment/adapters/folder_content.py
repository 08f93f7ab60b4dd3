"""Essay texts and documents in a folder of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from assessment.domain.document_keys import text_key
from assessment.domain.errors import MissingDocumentError, TransientError
from assessment.domain.identifiers import content_sha256

_CACHED_TEXTS = 512
_UNFINISHED = ".unfinished-"
_CACHED_DOCUMENTS = 16


class FolderContentStore:
    """A file for each text and document; a reader sees an old one or a new one, never a part."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # As in the bucket: a text never changes under its hash.
        self._cached_text = lru_cache(maxsize=_CACHED_TEXTS)(self._read)
        self._cached_document = lru_cache(maxsize=_CACHED_DOCUMENTS)(self._read)

    def place(self, key: str) -> str:
        """Where in the folder a document with this key lies."""
        return key

    def put_text(self, folder: str, text: str) -> str:
        """Store a text in the folder under its hash."""
        sha256 = content_sha256(text)
        key = text_key(folder, sha256)
        if not (self._folder / key).exists():
            self.put_document(key, text)
        return sha256

    def get_text(self, folder: str, sha256: str) -> str:
        """The folder's text with this hash."""
        return self._cached_text(text_key(folder, sha256))

    def put_document(self, key: str, body: str, *, content_type: str = "application/json") -> None:
        """Store a document; a process that dies leaves the old one."""
        del content_type
        path = self._folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
            with os.fdopen(descriptor, "wb") as file:
                file.write(body.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).replace(path)
        except OSError as error:
            raise TransientError(f"{path} cannot be written: {error.strerror}") from error

    def get_document(self, key: str) -> str | None:
        """The document, or None."""
        try:
            return self._read(key)
        except MissingDocumentError:
            return None

    def get_frozen_document(self, key: str) -> str:
        """A document that never changes, from the cache when this process read it before."""
        return self._cached_document(key)

    def forget(self) -> None:
        """Drop what is cached: it may have been erased."""
        self._cached_text.cache_clear()
        self._cached_document.cache_clear()

    def _read(self, key: str) -> str:
        try:
            return (self._folder / key).read_bytes().decode()
        except FileNotFoundError:
            raise MissingDocumentError.from_key(key) from None


class FolderContentEraser:
    """Removes files of a content folder; there is one version of each."""

    def __init__(self, folder: Path, content: FolderContentStore) -> None:
        self._folder = folder
        self._content = content

    def list_keys(self, folder: str) -> list[str]:
        """Keys as the content store takes them; a document that is not whole yet is none."""
        files = (self._folder / folder).rglob("*")
        return sorted(
            path.relative_to(self._folder).as_posix()
            for path in files
            if path.is_file() and not path.name.startswith(_UNFINISHED)
        )

    def erase_folder(self, folder: str) -> None:
        """Unfinished documents too, which a process that died has left."""
        try:
            shutil.rmtree(self._folder / folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise TransientError(f"{folder} cannot be removed: {error.strerror}") from error
        finally:
            self._content.forget()

    def erase_document(self, key: str) -> None:
        """Of this key alone."""
        try:
            (self._folder / key).unlink(missing_ok=True)
        except OSError as error:
            raise TransientError(f"{key} cannot be removed: {error.strerror}") from error
        finally:
            self._content.forget()

    def erase_earlier_versions(self, folder: str) -> None:
        """Nothing: a document that is replaced leaves none. Unfinished ones are removed."""
        for path in (self._folder / folder).rglob(f"{_UNFINISHED}*"):
            path.unlink(missing_ok=True)
        self._content.forget()
