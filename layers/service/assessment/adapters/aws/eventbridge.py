"""The event bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assessment.adapters.aws.errors import TRANSIENT_CODES, wrap_client
from assessment.adapters.aws.pauses import TRIES, Pauses
from assessment.contracts.events import SOURCE, Envelope
from assessment.domain.errors import ServiceRefusedError, TransientError

_ENTRIES_LIMIT = 10


class EventBridgePublisher:
    """Puts events on the product's own bus."""

    def __init__(self, client: Any, bus_name: str, *, pauses: Pauses | None = None) -> None:
        self._client = wrap_client(client)
        self._bus = bus_name
        self._pauses = pauses or Pauses()

    def publish(self, events: Sequence[Envelope]) -> None:
        """Publish all events; those that the bus did not take are sent again after pauses.

        Raises
        ------
        TransientError
            If some were refused again and again: all may be published again, under the same ids.
        ServiceRefusedError
            If the bus says that an event can never be taken.
        """
        for start in range(0, len(events), _ENTRIES_LIMIT):
            self._publish([self._entry(event) for event in events[start : start + _ENTRIES_LIMIT]])

    def _publish(self, entries: list[dict[str, Any]]) -> None:
        unpublished = entries
        for repeat in range(TRIES):
            if repeat:
                self._pauses.await_repeat(repeat)
            unpublished = self._put(unpublished)
            if not unpublished:
                return
        raise TransientError(f"the event bus refused {len(unpublished)} of {len(entries)} events")

    def _put(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put the entries once; those that are to be put again."""
        response = self._client.put_events(Entries=entries)
        if not response.get("FailedEntryCount"):
            return []
        # One answer for each entry, in their order; without them it is unknown which to repeat.
        codes = [answer.get("ErrorCode") for answer in response.get("Entries", [])]
        final = {code for code in codes if code and code not in TRANSIENT_CODES}
        if final:
            raise ServiceRefusedError(f"the event bus does not take an event: {min(final)}")
        if len(codes) != len(entries):
            return entries
        return [entry for entry, code in zip(entries, codes, strict=True) if code]

    def _entry(self, event: Envelope) -> dict[str, Any]:
        return {
            "Source": SOURCE,
            "DetailType": event.event_type,
            "Detail": event.model_dump_json(),
            "EventBusName": self._bus,
            "Time": event.time,
        }
