"""Queues with delays, an event bus, and a workflow whose tokens settle once; all in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from assessment.contracts.events import Envelope
from assessment.contracts.list_protocol import ComparisonResult
from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1, WaveDeadlineV1
from assessment.domain.errors import TransientError


class Clock:
    """The time of a simulated world; it moves only when somebody moves it."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Message:
    """A message, when it becomes visible, and how often it was received."""

    body: str
    visible_at: datetime
    receives: int = 0


class InMemoryJudgeQueue:
    """Sends comparisons to be judged."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.messages: list[Message] = []

    def send(self, messages: Sequence[JudgeMessage]) -> None:
        self.messages += [
            Message(message.model_dump_json(by_alias=True), self._clock.now) for message in messages
        ]

    def send_later(self, message: JudgeMessage, *, seconds: int) -> None:
        # As SQS does: nothing is delayed for more than 15 minutes.
        until = self._clock.now + timedelta(seconds=max(1, min(seconds, 900)))
        self.messages.append(Message(message.model_dump_json(by_alias=True), until))

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Receipts here are positions in the queue."""
        self.messages[int(receipt)].visible_at = self._clock.now + timedelta(seconds=seconds)

    @property
    def requests(self) -> list[JudgeRequestV1]:
        """What is queued."""
        return [JudgeRequestV1.model_validate_json(message.body) for message in self.messages]


class InMemoryCallbackQueue:
    """Takes verdicts, errors and deadlines."""

    address = "memory://callbacks"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.messages: list[Message] = []

    def send_result(self, result: ComparisonResult) -> None:
        self.deliver(result.model_dump_json(by_alias=True, exclude_none=True))

    def send_results(self, results: Sequence[ComparisonResult]) -> None:
        for result in results:
            self.send_result(result)

    def send_deadline(self, deadline: WaveDeadlineV1, *, delay_seconds: int) -> None:
        # As SQS does: nothing is delayed for more than 15 minutes.
        delay = max(0, min(delay_seconds, 900))
        self.deliver(deadline.model_dump_json(by_alias=True), delay=delay)

    def deliver(self, body: str, *, delay: float = 0) -> None:
        """Put any text on the queue."""
        self.messages.append(Message(body, self._clock.now + timedelta(seconds=delay)))


class InMemoryEvents:
    """The event bus: what was published, and by id what a subscriber would keep."""

    def __init__(self) -> None:
        self.published: list[Envelope] = []
        self.refuse_next = 0

    def publish(self, events: Sequence[Envelope]) -> None:
        if self.refuse_next:
            self.refuse_next -= 1
            raise TransientError("the event bus refused the events")
        self.published += events

    @property
    def by_type(self) -> dict[str, list[Envelope]]:
        """Distinct events, by their type."""
        distinct = {event.event_id: event for event in self.published}
        found: dict[str, list[Envelope]] = {}
        for event in distinct.values():
            found.setdefault(event.event_type, []).append(event)
        return found


@dataclass
class Token:
    """What became of a task token."""

    output: dict[str, Any] | None = None
    failure: tuple[str, str] | None = None

    @property
    def settled(self) -> bool:
        return self.output is not None or self.failure is not None


@dataclass
class InMemoryWorkflow:
    """Executions by name and tokens that settle once."""

    executions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)

    def issue(self, name: str) -> str:
        """A fresh token, as a waiting state gets one."""
        self.tokens[name] = Token()
        return name

    def start(self, batch_id: str, *, name: str) -> bool:
        self.starts.append(batch_id)
        return self.executions.setdefault(name, "RUNNING") == "RUNNING"

    def report_closed(self, token: str, output: dict[str, Any]) -> bool:
        waits = token in self.tokens and not self.tokens[token].settled
        if waits:
            self.tokens[token].output = output
        return waits

    def report_failed(self, token: str, *, error: str, cause: str) -> bool:
        waits = token in self.tokens and not self.tokens[token].settled
        if waits:
            self.tokens[token].failure = (error, cause)
        return waits

    def is_running(self, name: str) -> bool:
        return self.executions.get(name) == "RUNNING"

    def stop(self, name: str, *, cause: str) -> None:
        if self.is_running(name):
            self.executions[name] = "ABORTED"
