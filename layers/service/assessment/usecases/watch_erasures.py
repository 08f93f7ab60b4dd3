"""Let erasures go on whose message is lost: none is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from assessment.contracts.erasure import EraseRequestV1
from assessment.ports.erasure import ErasureQueue, UnfinishedErasures

_LOST_AFTER = timedelta(minutes=30)
"""Longer than the longest wait between two rounds."""


def watch_erasures(
    *, listing: UnfinishedErasures, erasure_queue: ErasureQueue, now: datetime
) -> list[EraseRequestV1]:
    """Send the message again of each erasure that nobody has worked on for long; those sent."""
    lost = [
        EraseRequestV1(batch_id=each.batch_id, erasure_id=each.erasure_id)
        for each in listing.list_unfinished()
        if now - each.touched_at >= _LOST_AFTER
    ]
    for message in lost:
        erasure_queue.send(message)
    return lost
