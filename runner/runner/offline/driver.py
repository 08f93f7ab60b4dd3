"""The loop of a batch in one process: the machine's states, and the messages of its two queues.

It calls the same use cases as the state machine and the queues of the cloud do. What is stored,
where messages are kept and what time it is are the caller's: SQLite and the clock for `cj`,
dictionaries and a clock that jumps for tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from assessment.contracts.queue_messages import JudgeMessage, read_judge_message
from assessment.domain.backoff import retry_delay
from assessment.domain.decision import Decision, DecisionKind
from assessment.domain.errors import CJError, TransientError
from assessment.domain.wave import Wave
from assessment.usecases.bundles import Delivery
from assessment.usecases.judge_messages import Handled

STATE_TIMEOUT_SECONDS = 7_862_400
"""How long a state waits for its wave, as in the state machine; the wave's deadline is earlier."""
_TRIES = 7
_MOST_RECEIVES = 10
_RECORDED_TOGETHER = 10


class Steps(Protocol):
    """The states of the machine, each a use case with its ports."""

    def prepare(self, batch_id: str) -> object:
        """Freeze the specification."""

    def plan(self, batch_id: str) -> Wave:
        """Plan a wave."""

    def submit(self, batch_id: str, wave_number: int, token: str) -> None:
        """Queue a wave; the token is settled when it is complete."""

    def score(self, batch_id: str, wave_number: int) -> Decision:
        """Fit, and decide what comes next."""

    def finalise(self, batch_id: str) -> object:
        """Publish the result."""

    def fail(
        self, batch_id: str, decision: Decision | None, error: dict[str, str] | None
    ) -> object:
        """End without a result, by a decision or by an error."""


class Message(Protocol):
    """A message with how often it was received, this time included; `receipt` names it."""

    @property
    def receipt(self) -> str:
        """Its name."""

    @property
    def body(self) -> str:
        """Its text."""

    @property
    def receives(self) -> int:
        """How often it was received."""


class Mailbox(Protocol):
    """The messages of a batch on one queue, as its only reader sees them."""

    def receive(self, *, limit: int) -> Sequence[Message]:
        """Visible messages, hidden until they are postponed or deleted."""

    def postpone(self, receipt: str, *, seconds: float) -> None:
        """Let a message be seen again after this time."""

    def delete(self, receipt: str) -> None:
        """Forget a message."""

    def find_next(self) -> datetime | None:
        """When the next one can be seen; None if there is none."""


class Tokens(Protocol):
    """What an execution waits by."""

    def issue(self, batch_id: str, wave_number: int) -> str:
        """A new token."""

    def is_settled(self, token: str) -> bool:
        """Whether the wave is closed, or the execution was ended from outside."""


class Clock(Protocol):
    """The time, and waiting."""

    @property
    def now(self) -> datetime:
        """The present moment."""

    async def rest(self, calls: set[asyncio.Task[None]], *, until: datetime | None) -> bool:
        """Wait for a call to end or for the moment; False if nothing will ever happen."""


@dataclass(frozen=True)
class Conduct:
    """How judges are asked: calls at a time, and when an outage is final."""

    n_calls: int = 10
    last_receive: int = 5


@dataclass
class Driver:
    """Takes one batch from where it stands to its end.

    `ask` handles messages of the judge queue, `record` one message of the callback queue.
    `refused` are callbacks that could not be attributed, `stop` lets `run` return early, after the
    calls that are under way.
    """

    steps: Steps
    judge_mail: Mailbox
    callback_mail: Mailbox
    tokens: Tokens
    clock: Clock
    ask: Callable[[Sequence[Delivery[JudgeMessage]]], Awaitable[Handled]]
    record: Callable[[str], object]
    conduct: Conduct = field(default_factory=Conduct)
    refused: list[str] = field(default_factory=list)
    _calls: set[asyncio.Task[None]] = field(default_factory=set)
    _is_stopping: bool = False

    def stop(self) -> None:
        """Begin nothing new; `run` ends when the calls under way have been answered."""
        self._is_stopping = True

    @property
    def n_calls(self) -> int:
        """The calls that are under way."""
        return len(self._calls)

    async def run(self, batch_id: str) -> bool:
        """The execution from its first state to its last; False if it was stopped before."""
        try:
            # What a process that died had paid for counts before anybody is asked again.
            await self._record_all()
            await self._play(batch_id)
        except CJError as error:
            cause = {"Error": type(error).__name__, "Cause": str(error)}
            await self._repeat(partial(self.steps.fail, batch_id, None, cause))
        finally:
            await self._end_calls()
        return not self._is_stopping

    async def deliver_rest(self) -> None:
        """Handle the messages that are left after the end, until there are none."""
        await self._handle_messages(lambda: False, until=None)
        await self._end_calls()

    async def _play(self, batch_id: str) -> None:
        await self._repeat(partial(self.steps.prepare, batch_id))
        decision: Decision | None = None
        while decision is None or decision.decision is DecisionKind.REQUEST_MORE_COMPARISONS:
            wave = await self._repeat(partial(self.steps.plan, batch_id))
            if wave.n_planned:
                await self._submit_and_wait(batch_id, wave.wave)
            if self._is_stopping:
                return
            decision = await self._repeat(partial(self.steps.score, batch_id, wave.wave))
        if decision.decision is DecisionKind.FINALIZE_SCORING:
            await self._repeat(partial(self.steps.finalise, batch_id))
        elif decision.decision is DecisionKind.FINALIZE_FAILURE:
            await self._repeat(partial(self.steps.fail, batch_id, decision, None))

    async def _submit_and_wait(self, batch_id: str, wave_number: int) -> None:
        token = self.tokens.issue(batch_id, wave_number)
        until = self.clock.now + timedelta(seconds=STATE_TIMEOUT_SECONDS)
        await self._repeat(partial(self.steps.submit, batch_id, wave_number, token))
        await self._handle_messages(lambda: self.tokens.is_settled(token), until=until)

    async def _repeat[T](self, step: Callable[[], T]) -> T:
        """A step with the repeats of the state machine for what may succeed a little later."""
        for n_left in reversed(range(_TRIES)):
            try:
                return await asyncio.to_thread(step)
            except TransientError:
                if not n_left or self._is_stopping:
                    raise
                await asyncio.sleep(2.0 ** (_TRIES - n_left - 1) / 4)
        raise AssertionError

    # --- messages --------------------------------------------------------------------------------

    async def _handle_messages(
        self, is_over: Callable[[], bool], *, until: datetime | None
    ) -> None:
        """Handle what is visible, wait for what will be, and return when it is over.

        Also when it is late, when it is stopped, and when there is nothing left to wait for.
        """
        while not is_over() and not self._is_stopping:
            await self._begin_calls()
            if await self._record_some():
                continue
            moments = [self.judge_mail.find_next(), self.callback_mail.find_next(), until]
            if until is not None and self.clock.now >= until:
                return
            earliest = min((moment for moment in moments if moment is not None), default=None)
            if not await self.clock.rest(self._calls, until=earliest):
                return

    async def _begin_calls(self) -> None:
        self._collect_calls()
        n_free = self.conduct.n_calls - len(self._calls)
        if n_free <= 0:
            return
        for message in await asyncio.to_thread(self.judge_mail.receive, limit=n_free):
            self._calls.add(asyncio.create_task(self._call(message)))

    def _collect_calls(self) -> None:
        """Forget calls that have ended; a defect in one of them is raised here."""
        ended = {call for call in self._calls if call.done()}
        self._calls -= ended
        for error in [call.exception() for call in ended]:
            if error is not None:
                raise error

    async def _end_calls(self) -> None:
        """Await what is paid for, and record it."""
        if self._calls:
            await asyncio.wait(self._calls)
        self._collect_calls()
        await self._record_all()

    async def _record_all(self) -> None:
        while await self._record_some():
            pass

    async def _call(self, message: Message) -> None:
        last_receive = message.receives >= self.conduct.last_receive
        delivery = Delivery(read_judge_message(message.body), last_receive)
        (error,) = (await self.ask([delivery])).errors
        await asyncio.to_thread(self._settle, message, delivery.message.subject, error)

    def _settle(self, message: Message, subject: str, error: Exception | None) -> None:
        """Forget a message that is done with; let one that failed come back."""
        if error is None or message.receives >= _MOST_RECEIVES:
            self.judge_mail.delete(message.receipt)
        elif isinstance(error, CJError):
            delay = retry_delay(error, receives=message.receives, spread_by=subject)
            self.judge_mail.postpone(message.receipt, seconds=delay)
        else:
            self.judge_mail.postpone(message.receipt, seconds=0)
            raise error

    async def _record_some(self) -> bool:
        """Record callbacks that are visible; whether there were any."""
        return await asyncio.to_thread(self._record_visible)

    def _record_visible(self) -> bool:
        messages = self.callback_mail.receive(limit=_RECORDED_TOGETHER)
        for message in messages:
            self._record(message)
        return bool(messages)

    def _record(self, message: Message) -> None:
        try:
            self.record(message.body)
        except TransientError:
            self.callback_mail.postpone(message.receipt, seconds=1)
            return
        except CJError:
            self.refused.append(message.body)
        self.callback_mail.delete(message.receipt)
