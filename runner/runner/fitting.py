"""Judgements off line to abilities: the scoring package's fit with the essays' own names."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from assessment.contracts.result_csv import to_csv
from runner.errors import BadInputError, Problem
from runner.judgements import Judgements
from runner.tables import ability_cell
from scoring import Comparisons, Fit, ScoringError, SpreadPrior, fit
from scoring.bradley_terry import Estimator
from scoring.errors import SeparationError
from scoring.ranks import competition_ranks
from scoring.reliability import RealisedReliability, realised_reliability
from scoring.repeats import estimate_repeat_correlation

_NAMED = 10
# The mode is found at one spread only.
_ASSUMED_SD = 2.0
_WEIGH_ALL_ALIKE = frozenset({"epsilon", "choix"})


@dataclass(frozen=True)
class Ability:
    """One essay's ability, standard error and 95% interval in logits.

    `component` numbers the sets of essays that no comparison links; abilities of different ones
    cannot be compared.
    """

    rank: int
    essay_id: str
    bradley_terry_score: float
    bradley_terry_se: float
    bradley_terry_low: float
    bradley_terry_high: float
    comparison_count: int
    component: int


@dataclass(frozen=True)
class Spread:
    """The standard deviation of abilities, logits, with a 95% interval.

    `is_assumed`: it was set and not estimated, and the interval is that one value.
    """

    sd: float
    interval: tuple[float, float]
    is_assumed: bool


@dataclass(frozen=True)
class OfflineFit:
    """The abilities of all essays, the best first, and the figures that go with them.

    The reliability has a 90% interval; it and the spread are None for estimators without a prior.
    `repeat_correlation` is how far judges who judged a pair again repeat themselves, by which the
    repeats weigh less than other verdicts; None if nobody did, or the estimator weighs all alike.
    """

    abilities: list[Ability]
    essays: int
    judgements: int
    judges: int
    components: int
    estimator: str
    spread: Spread | None
    mean_se: float
    model_reliability: float | None
    reliability_interval: tuple[float, float] | None
    repeat_correlation: float | None
    order_effect: dict[str, tuple[float, float]]


def fit_judgements(
    judgements: Judgements, *, estimator: Estimator, prior_sd: float | None, order_effect: bool
) -> OfflineFit:
    """The fit of the judgements; the order effect only of records that know the order.

    Without `prior_sd`, logits, `variational` integrates over the spread of abilities as batches do,
    and `map` assumes 2. Verdicts of one judge on one pair weigh as in batches.

    Raises
    ------
    BadInputError
        If no fit exists, naming essays by their ids.
    """
    try:
        correlation = _repeat_correlation(judgements.comparisons, estimator, prior_sd)
        fitted = fit(
            judgements.comparisons.with_repeat_correlation(
                1.0 if correlation is None else correlation
            ),
            estimator=estimator,
            prior_sd=_prior(estimator, prior_sd),
            order_effect=order_effect,
        )
        return _offline(judgements, fitted, correlation)
    except ScoringError as error:
        raise BadInputError(*_name_essays(error, judgements.essays)) from error


def _prior(estimator: Estimator, prior_sd: float | None) -> float | SpreadPrior:
    if prior_sd is not None:
        return prior_sd
    return SpreadPrior() if estimator == "variational" else _ASSUMED_SD


def _repeat_correlation(
    comparisons: Comparisons, estimator: Estimator, prior_sd: float | None
) -> float | None:
    if estimator in _WEIGH_ALL_ALIKE or comparisons.repeated_pairs() is None:
        return None
    return estimate_repeat_correlation(comparisons, prior_sd=prior_sd)


def _name_essays(error: ScoringError, essays: list[str]) -> list[Problem]:
    if not isinstance(error, SeparationError) or not error.essays:
        return [Problem(str(error))]
    named = ", ".join(essays[index] for index in error.essays[:_NAMED])
    more = f" and {len(error.essays) - _NAMED} more" if len(error.essays) > _NAMED else ""
    message = (
        "no maximum-likelihood estimate exists: wins and losses do not link these essays to the "
        f"rest both ways ({named}{more}); use --estimator map"
    )
    return [Problem(message, field="--estimator")]


def _offline(judgements: Judgements, fitted: Fit, repeat_correlation: float | None) -> OfflineFit:
    errors, ranks = fitted.standard_error, competition_ranks(fitted.ability)
    intervals = fitted.interval()
    reliability = None if fitted.prior_sd is None else realised_reliability(fitted)
    abilities = [
        Ability(
            rank=int(ranks[index]),
            essay_id=judgements.essays[index],
            bradley_terry_score=float(fitted.ability[index]),
            bradley_terry_se=float(errors[index]),
            bradley_terry_low=float(intervals[index, 0]),
            bradley_terry_high=float(intervals[index, 1]),
            comparison_count=int(fitted.n_comparisons[index]),
            component=int(fitted.components[index]) + 1,
        )
        for index in np.argsort(-fitted.ability, kind="stable")
    ]
    return OfflineFit(
        abilities=abilities,
        essays=len(judgements.essays),
        judgements=judgements.n_judged,
        judges=len(judgements.judges),
        components=int(fitted.components.max()) + 1,
        estimator=fitted.estimator,
        spread=_spread(fitted),
        mean_se=float(errors.mean()),
        model_reliability=None if reliability is None else reliability.value,
        reliability_interval=_limits(reliability),
        repeat_correlation=repeat_correlation,
        order_effect=_order_effect(judgements, fitted),
    )


def _limits(reliability: RealisedReliability | None) -> tuple[float, float] | None:
    return None if reliability is None else (reliability.low, reliability.high)


def _spread(fitted: Fit) -> Spread | None:
    if fitted.spread is not None:
        return Spread(fitted.spread.median, fitted.spread.interval(), is_assumed=False)
    if fitted.prior_sd is None:
        return None
    return Spread(fitted.prior_sd, (fitted.prior_sd, fitted.prior_sd), is_assumed=True)


def _order_effect(judgements: Judgements, fitted: Fit) -> dict[str, tuple[float, float]]:
    if not judgements.comparisons.order_known:
        return {}
    names = judgements.judges or ["all judges"]
    pairs = zip(fitted.order_effect, fitted.order_effect_se, strict=True)
    return {
        name: (float(effect), float(error))
        for name, (effect, error) in zip(names, pairs, strict=True)
    }


def abilities_table(result: OfflineFit) -> Table:
    """All essays by rank, with the number of their component where there are several.

    The reliability stands below them.
    """
    caption = reliability_text(result)
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        caption=caption,
        caption_justify="left",
        min_width=len(caption or ""),  # or the caption is broken where the table ends
    )
    table.add_column("rank", justify="right")
    table.add_column("essay", overflow="fold")
    table.add_column("ability ± SE", justify="right", no_wrap=True)
    table.add_column("comparisons", justify="right")
    several = result.components > 1
    if several:
        table.add_column("component", justify="right")
    for ability in result.abilities:
        cells: list[str | Text] = [
            str(ability.rank),
            Text(ability.essay_id),
            ability_cell(ability.bradley_terry_score, ability.bradley_terry_se),
            str(ability.comparison_count),
        ]
        table.add_row(*cells, *([str(ability.component)] if several else []))
    return table


def notes(result: OfflineFit) -> list[str]:
    """The figures that not every form of the fit has, and what to be careful with."""
    judges = f" by {result.judges} judges" if result.judges else ""
    lines = [
        (
            f"{result.judgements} judgements{judges} of {result.essays} essays "
            f"({result.estimator}); mean SE {result.mean_se:.2f} logits"
        )
    ]
    if result.spread is not None:
        lines.append(_spread_text(result.spread))
    if result.repeat_correlation is not None:
        lines.append(
            "a judge's verdicts on one pair judged again correlate "
            f"{result.repeat_correlation:.2f} beyond what abilities say; they weigh accordingly"
        )
    if result.components > 1:
        lines.append(
            f"CAUTION: {result.components} sets of essays that no comparison links; "
            "abilities and ranks can be compared only within one component"
        )
    lines += [
        f"{judge} favours the text shown first by {effect:+.2f} ± {error:.2f} logits"
        for judge, (effect, error) in result.order_effect.items()
    ]
    return lines


def reliability_text(result: OfflineFit) -> str | None:
    """The reliability with its interval in words; None for estimators without a prior."""
    if result.model_reliability is None or result.reliability_interval is None:
        return None
    low, high = result.reliability_interval
    return (
        f"model reliability {result.model_reliability:.2f} (90% interval {low:.2f} to {high:.2f})"
    )


def _spread_text(spread: Spread) -> str:
    if spread.is_assumed:
        return (
            f"the spread of abilities is assumed, not estimated (sd {spread.sd:g} logits): "
            "standard errors and reliability are right only if it is"
        )
    low, high = spread.interval
    return f"spread of abilities {spread.sd:.2f} logits (95% interval {low:.2f} to {high:.2f})"


def fit_csv(result: OfflineFit) -> str:
    """One row for each essay by rank, numbers at full precision.

    The reliability is one for all essays and is in every row.
    """
    low, high = result.reliability_interval or (None, None)
    reliability = {
        "model_reliability": result.model_reliability,
        "reliability_low": low,
        "reliability_high": high,
    }
    rows = [asdict(ability) | reliability for ability in result.abilities]
    return to_csv(list(rows[0]), (list(row.values()) for row in rows))


def fit_document(result: OfflineFit) -> dict[str, Any]:
    """The fit as a JSON document."""
    return asdict(result)
