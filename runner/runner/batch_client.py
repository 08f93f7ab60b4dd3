"""What commands ask of a place where batches are: a stack's API, or a workspace on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Protocol, Self

from assessment.contracts.decisions import (
    AttentionView,
    DecisionRequest,
    EssayDecisionView,
    ReleaseRequest,
    ReleaseView,
)
from assessment.contracts.erasure import ErasureList, ErasureView
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.contracts.views import (
    AnchorsRegistered,
    BatchAccepted,
    BatchProgress,
    BatchSummary,
    PromptView,
)
from assessment.domain.comparison import Comparison


class BatchClient(Protocol):
    """Batches in one place; a context manager."""

    def __enter__(self) -> Self:
        """The client."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""

    def register_anchors(self, registration: AnchorRegistration) -> AnchorsRegistered:
        """Register anchors."""

    def request_batch(self, request: BatchRequest, *, idempotency_key: str) -> BatchAccepted:
        """Request a batch; the same key and request again give the same batch."""

    def batch(self, batch_id: str) -> BatchProgress:
        """How far a batch is."""

    def list_batches(
        self, *, status: str | None = None, assignment_id: str | None = None
    ) -> Iterator[BatchSummary]:
        """The batches, the newest first."""

    def list_comparisons(self, batch_id: str) -> Iterator[Comparison]:
        """The comparisons of a batch, whatever its status."""

    def result_bytes(self, batch_id: str) -> bytes:
        """The result of a completed batch, byte by byte as it is kept."""

    def result_document(self, batch_id: str) -> dict[str, Any]:
        """The result of a completed batch as data."""

    def cancel(self, batch_id: str) -> BatchAccepted:
        """Cancel a batch."""

    def resume(self, batch_id: str) -> BatchAccepted:
        """Resume a batch that failed by a fault around it."""

    def prompt(self, batch_id: str, comparison_id: str) -> PromptView:
        """What the judge of a comparison was told, and what it answered."""

    def erase(self, batch_id: str, essay_id: str | None = None) -> ErasureView | None:
        """Erase a batch, or one essay of it; None where nothing is left of the batch."""

    def erasures(self, batch_id: str) -> ErasureList:
        """All erasures of a batch and of its essays."""

    def export_essay(self, batch_id: str, essay_id: str) -> str:
        """Everything that is kept about one essay, as JSON."""

    def attention(self, batch_id: str, *, limit: int) -> AttentionView:
        """The essays of a batch that need a person."""

    def decide(self, batch_id: str, essay_id: str, decision: DecisionRequest) -> EssayDecisionView:
        """Confirm or change a grade."""

    def release(self, batch_id: str, release: ReleaseRequest) -> ReleaseView:
        """Release the grades of a batch."""
