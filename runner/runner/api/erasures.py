"""Calls about what is kept of batches and essays, and its erasure."""

from urllib.parse import quote

import httpx

from assessment.contracts.erasure import ErasureList, ErasureView
from runner.api.answers import read_answer
from runner.api.connection import ApiConnection


class ErasureCalls(ApiConnection):
    """Export and erasure."""

    def erase(self, batch_id: str, essay_id: str | None = None) -> ErasureView | None:
        """Erase a batch, or one essay of it; None where nothing is left of the batch."""
        path = f"/v1/batches/{batch_id}"
        if essay_id is not None:
            path += f"/essays/{quote(essay_id, safe='')}"
        response = self._send("DELETE", path)
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        return read_answer(ErasureView, response)

    def erasures(self, batch_id: str) -> ErasureList:
        """All erasures of a batch and of its essays."""
        return self._call(ErasureList, "GET", f"/v1/batches/{batch_id}/erasures")

    def export_essay(self, batch_id: str, essay_id: str) -> str:
        """Everything that is kept about one essay, as the stack says it."""
        path = f"/v1/batches/{batch_id}/essays/{quote(essay_id, safe='')}/export"
        return self._send("GET", path).text
