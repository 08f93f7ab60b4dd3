"""The events of batches, kept in the order in which they were first published."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.adapters.sqlite.database import Database
from assessment.contracts.events import Envelope


class SQLiteEvents:
    """A bus without subscribers: whoever wants the events reads them here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, events: Sequence[Envelope]) -> None:
        """Keep all events, or none; one that is published again is the same event."""
        self._database.write_many(
            "INSERT OR IGNORE INTO events (event_id, body) VALUES (?, ?)",
            [(event.event_id, event.model_dump_json()) for event in events],
        )

    def list_events(self) -> list[Envelope]:
        """All events, the oldest first."""
        rows = self._database.read("SELECT body FROM events ORDER BY number")
        return [Envelope.model_validate_json(body) for (body,) in rows]
