"""The files of a batch by links: whatever is too large for an answer of the API."""

from __future__ import annotations

from datetime import datetime, timedelta

from assessment.contracts.views import BatchFile, BatchFiles
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.document_keys import comparisons_key, essays_key, result_key
from assessment.ports.groups import FilePorts

_LINK_LIFE = timedelta(minutes=15)
MAX_ANSWER_BYTES = 5_000_000
"""A function answers with 6 MB at most, its envelope included."""


def list_files(batch_id: str, *, ports: FilePorts, now: datetime) -> BatchFiles:
    """The files that a batch has by now, with links that open for a quarter of an hour.

    Raises
    ------
    UnknownBatchError
    """
    batch = ports.batches.get_batch(batch_id)
    files = [
        BatchFile(
            name=name,
            n_bytes=size,
            link=ports.links.link_download(key, file_name=f"{batch_id}-{name}", life=_LINK_LIFE),
        )
        for name, key in _list_keys(batch).items()
        if (size := ports.links.find_size(key)) is not None
    ]
    return BatchFiles(batch_id=batch_id, files=files, expires_at=(now + _LINK_LIFE).isoformat())


def _list_keys(batch: Batch) -> dict[str, str]:
    """Keys by the names of their files; a result counts when the batch has completed."""
    keys = {"comparisons.jsonl": comparisons_key(batch.batch_id)}
    if batch.status is not BatchStatus.COMPLETED:
        return keys
    return keys | {
        "result.json": result_key(batch.batch_id),
        "essays.csv": essays_key(batch.batch_id),
    }


def link_result(batch_id: str, *, ports: FilePorts) -> str:
    """A link to the result document of a batch that has completed."""
    return ports.links.link_download(
        result_key(batch_id), file_name=f"{batch_id}-result.json", life=_LINK_LIFE
    )
