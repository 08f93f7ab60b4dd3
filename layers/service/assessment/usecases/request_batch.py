"""Accept a request: check it whole before anything is paid, store it, start its execution."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from assessment.contracts.request import BatchRequest
from assessment.domain.access import DEFAULT_ORGANISATION
from assessment.domain.assignment import Assignment, merge_judge_texts
from assessment.domain.batch import Batch, BatchStatus, EssaySource
from assessment.domain.config import (
    BatchConfig,
    ResolvedConfig,
    Source,
    extend_deadlines,
    resolve_config,
)
from assessment.domain.document_keys import (
    batch_texts,
    judge_texts_key,
    manifest_copy_key,
    manifest_key,
)
from assessment.domain.errors import (
    ErasedBatchError,
    IdempotencyConflictError,
    InvalidRequestError,
    UnknownBatchError,
)
from assessment.domain.essay import Essay, student_essay
from assessment.domain.grade_scale import check_same_scale
from assessment.domain.identifiers import (
    canonical_json,
    canonical_sha256,
    derive_seed,
    derive_uuid,
)
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.judging_time import give_people_time
from assessment.domain.jury import read_judges
from assessment.domain.masking import MaskingRecord
from assessment.domain.prompt import check_instructions_size
from assessment.domain.provider_batch import WAVE_SECONDS
from assessment.domain.retention import find_expiry
from assessment.ports.content import ContentStore, References
from assessment.ports.groups import RequestPorts
from assessment.ports.stores import BatchStore
from assessment.usecases.assignment import flag_texts, load_assignment
from assessment.usecases.mask_request import mask_request
from assessment.usecases.quotas import check_quotas
from assessment.usecases.referenced_essays import find_source, list_referenced
from assessment.usecases.request_checks import (
    check_judges,
    check_strategy,
    check_times,
    check_wave,
)

_UPLOADS = 8
_FEWEST_ESSAYS = 2


@dataclass(frozen=True, kw_only=True)
class RequestCommand:
    """A request with what the caller and the stack say about it.

    `retention_days` are the stack's; with 0 it keeps batches until they are deleted.
    `max_batches_per_day` and `max_usd_per_day` are what an organisation may request in 24 hours; 0
    sets no limit.
    `stack_config` holds the configuration values that the stack's parameters set, `batch_id` the
    random id of a new batch, and `callback_key` the random key of its callback tokens.
    """

    request: BatchRequest
    organisation: str = DEFAULT_ORGANISATION
    idempotency_key: str | None
    is_admin: bool
    stack_config: Mapping[str, Any]
    batching_mode: BatchingMode
    batch_id: str
    callback_key: str = field(repr=False)
    retention_days: int = 0
    max_batches_per_day: int = 0
    max_usd_per_day: float = 0.0


@dataclass(frozen=True)
class _Submission:
    """The essays of a request, and the manifest that has them if there is one."""

    essays: list[Essay]
    manifest: str | None = field(default=None, repr=False)


def request_batch(command: RequestCommand, *, ports: RequestPorts, now: datetime) -> Batch:
    """The batch for this request; the same key and request again give the same batch.

    Raises
    ------
    UnknownAssignmentError, GradeScaleMismatchError, ManyInvalidFieldsError, NotPermittedError,
    UnknownContentError, UnknownManifestError, InvalidRequestError
        Before anything is stored; also for a judge that could not be asked.
    IdempotencyConflictError
        If the key was used for a different request.
    ErasedBatchError
        If the batch of this key was erased.
    QuotaExceededError
        If it is a new batch, and the organisation has requested all that it may in a day.
    """
    if command.request.masking is not None:
        masked = mask_request(command.request, command.request.masking, ports=ports)
        command = replace(command, request=masked)
    batch, submission = _accept(command, ports, now)
    is_repeated = batch.batch_id != command.batch_id and _exists(batch.batch_id, ports.batches)
    if not is_repeated:
        check_quotas(
            batch,
            max_batches_per_day=command.max_batches_per_day,
            max_usd_per_day=command.max_usd_per_day,
            batches=ports.batches,
            now=now,
        )
    check_times(batch, ports.batches, now)
    batch = _store(command.request, batch, submission, ports.content, ports.batches)
    if not batch.is_final:
        ports.workflow.start(batch.batch_id, name=batch.execution_name)
    return batch


def _exists(batch_id: str, batches: BatchStore) -> bool:
    """Before its texts are stored: the key of an erased batch brings none of them back.

    Raises
    ------
    ErasedBatchError
    """
    try:
        batches.get_batch(batch_id)
    except ErasedBatchError:
        raise
    except UnknownBatchError:
        return False
    return True


def _accept(
    command: RequestCommand, ports: RequestPorts, now: datetime
) -> tuple[Batch, _Submission]:
    """The new batch and its essays, checked; nothing is stored yet but what its key stands for."""
    request = command.request
    assignment = load_assignment(request.assignment_id, ports.assignments)
    check_same_scale(request.grade_scale, assignment.grade_scale if assignment else None)
    instructions = merge_judge_texts(assignment, request.judge_texts)
    check_instructions_size(instructions, changed=request.judge_texts)
    resolved = _resolve_config(command, assignment)
    judges = read_judges(request.judge, is_admin=command.is_admin)
    if request.judge is not None:
        check_judges(judges, resolved.config, ports.judge_check)
    batching = [judge for judge in judges if judge.uses_provider_batches(command.batching_mode)]
    if batching:
        resolved = extend_deadlines(resolved, wave_seconds=WAVE_SECONDS)
    resolved = give_people_time(resolved, judges, now=now)
    submission = _read_essays(request, resolved.config, judges, ports.references)
    essays = submission.essays
    n_essays = len(essays) + (len(assignment.anchors) if assignment else 0)
    for judge in batching:
        check_wave(judge, judges, resolved.config, n_essays)
    request_sha256 = _fingerprint(request, essays)
    batch_id = _claim_id(command, request_sha256, ports.batches)
    batch = _new_batch(
        command,
        essays,
        resolved,
        judges,
        batch_id=batch_id,
        request_sha256=request_sha256,
        now=now,
    )
    return batch, submission


def _store(
    request: BatchRequest,
    batch: Batch,
    submission: _Submission,
    content: ContentStore,
    batches: BatchStore,
) -> Batch:
    """Store the essays, then the batch; what was stored under its id before, if it is the same."""
    put_text = partial(content.put_text, batch_texts(batch.batch_id))
    with ThreadPoolExecutor(_UPLOADS) as pool:
        for _ in pool.map(put_text, (essay.text for essay in request.essays)):
            pass
    if request.judge_texts:
        content.put_document(judge_texts_key(batch), canonical_json(request.judge_texts))
    if submission.manifest is not None:
        content.put_document(
            manifest_copy_key(batch), submission.manifest, content_type="application/jsonl"
        )
    content.put_document(
        manifest_key(batch),
        canonical_json([essay.model_dump() for essay in submission.essays]),
    )
    if batches.create_batch(batch):
        return batch
    return _check_same_request(batches.get_batch(batch.batch_id), batch)


def _resolve_config(command: RequestCommand, assignment: Assignment | None) -> ResolvedConfig:
    resolved = resolve_config(
        [
            (Source.STACK, command.stack_config),
            (Source.ASSIGNMENT, assignment.config if assignment else {}),
            (Source.REQUEST, command.request.config),
        ],
        is_admin=command.is_admin,
    )
    check_strategy(resolved.config, assignment)
    return resolved


def _read_essays(
    request: BatchRequest,
    config: BatchConfig,
    judges: tuple[JudgeSpec, ...],
    references: References | None,
) -> _Submission:
    """The essays; texts that are stored elsewhere are read when the batch is prepared."""
    if find_source(request) is EssaySource.REQUEST:
        return _Submission(_flag_essays(request, config, judges))
    return _Submission(*list_referenced(request, references))


def _flag_essays(
    request: BatchRequest, config: BatchConfig, judges: tuple[JudgeSpec, ...]
) -> list[Essay]:
    """The essays with their flags; refused if too few would be left to compare."""
    flags = flag_texts([essay.text for essay in request.essays], config=config, judges=judges)
    essays: list[Essay] = [
        student_essay(essay, raised) for essay, raised in zip(request.essays, flags, strict=True)
    ]
    remaining = [essay for essay in essays if not essay.has_flag(config.exclude_flagged)]
    if len(remaining) < _FEWEST_ESSAYS:
        raise InvalidRequestError(
            f"exclude_flagged leaves {len(remaining)} of {len(essays)} essays; at least "
            f"{_FEWEST_ESSAYS} are needed",
            field="config.exclude_flagged",
        )
    return essays


def _fingerprint(request: BatchRequest, essays: list[Essay]) -> str:
    """The hash of what is requested: the same key may stand for the same hash only."""
    optional = {
        "judge": request.judge,
        "grade_scale": request.grade_scale,
        "correlation_id": request.correlation_id,
        "retention_days": request.retention_days,
        "masking": request.masking.model_dump() if request.masking else None,
        **request.judge_texts,
    }
    fingerprint = {
        "assignment_id": request.assignment_id,
        "essays": [(essay.essay_id, essay.text_sha256) for essay in essays],
        "config": request.config,
        **{name: value for name, value in optional.items() if value is not None},
    }
    return canonical_sha256(fingerprint)


def _claim_id(command: RequestCommand, request_sha256: str, batches: BatchStore) -> str:
    """The id that the caller's key stands for, now or since an earlier request."""
    if command.idempotency_key is None:
        return command.batch_id
    claim = batches.claim_key(
        command.idempotency_key, batch_id=command.batch_id, request_sha256=request_sha256
    )
    if claim.request_sha256 != request_sha256:
        raise _explain_used_key()
    return claim.batch_id


def _new_batch(
    command: RequestCommand,
    essays: list[Essay],
    resolved: ResolvedConfig,
    judges: tuple[JudgeSpec, ...],
    *,
    batch_id: str,
    request_sha256: str,
    now: datetime,
) -> Batch:
    request = command.request
    seed = resolved.config.seed
    return Batch(
        batch_id=batch_id,
        organisation=command.organisation,
        status=BatchStatus.INITIALIZING,
        correlation_id=request.correlation_id or derive_uuid("correlation", batch_id),
        assignment_id=request.assignment_id,
        config=resolved.config,
        config_sources=resolved.sources,
        judges=judges,
        seed=derive_seed(batch_id) if seed is None else seed,
        request_sha256=request_sha256,
        essay_source=find_source(request),
        own_texts=tuple(sorted(request.judge_texts)),
        masking=MaskingRecord.from_masking(request.masking) if request.masking else None,
        essays=len(essays),
        callback_key=command.callback_key,
        expires_at=find_expiry(
            request.retention_days, command.retention_days, is_admin=command.is_admin, now=now
        ),
        created_at=now,
        updated_at=now,
    )


def _explain_used_key() -> IdempotencyConflictError:
    return IdempotencyConflictError(
        "this key was used before for a different request; use a new key or send the same request",
        field="Idempotency-Key",
    )


def _check_same_request(stored: Batch, requested: Batch) -> Batch:
    if stored.request_sha256 != requested.request_sha256:
        raise _explain_used_key()
    return stored
