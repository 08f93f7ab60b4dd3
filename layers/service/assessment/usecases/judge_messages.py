"""The judge queue's messages, single comparisons and providers' batches, side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1, ProviderBatchV1
from assessment.domain.errors import (
    CJError,
    ConflictError,
    ErasedBatchError,
    NotFoundError,
    TransientError,
)
from assessment.domain.judge import BatchingMode
from assessment.ports.groups import JudgePorts
from assessment.usecases.bundles import Delivery
from assessment.usecases.call_judge import call_judges
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
    ports_of: Callable[[str], JudgePorts],
    mode: BatchingMode,
    now: datetime,
) -> Handled:
    """Handle every message; one that fails keeps no other back.

    `ports_of` gives the ports for a batch by its id: those of its organisation.
    """
    handled = Handled([None] * len(received))
    ports_by_place = await asyncio.to_thread(_find_ports, received, ports_of, handled)
    singles: dict[int, list[_Single]] = {}
    submissions: list[_Submission] = []
    for place, ports in ports_by_place.items():
        message, last = received[place].message, received[place].last_receive
        if isinstance(message, JudgeRequestV1):
            singles.setdefault(id(ports), []).append((place, Delivery(message, last)))
        else:
            submissions.append(_Submission(ports, handled, place, message, last_receive=last))
    await asyncio.gather(
        *(
            _ask_singly(group, handled, ports=ports_by_place[group[0][0]], mode=mode, now=now)
            for group in singles.values()
        ),
        *(submission.tend(now) for submission in submissions[:_AT_ONCE]),
        *(submission.put_off(1) for submission in submissions[_AT_ONCE:]),
    )
    await asyncio.to_thread(_drop_erased, received, ports_by_place, handled)
    return handled


def _drop_erased(
    received: Sequence[Delivery[JudgeMessage]],
    ports_by_place: dict[int, JudgePorts],
    handled: Handled,
) -> None:
    """Be done with messages about batches that are erased: there is nothing to ask about."""
    for place, ports in ports_by_place.items():
        if not isinstance(handled.errors[place], NotFoundError):
            continue
        try:
            ports.batches.get_batch(received[place].message.batch_id)
        except ErasedBatchError:
            handled.errors[place] = None
            handled.counts["judge_messages_erased"] += 1
        except CJError:
            continue


type _Single = tuple[int, Delivery[JudgeRequestV1]]
"""A request for one verdict, with its place among the messages."""


async def _ask_singly(
    group: Sequence[_Single],
    handled: Handled,
    *,
    ports: JudgePorts,
    mode: BatchingMode,
    now: datetime,
) -> None:
    """Ask about the comparisons of one organisation."""
    report = await call_judges([delivery for _, delivery in group], ports=ports, mode=mode, now=now)
    for (place, _), error in zip(group, report.errors, strict=True):
        handled.errors[place] = error
    handled.counts += Counter(
        judge_calls=report.n_calls,
        judge_calls_deferred=report.n_deferred,
        judge_calls_repeated=report.n_repeated,
    )


@dataclass(frozen=True)
class _Submission:
    """A message about a provider's batch, with its place among the messages."""

    ports: JudgePorts
    handled: Handled
    place: int
    message: ProviderBatchV1
    last_receive: bool

    async def tend(self, now: datetime) -> None:
        """Take the next step with the provider's batch."""
        try:
            step = await tend_provider_batch(self.message, ports=self.ports, now=now)
        except Exception as error:  # noqa: BLE001 - each message reports its error by itself
            self.handled.errors[self.place] = error
            if self.last_receive and isinstance(error, TransientError | ConflictError):
                # The message is the only one that knows of verdicts that are paid for.
                await self.put_off(_AGAIN_SECONDS)
        else:
            self.handled.counts[f"provider_batches_{step}"] += 1

    async def put_off(self, seconds: int) -> None:
        """Let the message come again later, as a new one."""
        try:
            await asyncio.to_thread(
                self.ports.judge_queue.send_later, self.message, seconds=seconds
            )
        except Exception as error:  # noqa: BLE001 - as above
            self.handled.errors[self.place] = error
        else:
            self.handled.errors[self.place] = None


def _find_ports(
    received: Sequence[Delivery[JudgeMessage]],
    ports_of: Callable[[str], JudgePorts],
    handled: Handled,
) -> dict[int, JudgePorts]:
    """The ports for each message by its place; a message without any reports why."""
    ports_by_place: dict[int, JudgePorts] = {}
    for place, each in enumerate(received):
        try:
            ports_by_place[place] = ports_of(each.message.batch_id)
        except CJError as error:
            handled.errors[place] = error
    return ports_by_place
