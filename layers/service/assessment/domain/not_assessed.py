"""Essays that no judge will judge: found from the records, and set aside for the rest of a batch.

A provider may decline one essay, one may not fit its model, or the model may never answer about one
in a form that can be read. Every comparison of such an essay fails, and each of them has two
essays: the rule here tells which of the two is at fault, or that the judge is.
Nothing is stored: the same records give the same essays, so a repeated step agrees with the first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.comparison import Comparison, JudgeFailure
from assessment.domain.essay_failures import compute_failure_chances, is_essay_failure
from assessment.domain.judge import JudgeSpec, estimate_tokens
from assessment.domain.judge_errors import (
    BrokenGenerationError,
    ContentRefusedError,
    OversizeError,
    RequestTooLargeError,
)
from assessment.domain.readings import count_readings
from assessment.domain.shorter_list import shorten_list


class NotAssessedReason(StrEnum):
    """Why an essay cannot be judged.

    The provider declines its content; it does not fit the model; every request with it is refused
    in other words; no answer about it came, or none that could be read.
    """

    DECLINED = "declined_by_provider"
    DOES_NOT_FIT = "does_not_fit"
    REFUSED = "request_refused"
    NO_VERDICT = "no_verdict"


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
    BrokenGenerationError.code: NotAssessedReason.NO_VERDICT,
    "malformed_verdict": NotAssessedReason.NO_VERDICT,
    "cut_off": NotAssessedReason.NO_VERDICT,
    "prompt_cut": NotAssessedReason.NO_VERDICT,
}
"""Reasons by the code of a failure. Of any other, a final one is a refusal, and one that may pass
brought no verdict."""

_FAILURES_PER_VERDICT = 4
_MOST_MISTAKES = 0.05
"""The probability that a batch whose judge fails at random sets any essay aside."""


def find_not_assessed(
    comparisons: Sequence[Comparison], *, max_failures: int
) -> tuple[NotAssessed, ...]:
    """The essays to set aside, by id in order.

    An essay is set aside after `max_failures` failures with different essays, or after one with
    each where there are fewer, if three things hold:

    1. the other essays can be judged: only a failure with an essay that has verdicts counts;
    2. its failures are at least four times as many as its verdicts;
    3. chance does not explain them: if the judge failed its comparisons at random, each alike, so
       many of all failures would be of this essay with a probability below
       0.05 / (n w (w + 1)). Here n is the number of essays and w counts the looks.

    Where the failures say nothing of the content or its length, not more than half of a class are
    set aside: a judge that stopped working looks the same.

    Parameters
    ----------
    comparisons
        All comparisons of the batch, whatever their status.
    max_failures
        Failures after which an essay is set aside.

    Notes
    -----
    The probability is that of Fisher's exact test: given how many comparisons failed, and how many
    are of the essay, the number of its failures is hypergeometric whatever the judge's rate of
    failing is (R. A. Fisher, The Design of Experiments, 1935, chapter 2). Comparisons of other
    suspects are left out, so that several essays do not hide one another. The divisors add up to
    one over all essays and looks, so by Bonferroni's inequality a batch whose judge fails at random
    sets any essay aside with a probability below 0.05.

    Every wave with failures is looked at as it was decided upon, and what was found then stays:
    what the judge does later says nothing of it.
    """
    set_aside: dict[str, NotAssessed] = {}
    waves = sorted({c.submitted_wave for c in comparisons if is_essay_failure(c)})
    for n_looks, wave_number in enumerate(waves, 1):
        comparisons_so_far = [c for c in comparisons if c.submitted_wave <= wave_number]
        n_essays = len({e for c in comparisons_so_far for e in c.essay_ids})
        bound = _MOST_MISTAKES / (n_essays * n_looks * (n_looks + 1))
        set_aside |= _look(
            drop_essays(comparisons_so_far, set_aside), n_essays, bound, max_failures=max_failures
        )
    return tuple(set_aside[essay] for essay in sorted(set_aside))


def find_without_verdict(comparisons: Sequence[Comparison]) -> tuple[NotAssessed, ...]:
    """The essays to set aside where nothing more can be asked, by id in order.

    They have no verdict, so they cannot be graded, and their comparisons with essays that have some
    failed permanently. In a small class that alone does not tell whether an essay or the judge is
    the reason; but only these essays need to go without a grade.
    """
    n_verdicts = Counter(e for c in comparisons if c.verdict for e in c.essay_ids)
    failures = _attribute_failures(comparisons, n_verdicts)
    unjudged = {
        essay: list(by_other.values())
        for essay, by_other in failures.items()
        if essay not in n_verdicts
    }
    n_essays = len({e for c in comparisons for e in c.essay_ids})
    return tuple(
        _describe(essay, failed)
        for essay, failed in sorted(_leave_out_vague(unjudged, n_essays).items())
    )


def _look(
    comparisons: Sequence[Comparison], n_essays: int, bound: float, *, max_failures: int
) -> dict[str, NotAssessed]:
    """The essays, of `n_essays` in all, whose failures are less likely by chance than `bound`."""
    n_verdicts = Counter(e for c in comparisons if c.verdict for e in c.essay_ids)
    failures = _attribute_failures(comparisons, n_verdicts)
    suspects = {
        essay: list(by_other.values())
        for essay, by_other in failures.items()
        if _is_suspect(essay, len(by_other), n_verdicts, max_failures=max_failures)
    }
    suspects = _leave_out_vague(suspects, n_essays)
    chances = compute_failure_chances(comparisons, suspects)
    return {
        essay: _describe(essay, failed)
        for essay, failed in suspects.items()
        if chances[essay] <= bound
    }


def _attribute_failures(
    comparisons: Iterable[Comparison], n_verdicts: Mapping[str, int]
) -> dict[str, dict[str, Comparison]]:
    """The failures of each essay, by the other essay, which can be judged."""
    failures: defaultdict[str, dict[str, Comparison]] = defaultdict(dict)
    for comparison in filter(is_essay_failure, comparisons):
        pair = comparison.first, comparison.second
        for essay, other in (pair, pair[::-1]):
            if n_verdicts.get(other):
                failures[essay][other] = comparison
    return failures


def _is_suspect(
    essay: str, n_failures: int, n_verdicts: Mapping[str, int], *, max_failures: int
) -> bool:
    """Whether so many failures with different essays may be the essay's own."""
    n_others = len(n_verdicts.keys() - {essay})
    return n_failures >= min(
        max_failures, n_others
    ) and n_failures >= _FAILURES_PER_VERDICT * n_verdicts.get(essay, 0)


def _leave_out_vague(
    suspects: dict[str, list[Comparison]], n_essays: int
) -> dict[str, list[Comparison]]:
    """The suspects, without those that have refusals only, if these are too many."""
    vague = {
        essay
        for essay, failed in suspects.items()
        if _describe(essay, failed).reason
        in (NotAssessedReason.REFUSED, NotAssessedReason.NO_VERDICT)
    }
    if 2 * len(vague) <= n_essays:
        return suspects
    return {essay: failed for essay, failed in suspects.items() if essay not in vague}


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
        if (tokens := estimate_tokens(texts[essay_id])) >= room
    )


@dataclass(frozen=True)
class AssessedPart:
    """The comparisons of a batch, divided by whether they are of an essay that was set aside.

    Of a list with such an essay the order of the others counts. `n_readings_aside` are the readings
    of all comparisons that are not in `comparisons`.
    """

    not_assessed: tuple[NotAssessed, ...]
    comparisons: list[Comparison]
    set_aside: list[Comparison]
    n_readings_aside: int = 0

    @property
    def set_aside_ids(self) -> set[str]:
        """The ids of the essays that were set aside."""
        return {entry.essay_id for entry in self.not_assessed}


def split_assessed(comparisons: Sequence[Comparison], *, max_failures: int) -> AssessedPart:
    """The comparisons that count, and those of essays that no judge judges.

    `max_failures` is as in `find_not_assessed`.
    """
    return set_essays_aside(comparisons, find_not_assessed(comparisons, max_failures=max_failures))


def set_essays_aside(
    comparisons: Sequence[Comparison], not_assessed: tuple[NotAssessed, ...]
) -> AssessedPart:
    """The comparisons divided by whether they are of these essays."""
    ids = {entry.essay_id for entry in not_assessed}
    assessed = drop_essays(comparisons, ids)
    kept_ids = {c.comparison_id for c in assessed}
    set_aside = [c for c in comparisons if c.comparison_id not in kept_ids]
    n_aside = count_readings(comparisons) - count_readings(assessed)
    return AssessedPart(not_assessed, assessed, set_aside, n_aside)


def merge_not_assessed(*groups: Sequence[NotAssessed]) -> tuple[NotAssessed, ...]:
    """Every essay once, by id in order; what was said of it first stays."""
    entries: dict[str, NotAssessed] = {}
    for entry in (entry for group in groups for entry in group):
        entries.setdefault(entry.essay_id, entry)
    return tuple(entries[essay_id] for essay_id in sorted(entries))


def _describe(essay_id: str, failures: Sequence[Comparison]) -> NotAssessed:
    """The commonest reason and words of the essay's failures."""
    causes = Counter(
        (_tell_reason(c.failure), c.failure.message) for c in failures if c.failure is not None
    )
    reason, message = min(causes, key=lambda cause: (-causes[cause], cause))
    return NotAssessed(essay_id=essay_id, reason=reason, detail=message)


def _tell_reason(failure: JudgeFailure) -> NotAssessedReason:
    rest = NotAssessedReason.NO_VERDICT if failure.retryable else NotAssessedReason.REFUSED
    return _REASONS.get(failure.code, rest)


def drop_essays(comparisons: Sequence[Comparison], essay_ids: Collection[str]) -> list[Comparison]:
    """The comparisons of the other essays, lists that were judged without these."""
    excluded = set(essay_ids)
    shortened = (shorten_list(comparison, excluded) for comparison in comparisons)
    return [comparison for comparison in shortened if comparison is not None]
