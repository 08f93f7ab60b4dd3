"""What endpoints do not understand: found out by one refusal, remembered, and left out after.

There is no list of models here. Models come and go, endpoints copy each other's formats in part,
and a refusal of what an endpoint does not know is not billed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from assessment.domain.errors import (
    ContentRefusedError,
    JudgeError,
    JudgeRefusedError,
    OversizeError,
    ProviderBatchError,
)
from assessment.domain.judge import JudgeSpec

_UNKNOWN = (
    *("support", "unrecogni", "unknown", "unexpected", "extra ", "not allowed", "not permitted"),
    *("may not", "cannot", "can't", "compatible", "not available", "not enabled", "not valid"),
    *("invalid", "not recogni", "not implemented", "only"),
)
_TOO_MUCH = ("too large", "too long", "at most", "maximum", "exceed", "too many", "too small")
"""A refusal that names a parameter teaches nothing unless it is the parameter itself that is
refused, rather than how much was asked for."""


@dataclass(frozen=True)
class Ability:
    """Something that an endpoint may lack, and how its complaint names it."""

    name: str
    words: tuple[str, ...]


class Abilities(Protocol):
    """What endpoints turned out to lack, remembered for all workers."""

    def lacking(self, judge: JudgeSpec) -> frozenset[str]:
        """What this judge's endpoint does not understand, as far as is known."""

    def learn(self, judge: JudgeSpec, what: str) -> None:
        """Remember one thing more."""


class OwnAbilities:
    """Remembers for this process alone."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}

    def lacking(self, judge: JudgeSpec) -> frozenset[str]:
        """What was learnt of this judge's endpoint."""
        return self._known.get(judge.circuit, frozenset())

    def learn(self, judge: JudgeSpec, what: str) -> None:
        """Remember one thing more."""
        self._known[judge.circuit] = self.lacking(judge) | {what}


def lesson(
    error: JudgeError, known: Sequence[Ability], lacking: frozenset[str] = frozenset()
) -> str | None:
    """What a refusal teaches about the endpoint, if it is not among what it is known to lack."""
    if not isinstance(error, JudgeRefusedError) or isinstance(
        error, OversizeError | ContentRefusedError
    ):
        return None
    told = str(error).lower()
    if any(word in told for word in _TOO_MUCH) or not any(word in told for word in _UNKNOWN):
        return None
    for ability in known:
        if ability.name not in lacking and any(word in told for word in ability.words):
            return ability.name
    return None


async def ask_as_understood[T](
    judge: JudgeSpec,
    abilities: Abilities,
    known: Sequence[Ability],
    ask: Callable[[frozenset[str]], Awaitable[T]],
) -> T:
    """Ask, and again with less each time the endpoint says that it does not know something.

    What it said is believed, and told to all workers, once leaving it out has helped.

    Raises
    ------
    JudgeError
        As `ask` does, once there is nothing left to leave out.
    """
    before = lacking = await asyncio.to_thread(abilities.lacking, judge)
    while True:
        try:
            answer = await ask(lacking)
        except JudgeRefusedError as error:
            learnt = lesson(error, known, lacking)
            if learnt is None:
                raise
            lacking |= {learnt}
        else:
            for learnt in sorted(lacking - before):
                await asyncio.to_thread(abilities.learn, judge, learnt)
            return answer


async def learning[T](
    judge: JudgeSpec, abilities: Abilities, known: Sequence[Ability], answer: T | JudgeError
) -> T | JudgeError:
    """An answer of a batch; a refusal that teaches something is worth another attempt.

    It was not paid for, and the next attempt leaves out what the endpoint does not know.
    """
    learnt = lesson(answer, known) if isinstance(answer, JudgeError) else None
    if learnt is None:
        return answer
    await asyncio.to_thread(abilities.learn, judge, learnt)
    return ProviderBatchError(str(answer))
