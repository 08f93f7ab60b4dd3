"""What the same judge makes of the same essays in pairs and in lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from assessment.domain.judge import PAIR_SIZE
from assessment.domain.list_ratio import BLUNT_BELOW, is_blunt
from runner.offline.list_verdicts import AskedList, AskedPair, count_shares, fit_lists, has_steps
from runner.offline.shares import Share
from scoring.lists import pair_weight

if TYPE_CHECKING:
    from scoring._fit.list_judging import ListJudging

_LARGE_PLACE_EFFECT = 1.0
_MOST_FAILED = 0.2
_FURTHER = 4


@dataclass(frozen=True)
class UnitCost:
    """What one comparison of a way of asking costs: tokens, and US dollars if a price is known."""

    tokens: float
    cost_usd: float | None


@dataclass(frozen=True)
class CostRatio:
    """What lists cost for one of what pairs cost to equal precision; below 1 lists are cheaper.

    The intervals (95%) are those of the ratio of sharpness.
    """

    way: str
    tokens: float
    tokens_interval: tuple[float, float]
    money: float | None
    money_interval: tuple[float, float] | None


@dataclass(frozen=True)
class ListReport:
    """Lists beside pairs of the same essays.

    Attributes
    ----------
    ratio, ratio_interval
        Sharpness in lists over that in pairs, with its 95% interval; None where nobody can tell.
    log_ratio_error
        The standard error of the ratio's logarithm.
    probability_blunt
        That the ratio is below .75, where lists win nothing.
    place_effects, place_effects_se
        How much the judge favours each place of the shown order, in logits; they add up to 0.
    costs
        Tokens and money to equal precision, in single calls and in bundles.
    """

    size: int
    n_lists: int
    n_failed: int
    shares: list[Share]
    ratio: float | None = None
    ratio_interval: tuple[float, float] | None = None
    log_ratio_error: float | None = None
    probability_blunt: float = 0.0
    place_effects: list[float] = field(default_factory=list)
    place_effects_se: list[float] = field(default_factory=list)
    costs: list[CostRatio] = field(default_factory=list)
    recommendation: str = ""


def compare_ways(
    pairs: Sequence[AskedPair],
    lists: Sequence[AskedList],
    costs: Mapping[str, tuple[UnitCost, UnitCost]],
) -> ListReport:
    """What lists are worth beside pairs.

    Parameters
    ----------
    pairs, lists
        All that was asked, whether answered or not; the lists in both of their orders.
    costs
        By the way of asking, what a pair costs and what a list costs.
    """
    report = ListReport(
        size=len(lists[0].shown),
        n_lists=len(lists),
        n_failed=sum(each.verdict is None for each in lists),
        shares=count_shares(pairs, lists),
    )
    fitted = fit_lists(pairs, lists)
    if fitted is not None and fitted.list_judging:
        report = _describe_judging(report, fitted.list_judging[0], lists, costs)
    return replace(report, recommendation=_choose(report, len(pairs)))


def _describe_judging(
    report: ListReport,
    judging: ListJudging,
    lists: Sequence[AskedList],
    costs: Mapping[str, tuple[UnitCost, UnitCost]],
) -> ListReport:
    """The report with what the fit says of the judge in lists."""
    with_places = replace(
        report,
        place_effects=judging.place_effects.tolist(),
        place_effects_se=judging.place_effects_se.tolist(),
    )
    if not judging.is_ratio_known:
        return with_places
    has_degree = all(has_steps(each.verdict) for each in lists if each.verdict)
    size = report.size
    in_pairs = size * (size - 1) / 2 * float(pair_weight(size, has_degree=has_degree))
    return replace(
        with_places,
        ratio=judging.ratio,
        ratio_interval=judging.ratio_interval,
        log_ratio_error=judging.log_ratio_se,
        probability_blunt=judging.compute_cdf(BLUNT_BELOW),
        costs=[
            _weigh_costs(way, *each, in_pairs=in_pairs, judging=judging)
            for way, each in costs.items()
        ],
    )


def _weigh_costs(
    way: str, pair: UnitCost, one_list: UnitCost, *, in_pairs: float, judging: ListJudging
) -> CostRatio:
    """Costs over information: a list of k tells what k (k - 1) / 2 weighted pairs of it tell."""
    low, high = judging.ratio_interval

    def compare(whole: float) -> tuple[float, tuple[float, float]]:
        ratio, least, most = (
            whole / (in_pairs * sharpness**2) for sharpness in (judging.ratio, high, low)
        )
        return ratio, (least, most)

    tokens, tokens_interval = compare(one_list.tokens / max(pair.tokens, 1e-9))
    if not pair.cost_usd or one_list.cost_usd is None:
        return CostRatio(way, tokens, tokens_interval, None, None)
    return CostRatio(way, tokens, tokens_interval, *compare(one_list.cost_usd / pair.cost_usd))


def _choose(report: ListReport, n_pairs: int) -> str:
    return _find_obstacle(report) or _choose_by_cost(report, n_pairs)


def _find_obstacle(report: ListReport) -> str | None:
    """Why lists are out of the question, whatever they cost."""
    if report.n_failed > _MOST_FAILED * report.n_lists:
        return f"pairs: {report.n_failed} of {report.n_lists} lists brought no whole order"
    agreement = report.shares[-1].interval
    if agreement and agreement[0] <= 1 / PAIR_SIZE:
        return "pairs: orders of lists agree with the judge's own pairs no more than chance would"
    if report.ratio is None:
        return "pairs: the verdicts do not tell how sharp the judge is in lists"
    if is_blunt(report.probability_blunt):
        return "pairs: in lists the judge is almost certainly too blunt"
    effects = zip(report.place_effects, report.place_effects_se, strict=True)
    if any(abs(effect) - 2.0 * error > _LARGE_PLACE_EFFECT for effect, error in effects):
        return (
            "pairs: in lists the judge favours places by more than neighbouring essays differ; "
            "try another prompt or model"
        )
    return None


def _choose_by_cost(report: ListReport, n_pairs: int) -> str:
    *_, cost = report.costs
    low, high = cost.money_interval or cost.tokens_interval
    if high < 1.0:
        return f"lists of {report.size}: they cost less than pairs for the same precision"
    if low > 1.0:
        return "pairs: they cost less than lists for the same precision"
    return (
        "not settled: lists may cost less than pairs or more; ask about more pairs "
        f"(--pairs {_FURTHER * n_pairs // 2})"
    )
