"""A batch through the real use cases in memory: the driver of `cj`, and a clock that jumps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from assessment.contracts.queue_messages import JudgeMessage
from assessment.domain.batch import Batch, ClosedBy
from assessment.domain.decision import Decision
from assessment.domain.judge import BatchingMode
from assessment.domain.wave import Wave
from assessment.ports.groups import FailPorts
from assessment.usecases.bundles import Delivery
from assessment.usecases.fail_batch import fail_batch, read_failure
from assessment.usecases.judge_messages import Handled, judge_messages
from runner.offline.driver import Conduct, Driver
from tests.fakes.event_loop import run_async

if TYPE_CHECKING:
    from tests.fakes.messaging import InMemoryCallbackQueue, InMemoryJudgeQueue, Message
    from tests.fakes.world import World

MAX_RECEIVES = 4


@dataclass
class Run:
    """What a run of the loop did."""

    batch: Batch
    decisions: list[Decision] = field(default_factory=list)
    closings: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Delivered:
    """A message in the hands of its reader."""

    receipt: str
    message: Message

    @property
    def body(self) -> str:
        return self.message.body

    @property
    def receives(self) -> int:
        return self.message.receives


@dataclass
class ShuffledMailbox:
    """A queue whose messages are received in an order drawn at random."""

    queue: InMemoryJudgeQueue | InMemoryCallbackQueue
    world: World
    rng: random.Random
    _passing: dict[str, Message] = field(default_factory=dict)
    _receipts: count[int] = field(default_factory=count)

    def receive(self, *, limit: int) -> list[Delivered]:
        messages = self.queue.messages
        visible = [message for message in messages if message.visible_at <= self.world.now]
        self.rng.shuffle(visible)
        received = []
        for message in visible[:limit]:
            messages.remove(message)
            message.receives += 1
            receipt = str(next(self._receipts))
            self._passing[receipt] = message
            received.append(Delivered(receipt, message))
        return received

    def postpone(self, receipt: str, *, seconds: float) -> None:
        message = self._passing.pop(receipt)
        message.visible_at = self.world.now + timedelta(seconds=seconds)
        self.queue.messages.append(message)

    def delete(self, receipt: str) -> None:
        del self._passing[receipt]

    def find_next(self) -> datetime | None:
        return min((message.visible_at for message in self.queue.messages), default=None)


@dataclass
class JumpingClock:
    """Waits for calls, and otherwise moves the world's clock to the next message."""

    world: World

    @property
    def now(self) -> datetime:
        return self.world.now

    async def rest(self, calls: set[asyncio.Task[None]], *, until: datetime | None) -> bool:
        if calls:
            await asyncio.wait(calls)
            return True
        if not (self.world.judge_queue.messages or self.world.callback_queue.messages):
            return False
        if until is not None:
            self.world.clock.now = max(self.world.now, until)
        return True


@dataclass
class WorldSteps:
    """The states of the machine in a world, and what they came to."""

    world: World
    run: Run
    max_steps: int
    _token: str | None = None
    _tokens: count[int] = field(default_factory=lambda: count(1))

    def prepare(self, batch_id: str) -> Batch:
        return self.world.prepare(batch_id)

    def plan(self, batch_id: str) -> Wave:
        assert len(self.run.decisions) < self.max_steps, f"no end within {self.max_steps} waves"
        return self.world.plan(batch_id)

    def submit(self, batch_id: str, wave_number: int, token: str) -> None:
        self.world.submit(batch_id, wave_number, token)

    def score(self, batch_id: str, wave_number: int) -> Decision:
        if self._token is not None:
            output = self.world.workflow.tokens[self._token].output or {}
            self.run.closings.append(str(output.get("closed_by", ClosedBy.TIMEOUT)))
            self._token = None
        decision = self.world.score(batch_id, wave_number)
        self.run.decisions.append(decision)
        return decision

    def finalise(self, batch_id: str) -> Batch:
        return self.world.finalise(batch_id)

    def fail(self, batch_id: str, decision: Decision | None, error: dict[str, str] | None) -> Batch:
        return fail_batch(
            batch_id,
            read_failure(decision, error),
            by_decision=error is None,
            ports=FailPorts(batches=self.world.batches, events=self.world.events),
            now=self.world.now,
        )

    # --- what an execution waits by --------------------------------------------------------------

    def issue(self, batch_id: str, wave_number: int) -> str:
        self._token = self.world.workflow.issue(f"{batch_id}/{wave_number}/{next(self._tokens)}")
        return self._token

    def is_settled(self, token: str) -> bool:
        return self.world.workflow.tokens[token].settled


@dataclass
class Loop:
    """Plays one execution; messages are delivered in an order drawn from `shuffle`."""

    world: World
    shuffle: int = 0
    max_steps: int = 400

    def run(self, batch_id: str) -> Run:
        """The execution from PrepareBatch to its end."""
        self._run = Run(self.world.batches.get_batch(batch_id))
        rng = random.Random(self.shuffle)
        steps = WorldSteps(self.world, self._run, self.max_steps)
        self._driver = Driver(
            steps=steps,
            judge_mail=ShuffledMailbox(self.world.judge_queue, self.world, rng),
            callback_mail=ShuffledMailbox(self.world.callback_queue, self.world, rng),
            tokens=steps,
            clock=JumpingClock(self.world),
            ask=self._ask,
            record=self.world.record,
            conduct=Conduct(last_receive=MAX_RECEIVES),
            refused=self._run.dead_letters,
        )
        run_async(self._driver.run(batch_id))
        self._run.batch = self.world.batches.get_batch(batch_id)
        return self._run

    async def _ask(self, deliveries: Sequence[Delivery[JudgeMessage]]) -> Handled:
        ports = self.world.judge_ports()
        return await judge_messages(
            deliveries,
            ports_of=lambda _: ports,
            mode=BatchingMode.SERIAL_BUNDLE,
            now=self.world.now,
        )

    def drain(self) -> None:
        """Deliver what is left after the execution has ended."""
        run_async(self._driver.deliver_rest())
