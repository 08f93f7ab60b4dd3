"""Failures that may be an essay's own, and the chance of so many if the judge fails at random."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import exp, lgamma

from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.judge_errors import (
    AccountSpentError,
    CredentialsRefusedError,
    EndpointRefusedError,
    JudgeDeferredError,
    ModelChangedError,
    ProviderBatchError,
    QueueFullError,
    UnknownModelError,
    UnsupportedFeatureError,
)

_NEVER_AN_ESSAYS = frozenset(
    error.code
    for error in (
        AccountSpentError,
        CredentialsRefusedError,
        JudgeDeferredError,
        ModelChangedError,
        ProviderBatchError,
        QueueFullError,
        UnknownModelError,
        EndpointRefusedError,
        UnsupportedFeatureError,
    )
)
"""Failures that say something about the judge only: its key, its model, its room."""


def is_essay_failure(comparison: Comparison) -> bool:
    """Whether it may have failed because of one of its essays, and not by a passing trouble.

    It failed permanently, or it was submitted again in a later wave and failed again. A list that
    fails so is asked about as pairs, which tell whose failure it is.
    """
    failure = comparison.failure
    if failure is None or failure.code in _NEVER_AN_ESSAYS or comparison.is_list:
        return False
    if comparison.status is ComparisonStatus.FAILED and not failure.retryable:
        return True
    failed = comparison.status in (ComparisonStatus.FAILED, ComparisonStatus.TIMED_OUT)
    return failed and comparison.attempt > 1


@dataclass
class _Settled:
    """How many comparisons were settled, and how many of these failed."""

    n_settled: int = 0
    n_failed: int = 0

    def add(self, comparison: Comparison) -> None:
        """Count a settled comparison."""
        self.n_settled += 1
        self.n_failed += comparison.verdict is None


def compute_failure_chances(
    comparisons: Iterable[Comparison], suspects: Collection[str]
) -> dict[str, float]:
    """How likely each suspect has at least so many of the failures where the judge fails at random.

    Each beside the comparisons without any suspect.
    """
    others = _Settled()
    own = {essay: _Settled() for essay in suspects}
    for comparison in comparisons:
        if comparison.verdict is None and not is_essay_failure(comparison):
            continue
        involved = [e for e in comparison.essay_ids if e in own]
        if not involved:
            others.add(comparison)
        elif len(involved) == 1:
            own[involved[0]].add(comparison)
    return {essay: _compute_tail(counts, others) for essay, counts in own.items()}


def _compute_tail(own: _Settled, others: _Settled) -> float:
    """The upper tail of the hypergeometric distribution."""
    n, n_failed = own.n_settled + others.n_settled, own.n_failed + others.n_failed
    log_all = _log_comb(n, n_failed)
    return sum(
        exp(_log_comb(own.n_settled, k) + _log_comb(others.n_settled, n_failed - k) - log_all)
        for k in range(own.n_failed, min(own.n_settled, n_failed) + 1)
        if n_failed - k <= others.n_settled
    )


def _log_comb(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
