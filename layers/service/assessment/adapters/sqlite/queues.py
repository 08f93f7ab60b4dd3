"""The two queues in SQLite: a message stays until its reader has done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from assessment.adapters.sqlite.database import Database
from assessment.contracts.list_protocol import ComparisonResult
from assessment.contracts.queue_messages import JudgeMessage, WaveDeadlineV1

JUDGE = "judge"
CALLBACK = "callback"
_LONGEST_DELAY_SECONDS = 900
"""As in SQS, so that a use case that waits longer is seen to wait in steps on both."""
_SEND = "INSERT INTO messages (queue, batch_id, body, visible_at) VALUES (?, ?, ?, ?)"

type Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Received:
    """A message with how often it was received, this time included; `receipt` names it."""

    receipt: str
    body: str
    receives: int


class SQLiteMailbox:
    """One batch's messages on one queue, for the one process that drives the batch.

    A message that is received keeps its place: what a process had when it died, the next one gets.
    """

    def __init__(self, database: Database, queue: str, batch_id: str, clock: Clock) -> None:
        self._database = database
        self._place = (queue, batch_id)
        self._clock = clock
        self._held: set[int] = set()

    def receive(self, *, limit: int) -> list[Received]:
        """Visible messages, the oldest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT number, body, receives FROM messages WHERE queue = ? AND batch_id = ? "
                "AND visible_at <= ? ORDER BY number LIMIT ?",
                (*self._place, self._clock().timestamp(), limit + len(self._held)),
            ).fetchall()
            free = [row for row in rows if row[0] not in self._held][:limit]
            connection.executemany(
                "UPDATE messages SET receives = receives + 1 WHERE number = ?",
                [(number,) for number, *_ in free],
            )
        self._held |= {number for number, *_ in free}
        return [Received(str(number), body, receives + 1) for number, body, receives in free]

    def postpone(self, receipt: str, *, seconds: float) -> None:
        """Let a message be seen again after this time."""
        self._database.write(
            "UPDATE messages SET visible_at = ? WHERE number = ?",
            (self._clock().timestamp() + seconds, int(receipt)),
        )
        self._held.discard(int(receipt))

    def delete(self, receipt: str) -> None:
        """Forget a message that is done with."""
        self._database.write("DELETE FROM messages WHERE number = ?", (int(receipt),))
        self._held.discard(int(receipt))

    def find_next(self) -> datetime | None:
        """When the next message can be seen; None if there is none."""
        rows = self._database.read(
            "SELECT number, visible_at FROM messages WHERE queue = ? AND batch_id = ? "
            "ORDER BY visible_at LIMIT ?",
            (*self._place, len(self._held) + 1),
        )
        moments = (moment for number, moment in rows if number not in self._held)
        first = next(moments, None)
        return None if first is None else datetime.fromtimestamp(first, UTC)


class SQLiteJudgeQueue:
    """The way to the judges."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def send(self, messages: Sequence[JudgeMessage]) -> None:
        """Queue all messages, or none."""
        self._database.write_many(_SEND, [self._row(message, 0) for message in messages])

    def send_later(self, message: JudgeMessage, *, seconds: int) -> None:
        """Queue a message that is seen later."""
        delay = max(1, min(seconds, _LONGEST_DELAY_SECONDS))
        self._database.write(_SEND, self._row(message, delay))

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Let a received message come back after this time."""
        self._database.write(
            "UPDATE messages SET visible_at = ? WHERE number = ?",
            (self._clock().timestamp() + seconds, int(receipt)),
        )

    def _row(self, message: JudgeMessage, delay: float) -> tuple[str, str, str, float]:
        body = message.model_dump_json(by_alias=True)
        return JUDGE, message.batch_id, body, self._clock().timestamp() + delay


class SQLiteCallbackQueue:
    """The one way in for verdicts; endpoints call back over the web, so it has no address."""

    address = "sqlite:"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def send_result(self, result: ComparisonResult) -> None:
        """Hand a verdict over."""
        self.send_results([result])

    def send_results(self, results: Sequence[ComparisonResult]) -> None:
        """Hand many over, all or none."""
        moment = self._clock().timestamp()
        rows = [
            (
                CALLBACK,
                result.request_metadata.batch_id,
                result.model_dump_json(by_alias=True, exclude_none=True),
                moment,
            )
            for result in results
        ]
        self._database.write_many_durably(_SEND, rows)

    def send_deadline(self, deadline: WaveDeadlineV1, *, delay_seconds: int) -> None:
        """Come back to the wave later."""
        delay = max(0, min(delay_seconds, _LONGEST_DELAY_SECONDS))
        body = deadline.model_dump_json(by_alias=True)
        moment = self._clock().timestamp() + delay
        self._database.write(_SEND, (CALLBACK, deadline.batch_id, body, moment))
