"""What may still be sent of an event after a pupil's essay was erased from its batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assessment.contracts.events import Envelope
from assessment.domain.erasure import Erasure, ErasureScope

_EMPTIED: dict[str, object] = {
    "rankings": None,
    "grade_projections": None,
    "result_included": False,
    "grades": None,
    "grades_included": False,
    "not_assessed": [],
}
_REPLACEMENT = {
    "what": "an essay of the batch was erased, and with it what was said here",
    "why": "an essay of the batch was erased, and with it what was said here",
    "what_to_do": "ask the API for the batch",
    "remedy_code": None,
}


def redact_event(event: Envelope, erasures: Sequence[Erasure]) -> Envelope | None:
    """The event without what is about single essays, if one was erased since; None with the batch.

    Which essay that was, the record of its erasure tells no more: all are left out. Receivers read
    the present result or decisions where the event says that they are kept.
    """
    if any(erasure.scope is ErasureScope.BATCH for erasure in erasures):
        return None
    if all(erasure.requested_at < event.time for erasure in erasures):
        return event
    return event.model_copy(update={"data": _leave_essays_out(event.data)})


def _leave_essays_out(data: dict[str, Any]) -> dict[str, Any]:
    emptied = {name: value for name, value in _EMPTIED.items() if name in data}
    if "error_info" in data:
        emptied["error_info"] = data["error_info"] | _REPLACEMENT
    return data | emptied
