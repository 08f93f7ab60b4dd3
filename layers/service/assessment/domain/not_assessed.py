"""Essays that no judge will judge: found from the records, and set aside for the rest of a batch.

A provider may decline one essay, or one may not fit its model. Every comparison of such an essay
fails for good, and each of them has two essays: the rule here tells which of the two is at fault.
Nothing is stored: the same records give the same essays, so a repeated step agrees with the first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.judge import JudgeSpec, estimated_tokens
from assessment.domain.judge_errors import ContentRefusedError, OversizeError, RequestTooLargeError


class NotAssessedReason(StrEnum):
    """Why an essay cannot be judged."""

    DECLINED = "declined_by_provider"
    DOES_NOT_FIT = "does_not_fit"


class NotAssessed(BaseModel):
    """An essay without a result; `detail` has the provider's words, or the figures."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    reason: NotAssessedReason
    detail: str


_REASONS = {
    ContentRefusedError.code: NotAssessedReason.DECLINED,
    OversizeError.code: NotAssessedReason.DOES_NOT_FIT,
    RequestTooLargeError.code: NotAssessedReason.DOES_NOT_FIT,
}


_FAILURES_PER_VERDICT = 4


def is_essay_failure(comparison: Comparison) -> bool:
    """Whether it failed for good because of one of its essays, not because of its judge."""
    failure = comparison.failure
    return (
        comparison.status is ComparisonStatus.FAILED
        and failure is not None
        and not failure.retryable
        and failure.code in _REASONS
    )


def find_not_assessed(
    comparisons: Sequence[Comparison], *, max_failures: int
) -> tuple[NotAssessed, ...]:
    """The essays to set aside, by id in order.

    Only a failure with an essay that has verdicts tells: the other essay can be judged, so the
    failure is this one's. An essay is set aside after `max_failures` such failures with different
    essays, or after one with each where there are fewer, if they are at least four times as many
    as its verdicts. A provider that declines at random is thereby its judge's failure, not that
    of the essays.

    Parameters
    ----------
    comparisons
        All comparisons of the batch, whatever their status.
    max_failures
        Final failures after which an essay is set aside.
    """
    n_verdicts = Counter(e for c in comparisons if c.verdict for e in (c.first, c.second))
    failures = _attribute_failures(comparisons, n_verdicts)
    return tuple(
        _describe(essay, list(failures[essay].values()))
        for essay in sorted(failures)
        if _is_at_fault(essay, len(failures[essay]), n_verdicts, max_failures=max_failures)
    )


def _attribute_failures(
    comparisons: Sequence[Comparison], n_verdicts: Counter[str]
) -> dict[str, dict[str, Comparison]]:
    """The failures that tell of each essay, one for every other essay that has verdicts."""
    failures: defaultdict[str, dict[str, Comparison]] = defaultdict(dict)
    for comparison in filter(is_essay_failure, comparisons):
        first, second = comparison.first, comparison.second
        for essay, other in ((first, second), (second, first)):
            if n_verdicts[other]:
                failures[essay][other] = comparison
    return failures


def _is_at_fault(
    essay: str, n_failures: int, n_verdicts: Counter[str], *, max_failures: int
) -> bool:
    """Whether so many failures with different essays are the essay's own."""
    n_others = sum(1 for other in n_verdicts if other != essay)
    return (
        n_failures >= min(max_failures, n_others)
        and n_failures >= _FAILURES_PER_VERDICT * n_verdicts[essay]
    )


def find_unfit(texts: Mapping[str, str], judges: Sequence[JudgeSpec]) -> tuple[NotAssessed, ...]:
    """The essays that leave no judge's context any room for a second one, by id in order.

    Known before anything is paid. A judge that is no model takes every text. `texts` has the texts
    by essay id.
    """
    if not all(judge.is_model for judge in judges):
        return ()
    room = max(judge.context_tokens - judge.answer_tokens(1) for judge in judges)
    return tuple(
        NotAssessed(
            essay_id=essay_id,
            reason=NotAssessedReason.DOES_NOT_FIT,
            detail=f"it has about {tokens} tokens; the judge's context leaves {room} for both "
            "essays of a comparison",
        )
        for essay_id in sorted(texts)
        if (tokens := estimated_tokens(texts[essay_id])) >= room
    )


@dataclass(frozen=True)
class AssessedPart:
    """The comparisons of a batch, divided by whether they are of an essay that was set aside."""

    not_assessed: tuple[NotAssessed, ...]
    comparisons: list[Comparison]
    set_aside: list[Comparison]

    @property
    def set_aside_ids(self) -> set[str]:
        """The ids of the essays that were set aside."""
        return {entry.essay_id for entry in self.not_assessed}


def split_assessed(comparisons: Sequence[Comparison], *, max_failures: int) -> AssessedPart:
    """The comparisons that count, and those of essays that no judge judges.

    `max_failures` is as in `find_not_assessed`.
    """
    not_assessed = find_not_assessed(comparisons, max_failures=max_failures)
    ids = {entry.essay_id for entry in not_assessed}
    kept = without_essays(comparisons, ids)
    set_aside = [c for c in comparisons if c.first in ids or c.second in ids]
    return AssessedPart(not_assessed, kept, set_aside)


def merge_not_assessed(*groups: Sequence[NotAssessed]) -> tuple[NotAssessed, ...]:
    """Every essay once, by id in order; what was said of it first stays."""
    entries: dict[str, NotAssessed] = {}
    for entry in (entry for group in groups for entry in group):
        entries.setdefault(entry.essay_id, entry)
    return tuple(entries[essay_id] for essay_id in sorted(entries))


def _describe(essay_id: str, failures: Sequence[Comparison]) -> NotAssessed:
    """The commonest reason and words of the essay's failures."""
    causes = Counter((c.failure.code, c.failure.message) for c in failures if c.failure is not None)
    code, message = min(causes, key=lambda cause: (-causes[cause], cause))
    return NotAssessed(essay_id=essay_id, reason=_REASONS[code], detail=message)


def without_essays(
    comparisons: Sequence[Comparison], essay_ids: Collection[str]
) -> list[Comparison]:
    """The comparisons in which none of these essays has a part."""
    return [c for c in comparisons if c.first not in essay_ids and c.second not in essay_ids]
