"""The event bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assessment.contracts.events import SOURCE, Envelope
from assessment.domain.errors import TransientError


class EventBridgePublisher:
    """Puts events on the product's own bus."""

    def __init__(self, client: Any, bus_name: str) -> None:
        self._client = client
        self._bus = bus_name

    def publish(self, events: Sequence[Envelope]) -> None:
        """Publish all; if one is refused all are to be published again, under the same ids."""
        response = self._client.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": event.event_type,
                    "Detail": event.model_dump_json(),
                    "EventBusName": self._bus,
                    "Time": event.time,
                }
                for event in events
            ]
        )
        if response.get("FailedEntryCount"):
            raise TransientError(
                f"the event bus refused {response['FailedEntryCount']} of {len(events)} events"
            )
