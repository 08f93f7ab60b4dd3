"""Answer a refused request from the event bus, which has no response."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from assessment.contracts.events import EventType, envelope
from assessment.contracts.requested import read_organisation
from assessment.domain.errors import (
    CJError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotPermittedError,
    QuotaExceededError,
)
from assessment.domain.identifiers import derive_uuid
from assessment.ports.messaging import EventPublisher
from assessment.usecases.fail_batch import REQUEST_AGAIN

REFUSALS = (
    InvalidRequestError,
    NotPermittedError,
    NotFoundError,
    ConflictError,
    QuotaExceededError,
)
"""Errors that a repeat of the event would meet again."""


def refuse_request(
    event: dict[str, Any],
    refusal: CJError,
    *,
    events: EventPublisher,
    now: datetime,
) -> None:
    """Publish CJAssessmentFailed.v1 for a request that never became a batch."""
    detail = event.get("detail")
    envelope_fields = detail if isinstance(detail, dict) else {}
    key = str(envelope_fields.get("event_id") or event.get("id") or "")
    data = {
        "assignment_id": None,
        "status": "REFUSED",
        "error_info": {
            "code": refusal.code,
            "what": refusal.title,
            "why": str(refusal),
            "what_to_do": "fix the request and publish it under a new event_id",
            "problem": refusal.code,
            "remedy_code": REQUEST_AGAIN,
        },
    }
    events.publish(
        [
            envelope(
                EventType.FAILED,
                batch_id=derive_uuid("refused batch", key),
                organisation=read_organisation(event),
                correlation_id=str(
                    envelope_fields.get("correlation_id") or derive_uuid("refused", key)
                ),
                data=data,
                now=now,
                occasion="refused",
            )
        ]
    )
