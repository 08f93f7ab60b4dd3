"""The state machine and the queues, played in memory: a whole batch through the real use cases."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from assessment.contracts.llm_protocol import JudgeMessage, ProviderBatchV1, judge_message
from assessment.domain.backoff import retry_delay
from assessment.domain.batch import Batch, ClosedBy
from assessment.domain.decision import Decision, DecisionKind
from assessment.domain.errors import CJError, ComparisonLeasedError
from assessment.domain.judge_errors import JudgeUnavailableError
from assessment.ports.groups import FailPorts
from assessment.usecases.fail_batch import fail_batch, read_failure
from assessment.usecases.tend_provider_batch import tend_provider_batch
from tests.fakes.event_loop import run_async
from tests.fakes.messaging import Message
from tests.fakes.world import World

STATE_TIMEOUT_SECONDS = 97_200
MAX_RECEIVES = 4


@dataclass
class Run:
    """What a run of the loop did."""

    batch: Batch
    decisions: list[Decision] = field(default_factory=list)
    closings: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)


@dataclass
class Loop:
    """Plays one execution; messages are delivered in an order drawn from `shuffle`."""

    world: World
    shuffle: int = 0
    max_steps: int = 400

    def run(self, batch_id: str) -> Run:
        """The execution from PrepareBatch to its end."""
        self._rng = random.Random(self.shuffle)
        self._tokens = count(1)
        self._run = Run(self.world.batches.get_batch(batch_id))
        try:
            self._play(batch_id)
        except CJError as error:
            self._fail(batch_id, None, {"Error": type(error).__name__, "Cause": str(error)})
        self._run.batch = self.world.batches.get_batch(batch_id)
        return self._run

    def _play(self, batch_id: str) -> None:
        world = self.world
        world.prepare(batch_id)
        for _ in range(self.max_steps):
            wave = world.plan(batch_id)
            if wave.n_planned:
                self._submit_and_wait(batch_id, wave.wave)
            decision = world.score(batch_id, wave.wave)
            self._run.decisions.append(decision)
            if decision.decision is DecisionKind.FINALIZE_SCORING:
                world.finalise(batch_id)
                return
            if decision.decision is DecisionKind.FINALIZE_FAILURE:
                self._fail(batch_id, decision, None)
                return
            if decision.decision is DecisionKind.NO_OP:
                return
        message = f"the loop did not end within {self.max_steps} waves"
        raise AssertionError(message)

    def _fail(self, batch_id: str, decision: Decision | None, error: dict[str, str] | None) -> None:
        fail_batch(
            batch_id,
            read_failure(decision, error),
            by_decision=error is None,
            ports=FailPorts(batches=self.world.batches, events=self.world.events),
            now=self.world.now,
        )

    def _submit_and_wait(self, batch_id: str, wave: int) -> None:
        world = self.world
        token = world.workflow.issue(f"{batch_id}/{wave}/{next(self._tokens)}")
        started = world.now
        world.submit(batch_id, wave, token)
        while not world.workflow.tokens[token].settled:
            waited = (world.now - started).total_seconds()
            if waited > STATE_TIMEOUT_SECONDS or not self._deliver_next():
                self._run.closings.append(ClosedBy.TIMEOUT)
                return
        output = world.workflow.tokens[token].output or {}
        self._run.closings.append(str(output["closed_by"]))

    def drain(self) -> None:
        """Deliver what is left after the execution has ended."""
        while self._deliver_next():
            pass

    def _deliver_next(self) -> bool:
        """Deliver what is visible, or move the clock to what will be; False if nothing is left."""
        world = self.world
        judged = self._visible(world.judge_queue.messages)
        if judged:
            run_async(self._judge(judged))
            return True
        called_back = self._visible(world.callback_queue.messages)
        if called_back:
            for message in called_back:
                self._record(message)
            return True
        ahead = [*world.judge_queue.messages, *world.callback_queue.messages]
        if not ahead:
            return False
        world.clock.now = min(message.visible_at for message in ahead)
        return True

    def _visible(self, messages: list[Message]) -> list[Message]:
        """Take a handful of visible messages off the queue, in any order."""
        visible = [message for message in messages if message.visible_at <= self.world.now]
        self._rng.shuffle(visible)
        taken = visible[:10]
        for message in taken:
            messages.remove(message)
        return taken

    async def _judge(self, messages: list[Message]) -> None:
        for message in messages:
            message.receives += 1
            asked = judge_message(message.body)
            try:
                await self._ask(asked, last=message.receives >= MAX_RECEIVES)
            except (JudgeUnavailableError, ComparisonLeasedError) as error:
                delay = retry_delay(error, receives=message.receives, spread_by=asked.subject)
                message.visible_at = self.world.now + timedelta(seconds=delay)
                self.world.judge_queue.messages.append(message)

    async def _ask(self, asked: JudgeMessage, *, last: bool) -> None:
        if isinstance(asked, ProviderBatchV1):
            ports = self.world.judge_ports()
            await tend_provider_batch(asked, ports=ports, now=self.world.now)
        else:
            await self.world.ask_async(asked, last_receive=last)

    def _record(self, message: Message) -> None:
        try:
            self.world.record(message.body)
        except CJError:
            self._run.dead_letters.append(message.body)
