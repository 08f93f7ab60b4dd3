"""Erase the texts of anchors that were removed or replaced: an anchor is a pupil's essay, too."""

from __future__ import annotations

from datetime import datetime, timedelta

from assessment.contracts.erasure import SweepAnchorsV1
from assessment.domain.document_keys import anchor_texts, text_key
from assessment.ports.erasure import ErasureQueue, SweepPorts

SETTLED_AFTER = timedelta(minutes=15)
"""A registration stores its texts before its anchors; it takes less than half a minute."""


def request_sweep(organisation: str, assignment_id: str, *, erasure_queue: ErasureQueue) -> None:
    """Ask for it once nothing that is under way can name the texts any more."""
    message = SweepAnchorsV1(organisation=organisation, assignment_id=assignment_id)
    erasure_queue.send(message, delay_seconds=int(SETTLED_AFTER.total_seconds()))


def sweep_anchors(message: SweepAnchorsV1, *, ports: SweepPorts, now: datetime) -> int:
    """Erase what no anchor of the assignment names; batches keep their own copies.

    What was written a moment ago is looked at again later. Returns how many texts that are.
    """
    assignment = ports.assignments.get_assignment(message.assignment_id)
    folder = anchor_texts(message.assignment_id)
    anchors = assignment.anchors if assignment else []
    n_left = ports.documents.erase_unnamed(
        folder,
        named=[text_key(folder, anchor.text_sha256) for anchor in anchors],
        before=now - SETTLED_AFTER,
    )
    if n_left:
        request_sweep(
            message.organisation, message.assignment_id, erasure_queue=ports.erasure_queue
        )
    return n_left
