"""Write every comparison of a batch with its verdict where people can read it."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison
from assessment.domain.document_keys import comparisons_key
from assessment.domain.errors import ErasedBatchError
from assessment.domain.identifiers import write_json_line
from assessment.ports.content import ContentStore
from assessment.ports.groups import CallbackPorts
from assessment.ports.stores import ComparisonStore

_WITHOUT_RESULT = frozenset({BatchStatus.CANCELLED, BatchStatus.FAILED})


def keep_comparisons(
    batch_id: str, comparisons: Sequence[Comparison], *, content: ContentStore
) -> None:
    """Store one JSON object a line; a batch without a result keeps what was paid for, too."""
    content.put_document(
        comparisons_key(batch_id),
        "".join(write_json_line(one.model_dump(mode="json")) for one in comparisons),
        content_type="application/x-ndjson",
    )


def keep_all_comparisons(
    batch: Batch, *, comparisons: ComparisonStore, content: ContentStore
) -> None:
    """Store all that is known, also where several workers do so at once."""
    stored = None
    # Read again after it is written: another worker may write late what it had read before.
    while stored != (current := comparisons.list_comparisons(batch.batch_id, batch.wave)):
        keep_comparisons(batch.batch_id, current, content=content)
        stored = current


def keep_late_comparisons(batch_id: str, *, ports: CallbackPorts) -> None:
    """Store the comparisons of a batch again if it has ended without a result.

    What was under way at its end is answered later: a provider that is told to cancel its batch
    gives, and bills, what it has done by then. The lines of a batch with a result stay those that
    the result is made of, and of a batch that was erased there are none.

    Raises
    ------
    UnknownBatchError
    """
    try:
        batch = ports.batches.get_batch(batch_id)
    except ErasedBatchError:
        return
    if batch.status in _WITHOUT_RESULT:
        keep_all_comparisons(batch, comparisons=ports.comparisons, content=ports.content)
