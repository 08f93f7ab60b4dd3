"""Accept a request: check it whole before anything is paid, store it, start its execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from assessment.contracts.request import BatchRequest
from assessment.domain.assignment import Assignment
from assessment.domain.batch import Batch, BatchStatus, compute_wave_size
from assessment.domain.config import (
    BatchConfig,
    ResolvedConfig,
    Source,
    resolve_config,
    with_time_for,
)
from assessment.domain.document_keys import manifest_key
from assessment.domain.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    UnknownAssignmentError,
)
from assessment.domain.essay import Essay, student_essay
from assessment.domain.essay_flags import flags_of
from assessment.domain.grade_scale import check_same_scale
from assessment.domain.identifiers import (
    batch_id_for_key,
    canonical_json,
    canonical_sha256,
    derived_uuid,
    seed_for,
)
from assessment.domain.judge import BatchingMode, JudgeSpec, requested_judges
from assessment.domain.prices import price_of
from assessment.domain.provider_batch import LEAST_COMPARISONS, WAVE_SECONDS
from assessment.ports.judging import JudgeCheck
from assessment.ports.messaging import Workflow
from assessment.ports.stores import AssignmentStore, BatchStore, ContentStore

_UPLOADS = 8
_FEWEST_ESSAYS = 2


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
    judge_check: JudgeCheck,
    mode: BatchingMode = BatchingMode.SERIAL_BUNDLE,
    now: datetime,
    new_id: Callable[[], str],
) -> Batch:
    """The batch for this request; the same key and request again give the same batch.

    Raises
    ------
    UnknownAssignmentError, GradeScaleMismatchError, ManyInvalidFieldsError, NotPermittedError,
    InvalidRequestError
        Before anything is stored; also for a judge that could not be asked.
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
    judges = requested_judges(request.judge, is_admin=is_admin)
    if request.judge is not None:
        for judge in judges:
            judge_check.check(judge)
        _check_prices(judges, resolved.config)
    in_batches = [judge for judge in judges if judge.uses_provider_batches(mode)]
    if in_batches:
        resolved = with_time_for(resolved, wave_seconds=WAVE_SECONDS)
    essays = _flagged(request, resolved.config, judges)
    n_essays = len(essays) + (len(assignment.anchors) if assignment else 0)
    for judge in in_batches:
        _check_wave(judge, judges, resolved.config, n_essays)
    batch = _new_batch(request, batch_id, essays, resolved, judges, now)
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


def _check_prices(judges: tuple[JudgeSpec, ...], config: BatchConfig) -> None:
    """A cap on money needs to know what money is spent."""
    unknown = [judge.label for judge in judges if judge.is_model and price_of(judge) is None]
    if unknown and config.max_cost_usd is not None:
        raise InvalidRequestError(
            f"the price of {unknown[0]} is not known, so max_cost_usd cannot be kept; give "
            "judge.price {input_usd, output_usd} for a million tokens",
            field="judge.price",
        )


def _check_wave(
    judge: JudgeSpec, judges: tuple[JudgeSpec, ...], config: BatchConfig, n_essays: int
) -> None:
    """A provider that takes no small batches would never be asked in one."""
    least = LEAST_COMPARISONS[judge.provider]
    share = judge.share / sum(each.share for each in judges)
    expected = round(compute_wave_size(config, n_essays) * share)
    if judge.batching_mode is BatchingMode.PROVIDER_BATCH_API and expected < least:
        raise InvalidRequestError(
            f"{judge.provider} takes batches of {least} comparisons or more, and a wave of this "
            f"batch has about {expected} for it; raise config.comparisons_per_essay_per_wave, or "
            "use serial_bundle or per_request",
            field="judge.batching_mode",
        )


def _flagged(
    request: BatchRequest, config: BatchConfig, judges: tuple[JudgeSpec, ...]
) -> list[Essay]:
    """The essays with their flags; refused if too few would be left to compare."""
    flags = flags_of(
        [essay.text for essay in request.essays],
        min_words=config.min_essay_words,
        context_tokens=min(judge.context_tokens for judge in judges),
        language=config.essay_language,
    )
    essays = [student_essay(e, raised) for e, raised in zip(request.essays, flags, strict=True)]
    left = [essay for essay in essays if not essay.flagged(config.exclude_flagged)]
    if len(left) < _FEWEST_ESSAYS:
        raise InvalidRequestError(
            f"exclude_flagged leaves {len(left)} of {len(essays)} essays; at least "
            f"{_FEWEST_ESSAYS} are needed",
            field="config.exclude_flagged",
        )
    return essays


def _new_batch(
    request: BatchRequest,
    batch_id: str,
    essays: list[Essay],
    resolved: ResolvedConfig,
    judges: tuple[JudgeSpec, ...],
    now: datetime,
) -> Batch:
    fingerprint = {
        "assignment_id": request.assignment_id,
        "essays": [(essay.essay_id, essay.text_sha256) for essay in essays],
        "config": request.config,
        **({} if request.judge is None else {"judge": request.judge}),
    }
    seed = resolved.config.seed
    return Batch(
        batch_id=batch_id,
        status=BatchStatus.INITIALIZING,
        correlation_id=request.correlation_id or derived_uuid("correlation", batch_id),
        assignment_id=request.assignment_id,
        config=resolved.config,
        config_sources=resolved.sources,
        judges=judges,
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
