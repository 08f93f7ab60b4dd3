"""The judge queue's messages, single comparisons and providers' batches, side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assessment.contracts.llm_protocol import JudgeMessage, JudgeRequestV1, ProviderBatchV1
from assessment.domain.errors import ConflictError, TransientError
from assessment.domain.judge import BatchingMode
from assessment.ports.groups import JudgePorts
from assessment.usecases.call_judge import Delivery, call_judges
from assessment.usecases.tend_provider_batch import tend_provider_batch

_AT_ONCE = 2
"""Submissions that one worker tends: each may read and lease hundreds of comparisons."""

_AGAIN_SECONDS = 60


@dataclass
class Handled:
    """What became of each message, in their order, and what was done, counted by its metric.

    A None is a message that is done with; an error is one that must come back.
    """

    errors: list[Exception | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


async def judge_messages(
    received: Sequence[Delivery[JudgeMessage]],
    *,
    ports: JudgePorts,
    mode: BatchingMode,
    now: datetime,
) -> Handled:
    """Handle every message; one that fails keeps no other back."""
    handled = Handled([None] * len(received))

    async def ask_singly(places: list[int], deliveries: list[Delivery]) -> None:
        report = await call_judges(deliveries, ports=ports, mode=mode, now=now)
        for place, error in zip(places, report.errors, strict=True):
            handled.errors[place] = error
        handled.counts += Counter(
            judge_calls=report.calls,
            judge_calls_deferred=report.deferred,
            judge_calls_repeated=report.repeated,
        )

    async def tend(place: int, message: ProviderBatchV1) -> None:
        try:
            step = await tend_provider_batch(message, ports=ports, now=now)
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            handled.errors[place] = error
            if received[place].last_receive and isinstance(error, TransientError | ConflictError):
                # The message is the only one that knows of verdicts that are paid for.
                await send_later(place, message, _AGAIN_SECONDS)
        else:
            handled.counts[f"provider_batches_{step}"] += 1

    async def send_later(place: int, message: ProviderBatchV1, seconds: int) -> None:
        try:
            await asyncio.to_thread(ports.judge_queue.send_later, message, seconds=seconds)
        except Exception as error:  # noqa: BLE001 - as above
            handled.errors[place] = error
        else:
            handled.errors[place] = None

    singles = [
        (place, Delivery(each.message, each.last_receive))
        for place, each in enumerate(received)
        if isinstance(each.message, JudgeRequestV1)
    ]
    submissions = [
        (place, each.message)
        for place, each in enumerate(received)
        if isinstance(each.message, ProviderBatchV1)
    ]
    await asyncio.gather(
        ask_singly([place for place, _ in singles], [delivery for _, delivery in singles]),
        *(tend(place, message) for place, message in submissions[:_AT_ONCE]),
        *(send_later(place, message, 1) for place, message in submissions[_AT_ONCE:]),
    )
    return handled
