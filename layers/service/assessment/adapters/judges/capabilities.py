"""What endpoints do not understand: found out by one refusal, remembered, and left out after.

There is no list of models here. Models come and go, endpoints copy each other's formats in part,
and a refusal of what an endpoint does not know is not billed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from assessment.adapters.judges.completion import RAISED_LIMIT, OutputLimit
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import (
    ContentRefusedError,
    JudgeError,
    JudgeRefusedError,
    OversizeError,
    ProviderBatchError,
)

_UNKNOWN = (
    *("support", "unrecogni", "unknown", "unexpected", "extra ", "not allowed", "not permitted"),
    *("may not", "cannot", "can't", "compatible", "not available", "not enabled", "not valid"),
    *("invalid", "not recogni", "not implemented", "only", "valid string"),
)
_TOO_MUCH = ("too large", "too long", "at most", "maximum", "exceed", "too many", "too small")
"""A refusal that names a parameter teaches nothing unless it is the parameter itself that is
refused, rather than how much was asked for."""


@dataclass(frozen=True)
class Capability:
    """Something that an endpoint may lack, and how its complaint names it.

    `amount` is one that is refused because of how much is asked for.
    """

    name: str
    words: tuple[str, ...]
    amount: bool = False

    def is_refused(self, message: str) -> bool:
        """Whether a complaint, in lower case, names it and is of its kind."""
        is_amount = _contains_any(message, _TOO_MUCH)
        return self.amount is is_amount and _contains_any(message, self.words)


LIMIT_CAPABILITY = Capability(
    RAISED_LIMIT,
    ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxtokens"),
    amount=True,
)
"""Whether an endpoint takes more room for an answer than the first try gives it."""


def add_limit_capability(
    candidates: Sequence[Capability], limit: OutputLimit
) -> Sequence[Capability]:
    """The capabilities that a request may turn out to lack, its raised limit included."""
    return (*candidates, LIMIT_CAPABILITY) if limit.raised > limit.plain else candidates


class Capabilities(Protocol):
    """What endpoints turned out to lack, remembered for all workers."""

    def get_missing(self, judge: JudgeSpec) -> frozenset[str]:
        """What this judge's endpoint does not understand, as far as is known."""

    def record_missing(self, judge: JudgeSpec, capability: str) -> None:
        """Remember one thing more."""


class LocalCapabilities:
    """Remembers for this process alone."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}

    def get_missing(self, judge: JudgeSpec) -> frozenset[str]:
        """What was learnt of this judge's endpoint."""
        return self._known.get(judge.circuit, frozenset())

    def record_missing(self, judge: JudgeSpec, capability: str) -> None:
        """Remember one thing more."""
        self._known[judge.circuit] = self.get_missing(judge) | {capability}


def find_missing_capability(
    error: JudgeError, candidates: Sequence[Capability], missing: frozenset[str] = frozenset()
) -> str | None:
    """What a refusal teaches about the endpoint, if it is not among what it is known to lack."""
    if not isinstance(error, JudgeRefusedError) or isinstance(
        error, OversizeError | ContentRefusedError
    ):
        return None
    message = str(error).lower()
    if not _contains_any(message, (*_TOO_MUCH, *_UNKNOWN)):
        return None
    names = (candidate.name for candidate in candidates if candidate.is_refused(message))
    return next((name for name in names if name not in missing), None)


def _contains_any(message: str, words: Iterable[str]) -> bool:
    return any(word in message for word in words)


async def ask_within_capabilities[T](
    judge: JudgeSpec,
    capabilities: Capabilities,
    candidates: Sequence[Capability],
    ask: Callable[[frozenset[str]], Awaitable[T]],
) -> T:
    """Ask, and again with less each time the endpoint says that it does not know something.

    What it said is believed, and told to all workers, once leaving it out has helped.

    Raises
    ------
    JudgeError
        As `ask` does, once there is nothing left to leave out.
    """
    recorded = missing = await asyncio.to_thread(capabilities.get_missing, judge)
    while True:
        try:
            answer = await ask(missing)
        except JudgeRefusedError as error:
            capability = find_missing_capability(error, candidates, missing)
            if capability is None:
                raise
            missing |= {capability}
        else:
            for capability in sorted(missing - recorded):
                await asyncio.to_thread(capabilities.record_missing, judge, capability)
            return answer


async def record_lessons[T](
    judge: JudgeSpec,
    capabilities: Capabilities,
    candidates: Sequence[Capability],
    answers: Iterable[tuple[str, T | JudgeError]],
) -> list[tuple[str, T | JudgeError]]:
    """The answers of a batch, by comparison id; a refusal that teaches something may be retried.

    It was not paid for, and the next attempt leaves out what the endpoint does not know.
    """
    return [
        (name, await _record_lesson(judge, capabilities, candidates, answer))
        for name, answer in answers
    ]


async def _record_lesson[T](
    judge: JudgeSpec,
    capabilities: Capabilities,
    candidates: Sequence[Capability],
    answer: T | JudgeError,
) -> T | JudgeError:
    if not isinstance(answer, JudgeError):
        return answer
    capability = find_missing_capability(answer, (*candidates, LIMIT_CAPABILITY))
    if capability is None:
        return answer
    await asyncio.to_thread(capabilities.record_missing, judge, capability)
    return ProviderBatchError("the provider's batch", words=answer.words)
