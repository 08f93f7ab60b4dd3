"""Executions by name, and the tokens by which they wait, in SQLite."""

from __future__ import annotations

import json
from typing import Any

from assessment.adapters.sqlite.database import Database


class SQLiteWorkflow:
    """Remembers what runs; the process that drives a batch does the work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, batch_id: str, *, name: str) -> bool:
        """Note an execution as running; False if one of this name has ended."""
        self._database.write(
            "INSERT OR IGNORE INTO executions (name, batch_id, status) VALUES (?, ?, 'RUNNING')",
            (name, batch_id),
        )
        return self.is_running(name)

    def is_running(self, name: str) -> bool:
        """Whether an execution of this name has begun and not ended."""
        rows = self._database.read("SELECT status FROM executions WHERE name = ?", (name,))
        return rows == [("RUNNING",)]

    def stop(self, name: str, *, cause: str) -> None:
        """End the execution if it runs; the batch's own record has the cause."""
        del cause
        self.end(name, "ABORTED")

    def end(self, name: str, status: str) -> None:
        """Note how an execution ended."""
        self._database.write(
            "UPDATE executions SET status = ? WHERE name = ? AND status = 'RUNNING'",
            (status, name),
        )

    def issue(self, token: str) -> None:
        """Make a token known, by which an execution waits."""
        self._database.write("INSERT INTO tokens (token, outcome) VALUES (?, NULL)", (token,))

    def read_outcome(self, token: str) -> dict[str, Any] | None:
        """What the token was settled with; None while the execution waits."""
        rows = self._database.read("SELECT outcome FROM tokens WHERE token = ?", (token,))
        return json.loads(rows[0][0]) if rows and rows[0][0] is not None else None

    def report_closed(self, token: str, output: dict[str, Any]) -> bool:
        """Let the execution go on; False if the token was settled before."""
        return self._settle(token, {"output": output})

    def report_failed(self, token: str, *, error: str, cause: str) -> bool:
        """Fail the waiting state; False if the token was settled before."""
        return self._settle(token, {"Error": error, "Cause": cause})

    def _settle(self, token: str, outcome: dict[str, Any]) -> bool:
        changed = self._database.write(
            "UPDATE tokens SET outcome = ? WHERE token = ? AND outcome IS NULL",
            (json.dumps(outcome), token),
        )
        return changed == 1
