"""Judges: the endpoint of a judge, its prompts, and when it may be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from assessment.contracts.list_protocol import CompareRequest, ComparisonResult
from assessment.domain.circuit import Circuit
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import EssayList, EssayPair, JudgeInstructions, PromptBlock
from assessment.domain.provider_batch import SubmissionAttempt


class Judge(Protocol):
    """A model, an endpoint or a person that decides which essay is better, or ranks several."""

    async def compare(
        self, requests: Sequence[CompareRequest]
    ) -> Sequence[ComparisonResult | None]:
        """What one call says of these comparisons, in their order.

        They share one prompt. A result may be an error; None is a verdict that comes later by
        callback. Raises JudgeUnavailableError or JudgeRefusedError if the whole call failed.
        """


class BatchJudge(Protocol):
    """A provider that takes many comparisons together and answers within a day."""

    async def find(
        self, attempt: SubmissionAttempt, *, is_claimed: Callable[[str], bool]
    ) -> str | None:
        """The provider's id of a submission that may have arrived.

        `is_claimed` tells which ids are known to be of other submissions. Raises
        JudgeDeferredError if it cannot be told yet.
        """

    async def submit(self, name: str, calls: Sequence[Sequence[CompareRequest]]) -> str:
        """Hand the comparisons over, those of a call in one prompt; the provider's id of the batch.

        A call is one request of the batch.
        """

    async def has_ended(self, provider_batch_id: str) -> bool:
        """Whether the provider will add nothing more to the batch."""

    async def read_results(
        self, provider_batch_id: str, calls: Sequence[Sequence[CompareRequest]]
    ) -> Sequence[ComparisonResult]:
        """A result for every comparison, an error where the batch has no verdict.

        `calls` are those that were submitted.
        """

    async def cancel(self, provider_batch_id: str) -> None:
        """Ask the provider to begin no more of it; what was answered stays."""

    async def delete(self, provider_batch_id: str) -> None:
        """Delete what the provider keeps of the batch, essays and answers, where it can be."""


class ProviderKeys(Protocol):
    """The keys of providers by the names that requests give."""

    def exists(self, name: str) -> bool:
        """Whether there is such a key; it is not read."""

    def get_key(self, name: str) -> str:
        """The key; raises JudgeRefusedError if there is none."""


class Judges(Protocol):
    """All providers."""

    def get_batch_judge(self, judge: JudgeSpec) -> BatchJudge:
        """The judge's interface for batches; raises JudgeRefusedError if its key is missing."""

    def get_judge(self, judge: JudgeSpec) -> Judge:
        """The interface for this judge's calls; raises JudgeRefusedError if its key is missing."""


class JudgeCheck(Protocol):
    """What can be known of a judge before it is asked."""

    def check(self, judge: JudgeSpec) -> None:
        """Raise InvalidRequestError if its template or its secret would fail later."""


class Prompts(Protocol):
    """The templates of prompts."""

    def render(
        self,
        judge: JudgeSpec,
        instructions: JudgeInstructions,
        pairs: Sequence[EssayPair],
        *,
        bundle: bool,
    ) -> list[PromptBlock]:
        """The prompt about these pairs; raises InvalidRequestError if it does not render."""

    def render_lists(
        self,
        judge: JudgeSpec,
        instructions: JudgeInstructions,
        lists: Sequence[EssayList],
        *,
        bundle: bool,
    ) -> list[PromptBlock]:
        """The prompt that asks to rank these lists; raises InvalidRequestError."""

    def prints_texts_once(self, judge: JudgeSpec) -> bool:
        """Whether the judge's template prints an essay of several comparisons once."""


class JudgeGate(Protocol):
    """Who may be asked now: circuit breakers and rate limits, shared by all workers."""

    def admit(self, judge: JudgeSpec, *, tokens: int, now: datetime) -> None:
        """Count a call about to be made; raises JudgeDeferredError if it must wait."""

    def record_success(self, judge: JudgeSpec) -> None:
        """The provider answered."""

    def list_circuits(self, judges: Sequence[JudgeSpec]) -> list[Circuit]:
        """What is known of the health of several, in their order, in one read."""

    def record_failure(
        self,
        judge: JudgeSpec,
        *,
        retry_after: float | None,
        now: datetime,
        reason: str | None = None,
        code: str | None = None,
    ) -> None:
        """The provider did not answer; `reason` says why, in words that may be shown, and `code` is
        the error's.
        """

    def get_circuit(self, judge: JudgeSpec) -> Circuit:
        """What is known of the provider's health."""
