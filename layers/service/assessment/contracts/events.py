"""Domain events: one versioned envelope, with ids that a repeated publication cannot change.

Each type of data has a model (`contracts.event_data`) and a JSON Schema (`schemas/events`).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from assessment.contracts.event_data import (
    AssessmentCompleted,
    AssessmentFailed,
    AssessmentReleased,
    EventData,
    JudgingReminder,
    ResultPublished,
    WaveScored,
)
from assessment.domain.access import DEFAULT_ORGANISATION, OrganisationId
from assessment.domain.identifiers import canonical_json, derive_uuid

SOURCE = "cj.assessment"
MAX_EVENT_BYTES = 200_000
ENVELOPE_VERSION = 1


class EventType(StrEnum):
    """The events we publish, and the one we accept."""

    REQUESTED = "CJAssessmentRequested.v1"
    WAVE_SCORED = "CJWaveScored.v1"
    JUDGING_REMINDER = "CJJudgingReminder.v1"
    COMPLETED = "CJAssessmentCompleted.v1"
    RESULT_PUBLISHED = "AssessmentResultPublished.v1"
    RELEASED = "AssessmentReleased.v1"
    FAILED = "CJAssessmentFailed.v1"


DATA: dict[EventType, type[EventData]] = {
    EventType.WAVE_SCORED: WaveScored,
    EventType.JUDGING_REMINDER: JudgingReminder,
    EventType.COMPLETED: AssessmentCompleted,
    EventType.RESULT_PUBLISHED: ResultPublished,
    EventType.RELEASED: AssessmentReleased,
    EventType.FAILED: AssessmentFailed,
}
"""What each published type carries."""


class Envelope(BaseModel):
    """What every event's `detail` looks like."""

    model_config = ConfigDict(frozen=True)

    event_id: str
    event_type: EventType
    schema_version: int = ENVELOPE_VERSION
    correlation_id: str
    organisation: OrganisationId = DEFAULT_ORGANISATION
    time: datetime
    data: dict[str, Any]


def envelope(
    event_type: EventType,
    *,
    batch_id: str,
    correlation_id: str,
    organisation: str,
    data: dict[str, Any],
    now: datetime,
    occasion: str = "",
) -> Envelope:
    """An event about a batch; `occasion` tells apart events of one type, such as waves.

    Raises
    ------
    TypeError
        If the data are not what the type carries.
    """
    try:
        valid_data = DATA[event_type].model_validate({"batch_id": batch_id, **data})
    except ValidationError as error:
        raise TypeError(f"{event_type} does not carry these data: {error}") from error
    return Envelope(
        event_id=derive_uuid(batch_id, event_type, occasion),
        event_type=event_type,
        correlation_id=correlation_id,
        organisation=organisation,
        time=now,
        data=valid_data.model_dump(mode="json"),
    )


def fits(data: dict[str, Any]) -> bool:
    """Whether the data are small enough to travel inside an event."""
    return len(canonical_json(data).encode()) <= MAX_EVENT_BYTES
