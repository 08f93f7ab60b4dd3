"""How judges judge lists, as the fit says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assessment.domain.judge import JudgeSpec
from assessment.domain.judges_in_lists import ListSharpness
from assessment.domain.list_ratio import BLUNT_BELOW, ExpectedRatio
from assessment.statistics.pool import JudgedPool
from scoring import Fit

if TYPE_CHECKING:
    from scoring._fit.list_judging import ListJudging


def describe_list_sharpness(pool: JudgedPool, fit: Fit) -> list[ListSharpness]:
    """Of each judge and size of list, the sharpness beside that in pairs, and place effects."""
    return [
        _describe(entry, pool.judges[entry.judge], pool.spec.judges) for entry in fit.list_judging
    ]


def _describe(entry: ListJudging, judge: str, judges: Sequence[JudgeSpec]) -> ListSharpness:
    expected = _find_expected(judge, entry.size, judges)
    return ListSharpness(
        judge=judge,
        list_size=entry.size,
        lists=entry.n_lists,
        is_known=entry.is_ratio_known or expected is not None,
        ratio=float(entry.ratio if entry.is_ratio_known or expected is None else expected.ratio),
        ratio_interval=(float(entry.ratio_interval[0]), float(entry.ratio_interval[1]))
        if entry.is_ratio_known
        else None,
        probability_blunt=_weigh(entry, expected),
        place_effects=tuple(entry.place_effects.tolist()),
        place_effects_se=tuple(entry.place_effects_se.tolist()),
    )


def _weigh(entry: ListJudging, expected: ExpectedRatio | None) -> float:
    """How likely the judge is too blunt, by its verdicts and an earlier measurement."""
    if expected is None:
        return float(entry.compute_cdf(BLUNT_BELOW))
    if not entry.is_ratio_known:
        return expected.probability_blunt
    return float(
        entry.compute_cdf(BLUNT_BELOW, expected=expected.ratio, expected_sd=expected.error)
    )


def _find_expected(judge: str, size: int, judges: Sequence[JudgeSpec]) -> ExpectedRatio | None:
    """What the request says of a judge in lists of its size; its only one may have any name."""
    named = [each for each in judges if each.label in (None, judge) and each.list_size == size]
    return named[0].expected_list_ratio if named else None
