"""Ask for an erasure: from here on it goes on by itself until nothing is left."""

from __future__ import annotations

import json
from datetime import datetime

from assessment.contracts.erasure import EraseRequestV1
from assessment.domain.batch import Batch
from assessment.domain.decision_errors import ErasureRefusedError, UnknownEssayError
from assessment.domain.document_keys import manifest_key
from assessment.domain.erasure import Erasure, ErasureScope, ErasureState, ErasureTarget
from assessment.domain.essay import Essay
from assessment.ports.content import ContentStore
from assessment.ports.erasure import ErasureRequestPorts


def request_batch_erasure(
    batch_id: str, *, erasure_id: str, ports: ErasureRequestPorts, now: datetime
) -> Erasure:
    """The erasure of the batch, whatever it is doing; asked for again, the same one.

    From now on the batch is gone for its callers, and nothing that is under way can be stored in
    its records. `erasure_id` is that of a new erasure.

    Raises
    ------
    UnknownBatchError
        If there never was such a batch.
    """
    erasures = ports.erasures.list_of_batch(batch_id)
    erasure = next((each for each in erasures if each.concerns(None)), None)
    if erasure is None:
        ports.batches.get_batch(batch_id)
        erasure = Erasure(
            erasure_id=erasure_id, batch_id=batch_id, scope=ErasureScope.BATCH, requested_at=now
        )
        ports.erasures.put(erasure, now=now)
    if erasure.state is ErasureState.ERASING:
        ports.erasures.mark_batch(batch_id, now=now)
        _send(erasure, ports)
    return erasure


def request_essay_erasure(
    batch_id: str, essay_id: str, *, erasure_id: str, ports: ErasureRequestPorts, now: datetime
) -> Erasure:
    """The erasure of one pupil's essay; asked for again while it goes on, the same one.

    Raises
    ------
    UnknownBatchError
    UnknownEssayError
        If the batch has no such essay of a pupil, or has it no more.
    ErasureRefusedError
        If the batch still runs: its waves are planned with all its essays.
    """
    batch = ports.batches.get_batch(batch_id)
    erasures = ports.erasures.list_of_batch(batch_id)
    erasure = next((each for each in erasures if each.concerns(essay_id)), None)
    if erasure is not None and erasure.state is ErasureState.ERASING:
        _send(erasure, ports)
        return erasure
    essay = find_student_essay(batch, essay_id, content=ports.content)
    if not batch.is_final:
        raise ErasureRefusedError(
            f"the batch is {batch.status}, and its comparisons are planned with this essay; wait "
            "until it ends, cancel it, or delete the whole batch"
        )
    erasure = Erasure(
        erasure_id=erasure_id,
        batch_id=batch_id,
        scope=ErasureScope.ESSAY,
        requested_at=now,
        target=ErasureTarget(
            n_waves=batch.wave, essay_id=essay_id, text_sha256s=essay.text_sha256s
        ),
    )
    ports.erasures.put(erasure, now=now)
    _send(erasure, ports)
    return erasure


def find_student_essay(batch: Batch, essay_id: str, *, content: ContentStore) -> Essay:
    """The essay as it was requested.

    Raises
    ------
    UnknownEssayError
    """
    for essay in list_student_essays(batch, content=content):
        if essay.essay_id == essay_id:
            return essay
    raise UnknownEssayError.from_id(batch.batch_id, essay_id)


def list_student_essays(batch: Batch, *, content: ContentStore) -> list[Essay]:
    """The essays as they were requested; none if they were not stored."""
    manifest = content.get_document(manifest_key(batch))
    return [Essay.model_validate(essay) for essay in json.loads(manifest or "[]")]


def list_erasures(batch_id: str, *, ports: ErasureRequestPorts) -> list[Erasure]:
    """All erasures of a batch and its essays, the oldest first.

    Raises
    ------
    UnknownBatchError
        If there never was such a batch.
    """
    erasures = ports.erasures.list_of_batch(batch_id)
    if not erasures:
        ports.batches.get_batch(batch_id)
    return erasures


def _send(erasure: Erasure, ports: ErasureRequestPorts) -> None:
    ports.erasure_queue.send(
        EraseRequestV1(batch_id=erasure.batch_id, erasure_id=erasure.erasure_id)
    )
