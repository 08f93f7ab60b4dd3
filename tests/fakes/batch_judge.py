"""A simulated provider that takes batches: it remembers what it was paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from assessment.contracts.llm_protocol import (
    CompareRequestV1,
    ErrorDetail,
    LLMComparisonResultV1,
)
from assessment.domain.errors import JudgeDeferredError, ProviderBatchError
from assessment.domain.provider_batch import Tried
from tests.fakes.messaging import Clock


class Answering(Protocol):
    def verdict_on(self, request: CompareRequestV1) -> LLMComparisonResultV1: ...


@dataclass
class Submission:
    """A batch as the provider has it."""

    name: str
    requests: list[CompareRequestV1]
    ends_at: datetime
    cancelled: bool = False


@dataclass
class FakeBatchJudge:
    """Answers every submission `takes` after it came; `named` providers find one by its name."""

    judge: Answering
    clock: Clock
    takes: timedelta = timedelta(minutes=30)
    named: bool = True
    unanswered: frozenset[str] = frozenset()
    failing: list[Exception] = field(default_factory=list)
    failing_after: list[Exception] = field(default_factory=list)
    submissions: dict[str, Submission] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    @property
    def paid(self) -> Counter[str]:
        """How often each comparison (with its attempt) was taken."""
        return Counter(
            f"{request.metadata.comparison_id}/{request.metadata.attempt}"
            for submission in self.submissions.values()
            for request in submission.requests
        )

    async def find(self, tried: Tried, *, claimed: Callable[[str], bool]) -> str | None:
        for provider_id, submission in self.submissions.items():
            if self.named and submission.name == tried.name:
                return provider_id
            if self.named or claimed(provider_id) or len(submission.requests) != tried.size:
                continue
            if self.clock.now < submission.ends_at:
                raise JudgeDeferredError("cannot be told yet", retry_after=300)
            if submission.name == tried.name:
                return provider_id
        return None

    async def submit(self, name: str, requests: Sequence[CompareRequestV1]) -> str:
        if self.failing:
            raise self.failing.pop(0)
        provider_id = f"batch-{len(self.submissions) + 1}"
        ends_at = self.clock.now + self.takes
        self.submissions[provider_id] = Submission(name, list(requests), ends_at)
        if self.failing_after:
            raise self.failing_after.pop(0)
        return provider_id

    async def ended(self, provider_batch_id: str) -> bool:
        submission = self.submissions[provider_batch_id]
        return submission.cancelled or self.clock.now >= submission.ends_at

    async def results(
        self, provider_batch_id: str, requests: Sequence[CompareRequestV1]
    ) -> list[LLMComparisonResultV1]:
        taken = {
            request.metadata.comparison_id
            for request in self.submissions[provider_batch_id].requests
        } - self.unanswered
        return [
            self.judge.verdict_on(request)
            if request.metadata.comparison_id in taken
            else _nothing_on(request)
            for request in requests
        ]

    async def cancel(self, provider_batch_id: str) -> None:
        self.submissions[provider_batch_id].cancelled = True

    async def forget(self, provider_batch_id: str) -> None:
        self.forgotten.append(provider_batch_id)


def _nothing_on(request: CompareRequestV1) -> LLMComparisonResultV1:
    return LLMComparisonResultV1(
        correlation_id=request.correlation_id,
        request_metadata=request.metadata,
        error_detail=ErrorDetail(code=ProviderBatchError.code, message="expired", retryable=True),
    )
