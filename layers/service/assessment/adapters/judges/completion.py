"""A model's answer in one form, whatever the provider's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assessment.adapters.judges.classification import Situation, find_situation
from assessment.contracts.json_text import read_object
from assessment.contracts.llm_protocol import TokenUsage
from assessment.contracts.model_answer import PAIR_ANSWER, AnswerForm
from assessment.contracts.valid_values import read_name, read_token_count
from assessment.domain.judge_errors import (
    BrokenGenerationError,
    ContentRefusedError,
    JudgeUnavailableError,
    OversizeError,
)
from assessment.domain.verdict import Provenance


@dataclass(frozen=True)
class Completion:
    """A model's answer, or what is wrong with it in words; both were paid for.

    Attributes
    ----------
    document
        What a tool was called with, or a content that is a document already.
    text
        What the model said, with a document somewhere in it.
    """

    document: object = None
    problem: str | None = None
    usage: TokenUsage | None = None
    text: str | None = None
    is_cut_off: bool = False
    n_reasoning_tokens: int = 0
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def candidates(self) -> tuple[object, ...]:
        """Where the verdicts may stand, best first."""
        return tuple(place for place in (self.document, self.text) if place is not None)


@dataclass(frozen=True)
class OutputLimit:
    """What an answer may be: the most tokens that it may have, and the form of its document.

    `raised` is for another try after a first one.
    """

    plain: int
    raised: int
    form: AnswerForm = PAIR_ANSWER

    def choose(self, missing: frozenset[str]) -> int:
        """The limit to send: the raised one unless the endpoint refused it before."""
        return self.plain if RAISED_LIMIT in missing else self.raised


RAISED_LIMIT = "raised_limit"
"""The capability of an endpoint to take a limit above the plain one."""

_CUT_OFF = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})


def is_cut_off(reason: object) -> bool:
    """Whether the reason for which a model stopped is its limit."""
    return isinstance(reason, str) and reason.lower() in _CUT_OFF


def check_stop_reason(reason: object, *, provider: str) -> None:
    """Raise where the reason for which a model stopped means that there is no answer.

    Raises
    ------
    ContentRefusedError, BrokenGenerationError, OversizeError, JudgeUnavailableError
    """
    if not isinstance(reason, str):
        return
    message = f"{provider} stopped: {read_name(reason) or 'no reason'}"
    situation = find_situation(reason)
    if situation is Situation.CONTENT_DECLINED:
        raise ContentRefusedError(message)
    if situation is Situation.BROKEN_GENERATION:
        raise BrokenGenerationError(message)
    if situation is Situation.CONTEXT_EXCEEDED:
        raise OversizeError(message)
    if situation is Situation.OUTAGE or reason.lower() == "error":
        raise JudgeUnavailableError(message)


def join_text_parts(parts: Sequence[object]) -> str | None:
    """The text of a content in parts, without parts that hold thoughts; None if it is blank."""
    text = "".join(_read_text_part(part) for part in parts)
    return text if text.strip() else None


def _read_text_part(part: object) -> str:
    if isinstance(part, str):
        return part
    document = read_object(part)
    text = document.get("text")
    is_answer = document.get("type") in (None, "text", "output_text")
    return text if is_answer and isinstance(text, str) else ""


def find_refusal(parts: Sequence[object]) -> str | None:
    """What the model says in the part of a content in which it declines to answer."""
    refusals = (part.get("refusal") for part in map(read_object, parts))
    return next((text for text in refusals if isinstance(text, str) and text), None)


@dataclass(frozen=True)
class UsageNames:
    """Under which names a provider counts tokens.

    Attributes
    ----------
    inputs
        Counts that add up to the prompt, such as its cached parts where they are counted apart.
    outputs, cache_reads, cache_writes
        Names under which the answer's count may stand, and those of the prompt's tokens that were
        read from the provider's cache and written into it.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cache_reads: tuple[str, ...]
    cache_writes: tuple[str, ...]


def count_tokens(counts: object, names: UsageNames) -> TokenUsage:
    """Token counts as a provider gave them; what is no count is 0."""
    numbers = read_object(counts)

    def find(candidates: tuple[str, ...]) -> int:
        return max(read_token_count(numbers.get(name)) for name in candidates)

    n_inputs = sum(read_token_count(numbers.get(name)) for name in names.inputs)
    # Parts of the prompt, whatever an endpoint says.
    n_read = min(find(names.cache_reads), n_inputs)
    return TokenUsage(
        input_tokens=n_inputs,
        output_tokens=find(names.outputs),
        cache_read_tokens=n_read,
        cache_write_tokens=min(find(names.cache_writes), n_inputs - n_read),
    )
