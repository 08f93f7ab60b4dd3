"""Domain events: one versioned envelope, with ids that a repeated publication cannot change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from assessment.domain.identifiers import canonical_json, derived_uuid

SOURCE = "cj.assessment"
MAX_EVENT_BYTES = 200_000
ENVELOPE_VERSION = 1


class EventType(StrEnum):
    """The events we publish, and the one we accept."""

    REQUESTED = "CJAssessmentRequested.v1"
    WAVE_SCORED = "CJWaveScored.v1"
    COMPLETED = "CJAssessmentCompleted.v1"
    RESULT_PUBLISHED = "AssessmentResultPublished.v1"
    FAILED = "CJAssessmentFailed.v1"


class Envelope(BaseModel):
    """What every event's `detail` looks like."""

    model_config = ConfigDict(frozen=True)

    event_id: str
    event_type: EventType
    schema_version: int = ENVELOPE_VERSION
    correlation_id: str
    time: datetime
    data: dict[str, Any]


def envelope(
    event_type: EventType,
    *,
    batch_id: str,
    correlation_id: str,
    data: dict[str, Any],
    now: datetime,
    occasion: str = "",
) -> Envelope:
    """An event about a batch; `occasion` tells apart events of one type, such as waves."""
    return Envelope(
        event_id=derived_uuid(batch_id, event_type, occasion),
        event_type=event_type,
        correlation_id=correlation_id,
        time=now,
        data={"batch_id": batch_id, **data},
    )


def fits(data: dict[str, Any]) -> bool:
    """Whether the data are small enough to travel inside an event."""
    return len(canonical_json(data).encode()) <= MAX_EVENT_BYTES
