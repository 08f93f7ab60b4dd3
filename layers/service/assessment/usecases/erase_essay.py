"""Remove one pupil's essay from a batch that has ended; what is said of the others stays."""

from __future__ import annotations

import json
from datetime import datetime

from assessment.domain.batch import Batch
from assessment.domain.document_keys import (
    batch_texts,
    manifest_key,
    provider_batch_folder,
    spec_key,
    text_key,
)
from assessment.domain.erasure import Erasure, ErasureState, ErasureTarget
from assessment.domain.errors import ErasedBatchError
from assessment.domain.essay import Essay
from assessment.domain.identifiers import content_sha256
from assessment.domain.spec import BatchSpec
from assessment.ports.erasure import ErasurePorts
from assessment.usecases.erase_uploads import erase_uploads
from assessment.usecases.forget_submissions import Forgotten, forget_submission
from assessment.usecases.rewrite_documents import (
    Rewritten,
    list_hashes,
    remove_earlier,
    rewrite_documents,
    store_documents,
)

_WITHHELD = "[erased]"


async def erase_essay(erasure: Erasure, *, ports: ErasurePorts, now: datetime) -> Erasure:
    """One round; the record says afterwards that everything is removed."""
    target = erasure.target
    if target is None or target.essay_id is None:
        return erasure.model_copy(update={"state": ErasureState.ERASED})
    try:
        batch = ports.batches.get_batch(erasure.batch_id)
    except ErasedBatchError:
        # The whole batch went meanwhile, and this essay with it.
        return erasure.model_copy(update={"state": ErasureState.ERASED})
    rewritten = rewrite_documents(batch, target.essay_id, ports=ports)
    hashes = {each.name: each for each in erasure.documents}
    documents = list_hashes(batch, rewritten) | hashes
    erasure = erasure.model_copy(update={"documents": tuple(documents.values())})
    # Kept before the first document is replaced: afterwards its earlier hash is lost.
    ports.erasures.put(erasure, now=now)
    result = store_documents(batch, rewritten, ports=ports)
    changes = _change_batch(batch, target.essay_id, rewritten, result)
    ports.records.update_batch(batch.batch_id, **changes)
    remove_earlier(batch, rewritten, ports=ports)
    _erase_records(batch, target, ports)
    _erase_texts(batch, target, ports)
    n_left = await _erase_submissions(batch, ports)
    return erasure.model_copy(update={"state": ErasureState.ERASED, "n_provider_files": n_left})


def _change_batch(
    batch: Batch, essay_id: str, rewritten: list[Rewritten], result: str | None
) -> dict[str, object]:
    """What the batch's record says from now on. It cannot be resumed: its plans lack the essay."""
    changes: dict[str, object] = {
        "not_assessed": tuple(each for each in batch.not_assessed if each.essay_id != essay_id),
        "failed_from": None,
        "has_erasures": True,
    }
    if batch.result_sha256 is not None and result is not None:
        changes["result_sha256"] = content_sha256(result)
    return changes | _change_failure(batch, essay_id) | _change_release(batch, rewritten)


def _change_failure(batch: Batch, essay_id: str) -> dict[str, object]:
    """The failure without the essay's id, which its message may name."""
    if batch.failure is None or essay_id not in batch.failure.message:
        return {}
    message = batch.failure.message.replace(essay_id, _WITHHELD)
    return {"failure": batch.failure.model_copy(update={"message": message})}


def _change_release(batch: Batch, rewritten: list[Rewritten]) -> dict[str, object]:
    """The release with the hash of its document as it is now."""
    moved = [each for each in rewritten if each.is_moved]
    if batch.release is None or not moved:
        return {}
    released = {"decisions_sha256": content_sha256(moved[0].after)}
    return {"release": batch.release.model_copy(update=released)}


def _erase_records(batch: Batch, target: ErasureTarget, ports: ErasurePorts) -> None:
    essay_id = target.essay_id or ""
    comparisons = [
        each
        for each in ports.comparisons.list_comparisons(batch.batch_id, target.n_waves)
        if essay_id in each.essay_ids
    ]
    ports.records.erase_decisions(batch.batch_id, essay_id)
    ports.records.erase_waiting(batch.batch_id, target.n_waves)
    ports.records.erase_comparisons(
        batch.batch_id,
        [(each.wave, each.comparison_id) for each in comparisons],
        ports.records.list_people(batch.batch_id),
    )


def _erase_texts(batch: Batch, target: ErasureTarget, ports: ErasurePorts) -> None:
    """The text, unless another essay of the batch has exactly the same one, an anchor too."""
    manifest = ports.content.get_document(manifest_key(batch))
    remaining = {Essay.model_validate(each).text_sha256 for each in json.loads(manifest or "[]")}
    spec = ports.content.get_document(spec_key(batch.batch_id))
    if spec is not None:
        remaining |= {each.text_sha256 for each in BatchSpec.model_validate_json(spec).essays}
    erase_uploads(target.text_sha256s, ports=ports)
    for sha256 in target.text_sha256s:
        if sha256 not in remaining:
            ports.documents.erase_document(text_key(batch_texts(batch.batch_id), sha256))


async def _erase_submissions(batch: Batch, ports: ErasurePorts) -> int:
    """What providers were sent of the whole batch; how many of them would not delete it."""
    n_left = 0
    for record in ports.records.list_submissions(batch.batch_id):
        outcome = await forget_submission(record, batch.judges, ports=ports)
        n_left += outcome is not Forgotten.GONE
        ports.documents.erase_folder(provider_batch_folder(record.name))
    return n_left
