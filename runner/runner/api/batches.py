"""Calls about batches: requests, progress, comparisons and results."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from assessment.contracts.manifest import ManifestLink, StoredContent
from assessment.contracts.request import BatchRequest
from assessment.contracts.views import (
    BatchAccepted,
    BatchFiles,
    BatchList,
    BatchProgress,
    BatchSummary,
    ComparisonList,
    PromptView,
)
from assessment.domain.comparison import Comparison
from runner.api.connection import PAGE, ApiConnection, open_unsigned
from runner.errors import StackNotReachableError

# Below what a request can carry, for the escapes and names around the texts.
_MOST_INLINE_BYTES = 4_000_000


class BatchCalls(ApiConnection):
    """Batches from the request to the result."""

    def request_batch(self, request: BatchRequest, *, idempotency_key: str) -> BatchAccepted:
        """Request a batch; the same key and request again give the same batch.

        Texts that are more than a request can carry are uploaded first, as a manifest.
        """
        body = request.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if sum(len(essay.text.encode()) for essay in request.essays) > _MOST_INLINE_BYTES:
            body["manifest_id"] = self.upload_manifest(body.pop("essays"))
        headers = {"Idempotency-Key": idempotency_key}
        return self._call(BatchAccepted, "POST", "/v1/batches", body=body, headers=headers)

    def upload_manifest(self, essays: Sequence[Mapping[str, Any]]) -> str:
        """Upload the essays as JSON lines; the id by which a request names them."""
        upload = self._call(ManifestLink, "POST", "/v1/manifests")
        lines = "".join(json.dumps(essay, ensure_ascii=False) + "\n" for essay in essays)
        try:
            with open_unsigned() as client:
                client.put(
                    upload.link, content=lines.encode(), headers=upload.headers
                ).raise_for_status()
        except httpx.HTTPError as error:
            raise StackNotReachableError(
                f"the texts could not be uploaded ({type(error).__name__}); try again"
            ) from None
        return upload.manifest_id

    def store_content(self, text: str) -> StoredContent:
        """Store a text, which requests can name by its id for some days."""
        return self._call(StoredContent, "POST", "/v1/content", body={"text": text})

    def files(self, batch_id: str) -> BatchFiles:
        """The files of a batch by links."""
        return self._call(BatchFiles, "GET", f"/v1/batches/{batch_id}/files")

    def batch(self, batch_id: str) -> BatchProgress:
        """How far a batch is."""
        return self._call(BatchProgress, "GET", f"/v1/batches/{batch_id}")

    def list_batches(
        self, *, status: str | None = None, assignment_id: str | None = None
    ) -> Iterator[BatchSummary]:
        """The organisation's batches, the newest first, as long as they are asked for."""
        query = {"limit": PAGE, "status": status, "assignment_id": assignment_id}
        for page in self._pages(BatchList, "/v1/batches", query):
            yield from page.batches

    def list_comparisons(self, batch_id: str) -> Iterator[Comparison]:
        """The comparisons of a batch with what their judges said, whatever its status."""
        path = f"/v1/batches/{batch_id}/comparisons"
        for page in self._pages(ComparisonList, path, {"limit": PAGE}):
            yield from page.comparisons

    def prompt(self, batch_id: str, comparison_id: str) -> PromptView:
        """What the judge of a comparison was told, and what it answered."""
        path = f"/v1/batches/{batch_id}/comparisons/{quote(comparison_id, safe='')}/prompt"
        return self._call(PromptView, "GET", path)

    def result_bytes(self, batch_id: str) -> bytes:
        """The result of a completed batch, byte by byte as the stack keeps it."""
        return self._send("GET", f"/v1/batches/{batch_id}/results").content

    def result_document(self, batch_id: str) -> dict[str, Any]:
        """The result of a completed batch as data."""
        document = json.loads(self.result_bytes(batch_id))
        if not isinstance(document, dict):
            raise StackNotReachableError("the stack's result is not a JSON object")
        return document

    def cancel(self, batch_id: str) -> BatchAccepted:
        """Cancel a batch; what is recorded is kept."""
        return self._call(BatchAccepted, "POST", f"/v1/batches/{batch_id}/cancel")

    def resume(self, batch_id: str) -> BatchAccepted:
        """Resume a batch that failed by a fault around it; nothing recorded is paid again."""
        return self._call(BatchAccepted, "POST", f"/v1/batches/{batch_id}/resume")
