"""Accept a request: check it whole before anything is paid, store it, start its execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import ResolvedConfig, Source, resolve_config
from assessment.domain.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    UnknownAssignmentError,
)
from assessment.domain.essay import Essay, student_essay
from assessment.domain.grade_scale import check_same_scale
from assessment.domain.identifiers import (
    batch_id_for_key,
    canonical_json,
    canonical_sha256,
    derived_uuid,
    seed_for,
)
from assessment.domain.request import BatchRequest
from assessment.ports import Assignment, AssignmentStore, BatchStore, ContentStore, Workflow

_UPLOADS = 8


class BatchAccepted(BaseModel):
    """The answer to a request: where to look for progress and results."""

    batch_id: str
    status: str
    correlation_id: str
    links: dict[str, str]

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """The answer for a batch."""
        link = f"/v1/batches/{batch.batch_id}"
        return cls(
            batch_id=batch.batch_id,
            status=batch.status,
            correlation_id=batch.correlation_id,
            links={"self": link, "results": f"{link}/results"},
        )


def manifest_key(batch: Batch) -> str:
    """Where the batch's list of essays is kept until they are prepared.

    The key holds the request's hash: another request under the same idempotency key is refused
    only after its essays are stored, and must not replace those of the first.
    """
    return f"batches/{batch.batch_id}/request-{batch.request_sha256[:16]}.json"


def request_batch(
    request: BatchRequest,
    *,
    idempotency_key: str | None,
    is_admin: bool,
    stack: Mapping[str, Any],
    batches: BatchStore,
    assignments: AssignmentStore,
    content: ContentStore,
    workflow: Workflow,
    now: datetime,
    new_id: Callable[[], str],
) -> Batch:
    """The batch for this request; the same key and request again give the same batch.

    Raises
    ------
    UnknownAssignmentError, GradeScaleMismatchError, ManyInvalidFieldsError, NotPermittedError
        Before anything is stored.
    IdempotencyConflictError
        If the key was used for a different request.
    """
    assignment = _assignment(request, assignments)
    check_same_scale(request.grade_scale, assignment.grade_scale if assignment else None)
    resolved = resolve_config(
        [
            (Source.STACK, stack),
            (Source.ASSIGNMENT, assignment.config if assignment else {}),
            (Source.REQUEST, request.config),
        ],
        is_admin=is_admin,
    )
    _check_strategy(resolved, assignment)
    batch_id = batch_id_for_key(idempotency_key) if idempotency_key else new_id()
    essays = [student_essay(essay) for essay in request.essays]
    batch = _new_batch(request, batch_id, essays, resolved, now)
    _store_texts(request, content)
    content.put_document(
        manifest_key(batch), canonical_json([essay.model_dump() for essay in essays])
    )
    if not batches.create_batch(batch):
        batch = _same_request(batches.get_batch(batch_id), batch)
    if not batch.is_final:
        workflow.start(batch_id)
    return batch


def _check_strategy(resolved: ResolvedConfig, assignment: Assignment | None) -> None:
    if resolved.config.strategy == "anchor_first" and not (assignment and assignment.anchors):
        raise InvalidRequestError(
            "anchor_first needs an assignment with anchors; name one in assignment_id or choose "
            "another strategy",
            field="config.strategy",
        )


def _assignment(request: BatchRequest, assignments: AssignmentStore) -> Assignment | None:
    if request.assignment_id is None:
        return None
    assignment = assignments.get_assignment(request.assignment_id)
    if assignment is None:
        raise UnknownAssignmentError(request.assignment_id)
    return assignment


def _new_batch(
    request: BatchRequest,
    batch_id: str,
    essays: list[Essay],
    resolved: ResolvedConfig,
    now: datetime,
) -> Batch:
    fingerprint = {
        "assignment_id": request.assignment_id,
        "essays": [(essay.essay_id, essay.text_sha256) for essay in essays],
        "config": request.config,
    }
    seed = resolved.config.seed
    return Batch(
        batch_id=batch_id,
        status=BatchStatus.INITIALIZING,
        correlation_id=request.correlation_id or derived_uuid("correlation", batch_id),
        assignment_id=request.assignment_id,
        config=resolved.config,
        config_sources=resolved.sources,
        seed=seed_for(batch_id) if seed is None else seed,
        request_sha256=canonical_sha256(fingerprint),
        essays=len(essays),
        created_at=now,
        updated_at=now,
    )


def _store_texts(request: BatchRequest, content: ContentStore) -> None:
    with ThreadPoolExecutor(_UPLOADS) as pool:
        for _ in pool.map(content.put_text, (essay.text for essay in request.essays)):
            pass


def _same_request(stored: Batch, requested: Batch) -> Batch:
    if stored.request_sha256 != requested.request_sha256:
        raise IdempotencyConflictError(
            "Idempotency-Key: this key was used before for a different request; "
            "use a new key or send the same request"
        )
    return stored
