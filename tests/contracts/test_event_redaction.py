"""What is still sent of an event that waited while something of its batch was erased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assessment.contracts.event_redaction import redact_event
from assessment.contracts.events import EventType, envelope
from assessment.domain.erasure import Erasure, ErasureScope

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHARED: dict[str, Any] = {"assignment_id": None, "result_sha256": "0" * 64}
RELEASED = SHARED | {
    "decisions_sha256": "1" * 64,
    "decisions_key": "batches/default/b/decisions.json",
    "two_assessors": False,
    "n_essays": 2,
    "n_changed": 0,
    "n_without_decision": 2,
    "grades_included": True,
    "grades": {"anna": "B", "bo": "C"},
}
FAILED: dict[str, Any] = {
    "assignment_id": None,
    "status": "FAILED",
    "error_info": {"code": "no-text", "what": "The batch failed.", "why": "anna has no text.",
                   "what_to_do": "Send anna again.", "problem": "invalid-request",
                   "remedy_code": "request_again"},
}  # fmt: skip


def make(event_type: EventType, data: dict[str, Any]) -> Any:
    return envelope(
        event_type, batch_id="b", correlation_id="c", organisation="default", data=data, now=MOMENT
    )


def erasure(scope: ErasureScope, *, minutes: int) -> Erasure:
    moment = MOMENT + timedelta(minutes=minutes)
    return Erasure(erasure_id="e", batch_id="b", scope=scope, requested_at=moment)


def test_nothing_is_left_out_where_nothing_was_erased_since() -> None:
    event = make(EventType.RELEASED, RELEASED)
    assert redact_event(event, []) == event
    assert redact_event(event, [erasure(ErasureScope.ESSAY, minutes=-1)]) == event


@pytest.mark.parametrize("minutes", [-1, 1])
def test_nothing_is_sent_of_a_batch_that_was_erased(minutes: int) -> None:
    event = make(EventType.RELEASED, RELEASED)
    assert redact_event(event, [erasure(ErasureScope.BATCH, minutes=minutes)]) is None


@pytest.mark.parametrize(
    ("event_type", "data"), [(EventType.RELEASED, RELEASED), (EventType.FAILED, FAILED)]
)
def test_no_essay_is_named_where_one_was_erased_since(
    event_type: EventType, data: dict[str, Any]
) -> None:
    event = make(event_type, data)
    sent = redact_event(event, [erasure(ErasureScope.ESSAY, minutes=1)])
    assert sent is not None
    assert "anna" in event.model_dump_json()
    assert "anna" not in sent.model_dump_json()
    # What is left is an event of its type, under its id.
    assert (sent.event_id, sent.data.keys()) == (event.event_id, event.data.keys())
    make(event_type, sent.data)
