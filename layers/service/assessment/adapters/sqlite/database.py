"""One SQLite database: a killed process leaves every write whole, or has not made it.

In WAL mode readers do not wait for the writer, and what is committed outlives the process
(sqlite.org/wal.html). A durable write outlives the machine's power too, and so does all that was
written before it: that costs milliseconds, so it is for what is paid for.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assessment.domain.errors import CorruptStoreError, TransientError

VERSION = 1
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    pk TEXT NOT NULL, sk TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (pk, sk)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, batch_id TEXT NOT NULL,
    body TEXT NOT NULL, visible_at REAL NOT NULL, receives INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_to_receive ON messages (queue, batch_id, visible_at);
CREATE TABLE IF NOT EXISTS executions (
    name TEXT PRIMARY KEY, batch_id TEXT NOT NULL, status TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, outcome TEXT);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL
);
"""

type Row = tuple[Any, ...]


@dataclass
class _DurableWrite:
    """A statement for many rows that waits for its commit, and what became of it."""

    statement: str
    rows: Sequence[Sequence[Any]]
    is_committed: bool = False
    error: BaseException | None = None


class Database:
    """A connection that the threads of a process share, one statement or transaction at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._waiting: deque[_DurableWrite] = deque()
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise CorruptStoreError(f"{path} cannot be used as a database: {error}") from error

    def _prepare(self, path: Path) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise CorruptStoreError(
                f"{path} was written by a newer version; use that, or another folder"
            )
        self._connection.executescript(_SCHEMA)
        self._connection.execute(f"PRAGMA user_version={VERSION}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def scrub(self) -> None:
        """Write the file anew: what was deleted would stay in its free pages and in its log."""
        self.write("VACUUM")
        self.read("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Reads and writes that nobody else comes between; an exception takes all of them back.

        Raises
        ------
        TransientError
            If another process holds the database for long, or the disk does not take the write.
        """
        with self._lock, _translate_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query, as they are committed."""
        with self._lock, _translate_errors():
            return self._connection.execute(statement, values).fetchall()

    def write(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; how many rows it changed."""
        with self._lock, _translate_errors():
            return self._connection.execute(statement, values).rowcount

    def write_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for every row, for all or for none."""
        with self.transaction() as connection:
            connection.executemany(statement, rows)

    def write_many_durably(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for every row, for all or for none; on the disk when it returns.

        Writes that wait for the disk at the same time share one commit: a commit that twenty
        answers share takes as long as one.
        """
        write = _DurableWrite(statement, rows)
        self._waiting.append(write)
        with self._lock:
            if not write.is_committed and write.error is None:
                self._commit_waiting()
        if write.error is not None:
            raise write.error

    def _commit_waiting(self) -> None:
        group: list[_DurableWrite] = []
        while self._waiting:
            group.append(self._waiting.popleft())
        self.write("PRAGMA synchronous=FULL")
        try:
            if not self._commit_together(group):
                # One of them may be the reason: each gets its own commit, and its own error.
                for write in group:
                    self._commit_together([write])
        finally:
            self.write("PRAGMA synchronous=NORMAL")

    def _commit_together(self, group: Sequence[_DurableWrite]) -> bool:
        try:
            with self.transaction() as connection:
                for write in group:
                    connection.executemany(write.statement, write.rows)
        except (sqlite3.Error, TransientError) as error:
            for write in group:
                write.error = error
            return False
        for write in group:
            write.is_committed, write.error = True, None
        return True


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TransientError(f"the database does not take it: {error}") from error
