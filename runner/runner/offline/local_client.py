"""A workspace by the same calls as a stack's API."""

from __future__ import annotations

import getpass
import json
import secrets
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

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
from assessment.domain.batch import BatchStatus
from assessment.domain.comparison import Comparison
from assessment.ports.stores import BatchFilter
from assessment.usecases.cancel_batch import cancel_batch
from assessment.usecases.decide_grade import decide_grade, read_attention
from assessment.usecases.export_essay import export_essay
from assessment.usecases.list_batches import list_batches
from assessment.usecases.read_batch import read_batch, read_comparisons, read_result
from assessment.usecases.read_prompt import read_prompt
from assessment.usecases.register_anchors import register_anchors
from assessment.usecases.release_batch import release_batch
from assessment.usecases.request_batch import RequestCommand, request_batch
from assessment.usecases.request_erasure import list_erasures
from assessment.usecases.resume_batch import resume_batch
from runner.files import to_json
from runner.offline.engine import MODE
from runner.offline.erasing import erase
from runner.offline.workspace import Workspace

_PAGE = 100


class WorkspaceClient:
    """The batches of a workspace; whoever may read the folder has all rights."""

    def __init__(
        self, workspace: Workspace, *, stack_config: Mapping[str, Any] | None = None
    ) -> None:
        self.workspace = workspace
        self._stack_config = stack_config or {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whoever opened the workspace closes it."""

    def register_anchors(self, registration: AnchorRegistration) -> AnchorsRegistered:
        """Register anchors; what the registration leaves out stays as it was."""
        return register_anchors(
            registration,
            is_admin=True,
            stack_config=self._stack_config,
            ports=self.workspace.anchor_ports,
        )

    def request_batch(
        self, request: BatchRequest, *, idempotency_key: str, batch_id: str | None = None
    ) -> BatchAccepted:
        """Request a batch; the same key and request again give the same batch."""
        command = RequestCommand(
            request=request,
            idempotency_key=idempotency_key,
            is_admin=True,
            stack_config=self._stack_config,
            batching_mode=MODE,
            batch_id=batch_id or str(uuid.uuid4()),
            callback_key=secrets.token_urlsafe(32),
        )
        batch = request_batch(command, ports=self.workspace.request_ports, now=self.workspace.now())
        return BatchAccepted.from_batch(batch)

    def batch(self, batch_id: str) -> BatchProgress:
        """How far a batch is."""
        return read_batch(batch_id, ports=self.workspace.progress_ports)

    def list_batches(
        self, *, status: str | None = None, assignment_id: str | None = None
    ) -> Iterator[BatchSummary]:
        """The batches, the newest first."""
        wanted = BatchFilter(
            status=BatchStatus(status) if status else None, assignment_id=assignment_id
        )
        cursor: str | None = None
        while True:
            page = list_batches(wanted, limit=_PAGE, cursor=cursor, batches=self.workspace.batches)
            yield from page.batches
            if page.cursor is None:
                return
            cursor = page.cursor

    def list_comparisons(self, batch_id: str) -> Iterator[Comparison]:
        """The comparisons of a batch with what their judges said, whatever its status."""
        cursor: str | None = None
        while True:
            page = read_comparisons(
                batch_id, limit=_PAGE, cursor=cursor, ports=self.workspace.read_ports
            )
            yield from page.comparisons
            if page.cursor is None:
                return
            cursor = page.cursor

    def result_bytes(self, batch_id: str) -> bytes:
        """The result of a completed batch, byte by byte as it is kept."""
        return read_result(batch_id, ports=self.workspace.read_ports).encode()

    def result_document(self, batch_id: str) -> dict[str, Any]:
        """The result of a completed batch as data."""
        document: dict[str, Any] = json.loads(self.result_bytes(batch_id))
        return document

    def cancel(self, batch_id: str) -> BatchAccepted:
        """Cancel a batch; what is recorded is kept."""
        batch = cancel_batch(batch_id, ports=self.workspace.cancel_ports, now=self.workspace.now())
        return BatchAccepted.from_batch(batch)

    def resume(self, batch_id: str) -> BatchAccepted:
        """Take a batch back that failed by a fault around it; `cj watch` drives it on."""
        batch = resume_batch(batch_id, ports=self.workspace.resume_ports, now=self.workspace.now())
        return BatchAccepted.from_batch(batch)

    def prompt(self, batch_id: str, comparison_id: str) -> PromptView:
        """What the judge of a comparison was told, and what it answered."""
        return read_prompt(batch_id, comparison_id, ports=self.workspace.prompt_ports)

    def erase(self, batch_id: str, essay_id: str | None = None) -> ErasureView | None:
        """Erase a batch, or one essay of it, at once."""
        return ErasureView.from_erasure(erase(self.workspace, batch_id, essay_id))

    def erasures(self, batch_id: str) -> ErasureList:
        """All erasures of a batch and of its essays."""
        erasures = list_erasures(batch_id, ports=self.workspace.erasure_request_ports)
        views = [ErasureView.from_erasure(each) for each in erasures]
        return ErasureList(batch_id=batch_id, erasures=views)

    def export_essay(self, batch_id: str, essay_id: str) -> str:
        """Everything that is kept about one essay, as JSON."""
        exported = export_essay(
            batch_id, essay_id, ports=self.workspace.export_ports, now=self.workspace.now()
        )
        return to_json(exported.model_dump(mode="json"))

    def attention(self, batch_id: str, *, limit: int) -> AttentionView:
        """The essays of a batch that need a person, the most urgent first."""
        return read_attention(batch_id, limit=limit, ports=self.workspace.decision_ports)

    def decide(self, batch_id: str, essay_id: str, decision: DecisionRequest) -> EssayDecisionView:
        """Confirm or change the grade that is proposed for an essay."""
        return decide_grade(
            batch_id,
            essay_id,
            decision,
            assessor=getpass.getuser(),
            ports=self.workspace.decision_ports,
            now=self.workspace.now(),
        )

    def release(self, batch_id: str, release: ReleaseRequest) -> ReleaseView:
        """Release the grades of a batch."""
        released = release_batch(
            batch_id,
            release,
            assessor=getpass.getuser(),
            ports=self.workspace.release_ports,
            now=self.workspace.now(),
        )
        return ReleaseView(batch_id=batch_id, **released.model_dump())
