"""List the batches of an organisation, a page at a time."""

from __future__ import annotations

from assessment.contracts.views import BatchList, BatchSummary
from assessment.ports.stores import BatchFilter, BatchStore


def list_batches(
    wanted: BatchFilter, *, limit: int, cursor: str | None, batches: BatchStore
) -> BatchList:
    """The next batches that fit, the newest first.

    A page may have fewer than `limit`, or none, though there are more: `cursor` tells.
    """
    page = batches.list_batches(wanted, limit=limit, cursor=cursor)
    return BatchList(
        batches=[BatchSummary.from_batch(batch) for batch in page.batches], cursor=page.cursor
    )
