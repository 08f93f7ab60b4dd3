"""A provider's batches without HTTP, on a clock that a test moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from assessment.contracts.list_protocol import CompareRequest, ComparisonResult, make_result
from assessment.contracts.llm_protocol import ErrorDetail
from assessment.domain.judge_errors import JudgeDeferredError, ProviderBatchError
from assessment.domain.provider_batch import SubmissionAttempt
from local.providers.provider_batches import Phase, ProviderBatch


class Clock(Protocol):
    """The present time."""

    now: datetime


class Judge(Protocol):
    """Answers one comparison."""

    def give_verdict(self, request: CompareRequest) -> ComparisonResult:
        """The result of a comparison."""
        ...


@dataclass(kw_only=True)
class Submission(ProviderBatch[list[list[CompareRequest]]]):
    """A batch with its name and the time at which it ends."""

    name: str
    ends_at: datetime

    @property
    def requests(self) -> list[CompareRequest]:
        """The comparisons of the batch."""
        return [request for call in self.order for request in call]

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.phase is Phase.CANCELLED

    def advance(self, now: datetime) -> None:
        """Complete the batch if its time has come."""
        if not self.phase.is_end and now >= self.ends_at:
            self.enter(Phase.COMPLETED, self.ends_at)


@dataclass
class ClockedBatches:
    """The batches of a provider (port BatchJudge); it counts the comparisons that it accepts.

    Parameters
    ----------
    duration
        Time from submission to the end of a batch.
    keeps_names
        Whether the provider finds a batch by its name at once; otherwise the name shows only in
        the results.
    unanswered_ids
        Comparisons without a result.
    kept_at_cancel
        Share of the requests that a batch has answered when it is cancelled.
    errors_before, errors_after
        Errors of the next submissions, raised before or after the provider accepts the batch.
    """

    judge: Judge
    clock: Clock
    duration: timedelta = timedelta(minutes=30)
    keeps_names: bool = True
    unanswered_ids: frozenset[str] = frozenset()
    kept_at_cancel: float = 1.0
    errors_before: list[Exception] = field(default_factory=list)
    errors_after: list[Exception] = field(default_factory=list)
    submissions: dict[str, Submission] = field(default_factory=dict)
    deleted_ids: list[str] = field(default_factory=list)

    @property
    def n_accepted(self) -> Counter[str]:
        """The number of times that each comparison was accepted, by `comparison id/attempt`."""
        return Counter(
            f"{request.metadata.comparison_id}/{request.metadata.attempt}"
            for submission in self.submissions.values()
            for request in submission.requests
        )

    async def find(
        self, attempt: SubmissionAttempt, *, is_claimed: Callable[[str], bool]
    ) -> str | None:
        """The id of the batch of a submission whose answer was lost, or None.

        Raises
        ------
        JudgeDeferredError
            If a batch that runs may be the one.
        """
        for provider_id, submission in self.submissions.items():
            if self.keeps_names and submission.name == attempt.name:
                return provider_id
            if (
                self.keeps_names
                or is_claimed(provider_id)
                or len(submission.order) != attempt.n_requests
            ):
                continue
            if self.clock.now < submission.ends_at:
                raise JudgeDeferredError("a batch that runs may be this one", retry_after=300)
            if submission.name == attempt.name:
                return provider_id
        return None

    async def submit(self, name: str, calls: Sequence[Sequence[CompareRequest]]) -> str:
        """Accept a batch."""
        if self.errors_before:
            raise self.errors_before.pop(0)
        provider_id = f"batch-{len(self.submissions) + 1}"
        ends_at = self.clock.now + self.duration
        order = [list(call) for call in calls]
        submission = Submission(id=provider_id, order=order, name=name, ends_at=ends_at)
        submission.enter(Phase.SUBMITTED, self.clock.now)
        self.submissions[provider_id] = submission
        if self.errors_after:
            raise self.errors_after.pop(0)
        return provider_id

    async def has_ended(self, provider_batch_id: str) -> bool:
        """Whether a batch has ended."""
        submission = self.submissions[provider_batch_id]
        submission.advance(self.clock.now)
        return submission.phase.is_end

    async def read_results(
        self, provider_batch_id: str, calls: Sequence[Sequence[CompareRequest]]
    ) -> list[ComparisonResult]:
        """A result or an error for every request, in their order."""
        submission = self.submissions[provider_batch_id]
        share = self.kept_at_cancel if submission.is_cancelled else 1.0
        n_kept = int(share * len(submission.requests))
        answered_ids = {
            request.metadata.comparison_id for request in submission.requests[:n_kept]
        } - self.unanswered_ids
        return [
            self.judge.give_verdict(request)
            if request.metadata.comparison_id in answered_ids
            else _make_error(request)
            for call in calls
            for request in call
        ]

    async def cancel(self, provider_batch_id: str) -> None:
        """Cancel a batch."""
        self.submissions[provider_batch_id].enter(Phase.CANCELLED, self.clock.now)

    async def delete(self, provider_batch_id: str) -> None:
        """Delete the files of a batch."""
        self.deleted_ids.append(provider_batch_id)


def _make_error(request: CompareRequest) -> ComparisonResult:
    return make_result(
        request,
        error_detail=ErrorDetail(code=ProviderBatchError.code, message="expired", retryable=True),
    )
