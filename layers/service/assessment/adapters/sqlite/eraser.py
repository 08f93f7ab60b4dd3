"""Removes what the database has of a batch beside its records: its messages and its events."""

from __future__ import annotations

from assessment.adapters.sqlite.database import Database


class SQLiteTraces:
    """Messages and events, which quote results; executions and tokens have nothing but ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erase(self, batch_id: str) -> None:
        """Remove them, and let the file keep nothing of what was deleted."""
        self._database.write("DELETE FROM messages WHERE batch_id = ?", (batch_id,))
        self._database.write("DELETE FROM events WHERE instr(body, ?)", (batch_id,))
        self._database.scrub()
