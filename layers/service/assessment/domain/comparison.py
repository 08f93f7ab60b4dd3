"""Comparisons: two or more essays in a shown order, waiting for or carrying one verdict.

A pair is the comparison of two essays, a list one of more; of both there is one record, which is
leased, asked about and settled as a whole.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.spending import Spending, add_spending
from assessment.domain.verdict import ListVerdict, Verdict

SMALLEST_LIST, LARGEST_LIST = 3, 10
"""Essays of a list; two are a pair."""

_UNLESS_EMPTY = Field(exclude_if=lambda value: not value)


class ComparisonStatus(StrEnum):
    """Where a comparison stands; a recorded verdict is never replaced."""

    PENDING = "PENDING"
    RECORDED = "RECORDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


class PlannedPair(BaseModel):
    """A pair that a wave asks a judge about, first shown first.

    `predicted` is the probability that the first is preferred (if there is no tie) under the fit
    that stood when the pair was planned; a first wave has none. `audit` marks the random pairs.
    `failed_list_id` is the list that brought no verdict and whose essays this pair compares.
    """

    model_config = ConfigDict(frozen=True)

    first: str
    second: str
    audit: bool = False
    predicted: float | None = None
    resampled: bool = False
    failed_list_id: Annotated[str | None, _UNLESS_EMPTY] = None

    @property
    def essay_ids(self) -> tuple[str, ...]:
        """The essays in the order shown."""
        return self.first, self.second


class PlannedList(BaseModel):
    """A list of essays that a wave asks a judge to rank, in the order shown.

    `audit` marks the random lists. `predicted_pairs` are the probabilities, under the fit that
    stood when it was planned, that of each two essays the one shown earlier is preferred: the
    first with the second, with the third, and so on; a first wave has none.
    """

    model_config = ConfigDict(frozen=True)

    essay_ids: Annotated[tuple[str, ...], Field(min_length=SMALLEST_LIST, max_length=LARGEST_LIST)]
    audit: bool = False
    predicted_pairs: Annotated[tuple[float, ...], _UNLESS_EMPTY] = ()
    resampled: Annotated[bool, _UNLESS_EMPTY] = False


class JudgeFailure(BaseModel):
    """Why a comparison has no verdict, and what the answer that was none cost.

    `may_be_paid` says that no answer came at all, though the judge may have billed the call.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    retryable: bool = True
    may_be_paid: bool = False
    spent: Spending | None = None


class Comparison(BaseModel):
    """One comparison of a batch.

    `wave` is where it was planned and never changes; `submitted_wave` and `attempt` move when a
    failed comparison is submitted again with a later wave. `calls` counts how often the judge may
    have been paid in this attempt: a worker that dies between its call and the record of it leaves
    one whose answer nobody has. `repeated_calls` are those of earlier attempts, and `spent_before`
    is what answers that were no verdicts cost.

    `further_ids` are the essays of a list that are shown after the second; a pair has none. Its
    verdict is a `ListVerdict` exactly if it is a list.
    """

    model_config = ConfigDict(frozen=True)

    comparison_id: str
    wave: int
    first: str
    second: str
    further_ids: Annotated[tuple[str, ...], _UNLESS_EMPTY] = ()
    audit: bool = False
    predicted: float | None = None
    predicted_pairs: Annotated[tuple[float, ...], _UNLESS_EMPTY] = ()
    resampled: bool = False
    failed_list_id: Annotated[str | None, _UNLESS_EMPTY] = None
    status: ComparisonStatus = ComparisonStatus.PENDING
    submitted_wave: int
    attempt: int = 1
    sent: bool = False
    calls: int = 0
    repeated_calls: int = 0
    spent_before: Spending | None = None
    verdict: Verdict | ListVerdict | None = None
    failure: JudgeFailure | None = None

    @classmethod
    def from_plan(
        cls, planned: PlannedPair | PlannedList, *, comparison_id: str, wave_number: int
    ) -> Self:
        """The comparison of a planned pair or list, as its wave begins."""
        fields: dict[str, Any] = dict(planned)
        if isinstance(planned, PlannedList):
            first, second, *further = fields.pop("essay_ids")
            fields |= {"first": first, "second": second, "further_ids": tuple(further)}
        return cls(
            comparison_id=comparison_id, wave=wave_number, submitted_wave=wave_number, **fields
        )

    @property
    def essay_ids(self) -> tuple[str, ...]:
        """The essays in the order shown."""
        return self.first, self.second, *self.further_ids

    @property
    def is_list(self) -> bool:
        """Whether it has more than two essays."""
        return bool(self.further_ids)

    @property
    def pair_verdict(self) -> Verdict | None:
        """The verdict of a pair; None of a list."""
        return self.verdict if isinstance(self.verdict, Verdict) else None

    @property
    def list_verdict(self) -> ListVerdict | None:
        """The verdict of a list; None of a pair."""
        return self.verdict if isinstance(self.verdict, ListVerdict) else None

    @property
    def paid_again(self) -> int:
        """Calls that may have been paid for nothing: by workers that died in a call."""
        accounted_for = 1 if self._has_answer else 0
        return self.repeated_calls + max(0, self.calls - accounted_for)

    @property
    def _has_answer(self) -> bool:
        """Whether one call of this attempt was answered, or is to be answered by a callback.

        A failure that was reported is an answer, also where nobody lived to note that it was sent;
        unless it says that none came.
        """
        if self.verdict is not None:
            return True
        if self.failure is not None and self.status is ComparisonStatus.FAILED:
            return not self.failure.may_be_paid
        return self.sent

    @property
    def spent(self) -> Spending:
        """What all its answers cost, those that were no verdicts too."""
        return add_spending(
            [
                self.spent_before,
                self.failure.spent if self.failure else None,
                self.verdict.spent if self.verdict else None,
            ]
        )

    @property
    def may_be_retried(self) -> bool:
        """Whether a failed comparison is worth submitting again."""
        if self.status is ComparisonStatus.TIMED_OUT:
            return True
        return self.status is ComparisonStatus.FAILED and (
            self.failure is None or self.failure.retryable
        )

    @property
    def is_failed(self) -> bool:
        """Whether its latest attempt brought no verdict and is awaited no more."""
        return self.status in (ComparisonStatus.FAILED, ComparisonStatus.TIMED_OUT)

    def has_failed_for_good(self, *, max_attempts: int) -> bool:
        """Whether no further attempt will be made; a list is then asked about as pairs."""
        return self.is_failed and (not self.may_be_retried or self.attempt >= max_attempts)


class ComparisonLease(BaseModel):
    """Which comparison waits for a person, and who holds it until when.

    `wave` is the wave that waits for it. `is_judged` says that its holder gave a verdict, which is
    on its way.
    """

    model_config = ConfigDict(frozen=True)

    comparison_id: str
    wave: int
    person: str | None = None
    lease_until: datetime | None = None
    is_judged: bool = False

    def find_holder(self, *, now: datetime) -> str | None:
        """Who holds it now."""
        is_held = self.lease_until is not None and self.lease_until >= now
        return self.person if is_held else None


class WaitingComparison(ComparisonLease):
    """A pair that waits for a person, with its lease."""

    home_wave: int
    attempt: int = 1
    first: str
    second: str

    @classmethod
    def from_comparison(cls, comparison: Comparison, *, wave_number: int) -> Self:
        """The comparison as it waits in a wave."""
        return cls(
            comparison_id=comparison.comparison_id,
            wave=wave_number,
            home_wave=comparison.wave,
            attempt=comparison.attempt,
            first=comparison.first,
            second=comparison.second,
        )


class Settlement(NamedTuple):
    """Whether a callback settled its comparison, and the wave that waits or waited for it.

    `had_failed` says that it stood there as failed before.
    """

    settled: bool
    wave_number: int
    had_failed: bool = False


class ComparisonTally(BaseModel):
    """How many comparisons were planned and what became of them."""

    model_config = ConfigDict(frozen=True)

    planned: int = 0
    recorded: int = 0
    failed: int = 0
    pending: int = 0


def count_comparisons(comparisons: list[Comparison]) -> ComparisonTally:
    """Counts by status; timed-out comparisons count as failed."""
    statuses = [comparison.status for comparison in comparisons]
    recorded = statuses.count(ComparisonStatus.RECORDED)
    pending = statuses.count(ComparisonStatus.PENDING)
    return ComparisonTally(
        planned=len(statuses),
        recorded=recorded,
        failed=len(statuses) - recorded - pending,
        pending=pending,
    )


def add_tallies(tallies: Iterable[ComparisonTally]) -> ComparisonTally:
    """The counts of several waves together."""
    listed = [tally.model_dump() for tally in tallies]
    return ComparisonTally(
        **{name: sum(tally[name] for tally in listed) for name in ComparisonTally.model_fields}
    )


def retry_pool(
    comparisons: list[Comparison], *, max_attempts: int, abandoned: Container[str] = frozenset()
) -> list[Comparison]:
    """Failed comparisons that may be submitted again, oldest first, pairing and order kept.

    The ids in `abandoned` are those of lists that are not, whatever attempts they have left.
    """
    pool = [
        c
        for c in comparisons
        if c.may_be_retried and c.attempt < max_attempts and c.comparison_id not in abandoned
    ]
    return sorted(pool, key=lambda comparison: comparison.comparison_id)


def has_preference(comparisons: Iterable[Comparison]) -> bool:
    """Whether any verdict prefers an essay; ties alone order nothing."""
    return any(c.verdict and c.verdict.has_preference for c in comparisons)
