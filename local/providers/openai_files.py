"""OpenAI's files for batches.

Wire format: https://platform.openai.com/docs/api-reference/files
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from local.providers.batch_api import Refusal, RefusedError, Services, look_up

if TYPE_CHECKING:
    from starlette.requests import Request

BATCH = "batch"
BATCH_OUTPUT = "batch_output"
PURPOSES = frozenset({BATCH, "assistants", "fine-tune", "vision", "user_data", "evals"})


@dataclass(frozen=True)
class StoredFile:
    """A file and its description."""

    id: str
    filename: str
    purpose: str
    content: bytes
    created_at: datetime

    def document(self) -> dict[str, Any]:
        """The file object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(self.created_at.timestamp()),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


class OpenAIFiles:
    """Files that were uploaded, and files that batches wrote."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._files: dict[str, StoredFile] = {}

    def store(self, filename: str, purpose: str, content: bytes) -> StoredFile:
        """Store a file."""
        file_id, moment = f"file-{self._services.new_id()}", self._services.now()
        file = StoredFile(file_id, filename, purpose, content, moment)
        self._files[file.id] = file
        return file

    def find(self, file_id: str) -> StoredFile:
        """The file with this id.

        Raises
        ------
        RefusedError
            If there is none.
        """
        return look_up(self._files, file_id, "file")

    async def upload(self, http: Request) -> dict[str, Any]:
        """POST /v1/files, a form of two parts."""
        async with http.form() as form:
            purpose, file = form.get("purpose"), form.get("file")
            if purpose not in PURPOSES:
                raise RefusedError(
                    Refusal.INVALID,
                    f"purpose must be one of {', '.join(sorted(PURPOSES))}",
                    "purpose",
                )
            if not isinstance(file, UploadFile):
                raise RefusedError(Refusal.INVALID, "the form has no file part", "file")
            name = file.filename or ""
            if purpose == BATCH and not name.endswith(".jsonl"):
                raise RefusedError(
                    Refusal.INVALID, "the name of a batch file must end in .jsonl", "file"
                )
            return self.store(name, str(purpose), await file.read()).document()

    async def content(self, http: Request) -> Response:
        """GET /v1/files/{file_id}/content."""
        file = self.find(http.path_params["file_id"])
        return Response(file.content, media_type="application/octet-stream")

    async def delete(self, http: Request) -> dict[str, Any]:
        """DELETE /v1/files/{file_id}."""
        file = self.find(http.path_params["file_id"])
        del self._files[file.id]
        return {"id": file.id, "object": "file", "deleted": True}
