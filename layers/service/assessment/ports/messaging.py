"""Messages: the two queues, the state machine and the event bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from assessment.contracts.events import Envelope
from assessment.contracts.list_protocol import ComparisonResult
from assessment.contracts.queue_messages import JudgeMessage, WaveDeadlineV1


class JudgeQueue(Protocol):
    """The way to call_judge."""

    def send(self, messages: Sequence[JudgeMessage]) -> None:
        """Queue comparisons, singly or as a provider's batch, for judging."""

    def send_later(self, message: JudgeMessage, *, seconds: int) -> None:
        """Queue a message anew, with its deliveries counted from zero, to be seen later."""

    def postpone(self, receipt: str, *, seconds: int) -> None:
        """Let a received message come back after this time instead of the queue's own."""


class CallbackQueue(Protocol):
    """The one way in for verdicts."""

    @property
    def address(self) -> str:
        """The queue's URL, as an endpoint needs it."""

    def send_result(self, result: ComparisonResult) -> None:
        """Hand a verdict or an error to record_callback."""

    def send_results(self, results: Sequence[ComparisonResult]) -> None:
        """Hand many over; raises TransientError if any was not taken, and all may be sent again."""

    def send_deadline(self, deadline: WaveDeadlineV1, *, delay_seconds: int) -> None:
        """Come back to the wave later."""


class Workflow(Protocol):
    """The state machine."""

    def start(self, batch_id: str, *, name: str) -> bool:
        """Start an execution of the batch; False, and no error, if one of this name has ended.

        Starting a running one again is the same start.
        """

    def report_closed(self, token: str, output: dict[str, Any]) -> bool:
        """Resume the execution; False, and no error, if the token was settled before."""

    def report_failed(self, token: str, *, error: str, cause: str) -> bool:
        """Fail the waiting state; False, and no error, if the token was settled before."""

    def is_running(self, name: str) -> bool:
        """Whether an execution of this name is running."""

    def stop(self, name: str, *, cause: str) -> None:
        """End the execution if it runs."""


class EventPublisher(Protocol):
    """The event bus."""

    def publish(self, events: Sequence[Envelope]) -> None:
        """Publish all events, or raise TransientError so that all are published again."""
