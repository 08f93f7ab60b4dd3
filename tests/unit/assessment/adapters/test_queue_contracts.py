"""The queues in memory, on SQS and in SQLite keep one contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from moto.core.utils import unix_time_millis

from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.sqlite.database import Database
from assessment.adapters.sqlite.queues import (
    CALLBACK,
    JUDGE,
    SQLiteCallbackQueue,
    SQLiteJudgeQueue,
    SQLiteMailbox,
)
from assessment.contracts.llm_protocol import CompareMetadata, ErrorDetail, LLMComparisonResultV1
from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1, WaveDeadlineV1
from assessment.ports.messaging import CallbackQueue, JudgeQueue
from tests.fakes.aws import client
from tests.fakes.messaging import Clock, InMemoryCallbackQueue, InMemoryJudgeQueue, Message

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["memory", "aws", "sqlite"])


@dataclass
class Queues:
    """The two queues, the messages that are visible on either, and a clock for both."""

    judge: JudgeQueue
    callbacks: CallbackQueue
    receive: Callable[[str], list[tuple[str, str]]]
    forward: Callable[[float], None]

    def bodies(self, queue: str) -> list[str]:
        """What a consumer sees now."""
        return [body for body, _ in self.receive(queue)]


def memory_queues() -> Queues:
    clock = Clock(NOW)
    judge, callbacks = InMemoryJudgeQueue(clock), InMemoryCallbackQueue(clock)

    def receive(queue: str) -> list[tuple[str, str]]:
        messages: list[Message] = (judge if queue == "judge" else callbacks).messages
        seen = [(m.body, str(at)) for at, m in enumerate(messages) if m.visible_at <= clock.now]
        for _, at in seen:
            messages[int(at)].visible_at = clock.now + timedelta(seconds=30)
        return seen

    return Queues(judge, callbacks, receive, clock.forward)


def aws_queues(monkeypatch: pytest.MonkeyPatch) -> Queues:
    sqs = client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("judge", "callbacks")}
    passed = 0.0
    monkeypatch.setattr(
        "moto.sqs.models.unix_time_millis", lambda: unix_time_millis() + 1000 * passed
    )

    def forward(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    def receive(queue: str) -> list[tuple[str, str]]:
        received: list[tuple[str, str]] = []
        while page := sqs.receive_message(
            QueueUrl=urls[queue], MaxNumberOfMessages=10, VisibilityTimeout=30
        ).get("Messages"):
            received += [(message["Body"], message["ReceiptHandle"]) for message in page]
        return received

    return Queues(
        SQSJudgeQueue(sqs, urls["judge"]),
        SQSCallbackQueue(sqs, urls["callbacks"]),
        receive,
        forward,
    )


def sqlite_queues(database: Database) -> Queues:
    clock = Clock(NOW)
    mailboxes = {
        "judge": SQLiteMailbox(database, JUDGE, "b", lambda: clock.now),
        "callbacks": SQLiteMailbox(database, CALLBACK, "b", lambda: clock.now),
    }

    def receive(queue: str) -> list[tuple[str, str]]:
        received = mailboxes[queue].receive(limit=100)
        for message in received:
            mailboxes[queue].postpone(message.receipt, seconds=30)
        return [(message.body, message.receipt) for message in received]

    return Queues(
        SQLiteJudgeQueue(database, lambda: clock.now),
        SQLiteCallbackQueue(database, lambda: clock.now),
        receive,
        clock.forward,
    )


@pytest.fixture
def queues(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Queues:
    if kind == "memory":
        return memory_queues()
    if kind == "sqlite":
        return sqlite_queues(request.getfixturevalue("database"))
    request.getfixturevalue("aws")
    return aws_queues(monkeypatch)


def judge_requests(n: int) -> list[JudgeMessage]:
    return [JudgeRequestV1(batch_id="b", wave=1, comparison_id=f"w001-{at:05d}") for at in range(n)]


def failure(at: int) -> LLMComparisonResultV1:
    return LLMComparisonResultV1(
        correlation_id=f"c{at:02d}",
        request_metadata=CompareMetadata(
            batch_id="b",
            wave=1,
            comparison_id=f"w001-{at:05d}",
            essay_a_id="a",
            essay_b_id="b",
            prompt_sha256="0" * 64,
        ),
        error_detail=ErrorDetail(code="x", message="text with \u2028 and ü"),
    )


def test_all_judge_messages_are_queued_and_read_back_as_they_were(queues: Queues) -> None:
    queues.judge.send(judge_requests(23))
    bodies = queues.bodies("judge")
    read = [JudgeRequestV1.model_validate_json(body) for body in bodies]
    assert sorted(read, key=lambda r: r.comparison_id) == judge_requests(23)
    queues.judge.send([])
    assert queues.bodies("judge") == []


@pytest.mark.parametrize(("seconds", "delay"), [(-5, 1), (30, 30), (5000, 900)])
def test_a_message_that_is_sent_later_is_hidden_for_as_long_as_sqs_allows(
    queues: Queues, seconds: int, delay: int
) -> None:
    queues.judge.send_later(judge_requests(1)[0], seconds=seconds)
    assert queues.bodies("judge") == []
    queues.forward(delay - 0.5)
    assert queues.bodies("judge") == []
    queues.forward(1)
    assert len(queues.bodies("judge")) == 1


def test_a_received_message_is_postponed_or_comes_back_at_once(queues: Queues) -> None:
    queues.judge.send(judge_requests(1))
    ((_, receipt),) = queues.receive("judge")
    queues.judge.postpone(receipt, seconds=0)
    ((_, receipt),) = queues.receive("judge")
    queues.judge.postpone(receipt, seconds=120)
    queues.forward(119)
    assert queues.bodies("judge") == []
    queues.forward(2)
    assert len(queues.bodies("judge")) == 1


def test_results_are_queued_one_by_one_and_together(queues: Queues) -> None:
    queues.callbacks.send_result(failure(0))
    queues.callbacks.send_results([failure(at) for at in range(1, 13)])
    bodies = queues.bodies("callbacks")
    read = [LLMComparisonResultV1.model_validate_json(body) for body in bodies]
    assert sorted(read, key=lambda r: r.correlation_id) == [failure(at) for at in range(13)]
    assert queues.callbacks.address


@pytest.mark.parametrize(("asked", "delay"), [(-5, 0), (30, 30), (3600, 900)])
def test_a_deadline_comes_at_its_time_or_after_the_longest_delay(
    queues: Queues, asked: int, delay: int
) -> None:
    deadline = WaveDeadlineV1(batch_id="b", wave=1, deadline=NOW)
    queues.callbacks.send_deadline(deadline, delay_seconds=asked)
    if delay:
        queues.forward(delay - 1)
        assert queues.bodies("callbacks") == []
    queues.forward(2)
    (body,) = queues.bodies("callbacks")
    assert WaveDeadlineV1.model_validate_json(body) == deadline
