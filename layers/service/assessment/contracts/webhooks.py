"""Webhooks as callers see them, and the messages that are sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from assessment.contracts.events import Envelope, EventType
from assessment.domain.access import OrganisationId
from assessment.domain.identifiers import canonical_json
from assessment.domain.webhook import Attempt, Webhook

PublishedType = Literal[
    EventType.WAVE_SCORED,
    EventType.JUDGING_REMINDER,
    EventType.COMPLETED,
    EventType.RESULT_PUBLISHED,
    EventType.RELEASED,
    EventType.FAILED,
]
"""The types of `contracts.events.DATA`."""


class WebhookRequest(BaseModel):
    """Where to send events, and which; without types all that are published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    event_types: Annotated[list[PublishedType], Field(min_length=1, max_length=20)] = Field(
        default_factory=lambda: list(get_args(PublishedType))
    )

    @field_validator("event_types")
    @classmethod
    def _check_distinct(cls, types: list[PublishedType]) -> list[PublishedType]:
        if len(set(types)) < len(types):
            message = "a type occurs twice; name each once"
            raise ValueError(message)
        return types


class WebhookView(BaseModel):
    """A webhook; its secret is shown only when it is made.

    It is disabled when its receiver answered 410 Gone; remove it and add it again to go on.
    """

    webhook_id: str
    url: str
    event_types: list[str]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    last_attempt: Attempt | None

    @classmethod
    def from_webhook(cls, webhook: Webhook) -> Self:
        """The view of a webhook."""
        return cls.model_validate(webhook.model_dump())


class NewWebhook(WebhookView):
    """A webhook as it is made: the secret is shown this once."""

    secret: Annotated[str, Field(repr=False)]


class WebhookList(BaseModel):
    """All webhooks of the organisation, the oldest first."""

    webhooks: list[WebhookView]


class WebhookReplay(BaseModel):
    """How many dead letters are sent again; there may be more if it is not complete: ask again."""

    webhook_id: str
    n_replayed: int
    is_complete: bool


class WebhookPayload(BaseModel):
    """The body of a message: the event, under the names of the Standard Webhooks scheme."""

    type: str
    timestamp: datetime
    data: dict[str, Any]
    event_id: str
    correlation_id: str
    organisation: str
    schema_version: int

    @classmethod
    def from_event(cls, event: Envelope) -> Self:
        """What is sent of an event."""
        shared = event.model_dump(
            include={"data", "event_id", "correlation_id", "organisation", "schema_version"}
        )
        return cls(type=event.event_type, timestamp=event.time, **shared)

    def to_text(self) -> str:
        """The bytes of the body, the same at every attempt."""
        return canonical_json(self.model_dump(mode="json"))


class WebhookDelivery(BaseModel):
    """The message in the queue: an event for one webhook."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_name: Literal["WebhookDeliveryV1"] = Field("WebhookDeliveryV1", alias="schema")
    organisation: OrganisationId
    webhook_id: str
    event: Envelope


class PublishedEvent(BaseModel):
    """The message in the queue as the event bus puts it there."""

    model_config = ConfigDict(frozen=True)

    detail: Envelope


_MESSAGES: TypeAdapter[WebhookDelivery | PublishedEvent] = TypeAdapter(
    WebhookDelivery | PublishedEvent
)


def read_webhook_message(body: str) -> WebhookDelivery | PublishedEvent:
    """The message of the webhook queue. Raises pydantic's ValidationError."""
    return _MESSAGES.validate_json(body)
