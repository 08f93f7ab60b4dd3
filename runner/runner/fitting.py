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
from scoring import Fit, ScoringError, fit
from scoring.bradley_terry import Estimator
from scoring.errors import SeparationError
from scoring.ranks import competition_ranks
from scoring.reliability import model_reliability

_NAMED = 10


@dataclass(frozen=True)
class Ability:
    """One essay's ability and standard error in logits.

    `component` numbers the sets of essays that no comparison links; abilities of different ones
    cannot be compared.
    """

    rank: int
    essay_id: str
    bradley_terry_score: float
    bradley_terry_se: float
    comparison_count: int
    component: int


@dataclass(frozen=True)
class OfflineFit:
    """The abilities of all essays, the best first, and the figures that go with them."""

    abilities: list[Ability]
    essays: int
    judgements: int
    judges: int
    components: int
    estimator: str
    prior_sd: float | None
    mean_se: float
    model_reliability: float | None
    order_effect: dict[str, tuple[float, float]]


def fit_judgements(
    judgements: Judgements, *, estimator: Estimator, prior_sd: float, order_effect: bool
) -> OfflineFit:
    """The fit of the judgements; the order effect only of records that know the order.

    Raises
    ------
    BadInputError
        If no fit exists, naming essays by their ids.
    """
    try:
        fitted = fit(
            judgements.comparisons,
            estimator=estimator,
            prior_sd=prior_sd,
            order_effect=order_effect,
        )
        return _offline(judgements, fitted)
    except ScoringError as error:
        raise BadInputError(*_in_names(error, judgements.essays)) from error


def _in_names(error: ScoringError, essays: list[str]) -> list[Problem]:
    if not isinstance(error, SeparationError) or not error.essays:
        return [Problem(str(error))]
    named = ", ".join(essays[index] for index in error.essays[:_NAMED])
    more = f" and {len(error.essays) - _NAMED} more" if len(error.essays) > _NAMED else ""
    message = (
        "no maximum-likelihood estimate exists: wins and losses do not link these essays to the "
        f"rest both ways ({named}{more}); use --estimator map"
    )
    return [Problem(message, field="--estimator")]


def _offline(judgements: Judgements, fitted: Fit) -> OfflineFit:
    errors, ranks = fitted.standard_error, competition_ranks(fitted.ability)
    abilities = [
        Ability(
            rank=int(ranks[index]),
            essay_id=judgements.essays[index],
            bradley_terry_score=float(fitted.ability[index]),
            bradley_terry_se=float(errors[index]),
            comparison_count=int(fitted.n_comparisons[index]),
            component=int(fitted.components[index]) + 1,
        )
        for index in np.argsort(-fitted.ability, kind="stable")
    ]
    return OfflineFit(
        abilities=abilities,
        essays=len(judgements.essays),
        judgements=len(judgements.comparisons),
        judges=len(judgements.judges),
        components=int(fitted.components.max()) + 1,
        estimator=fitted.estimator,
        prior_sd=fitted.prior_sd,
        mean_se=float(errors.mean()),
        model_reliability=None if fitted.prior_sd is None else model_reliability(fitted),
        order_effect=_order_effect(judgements, fitted),
    )


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
    """All essays by rank, with the number of their component where there are several."""
    table = Table(box=None, pad_edge=False, header_style="bold")
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
    """The figures of the fit in words, and what to be careful with."""
    prior = f", prior sd {result.prior_sd:g}" if result.prior_sd is not None else ""
    judges = f" by {result.judges} judges" if result.judges else ""
    lines = [
        (
            f"{result.judgements} judgements{judges} of {result.essays} essays "
            f"({result.estimator}{prior}); mean SE {result.mean_se:.2f} logits"
        )
    ]
    if result.model_reliability is not None:
        lines.append(f"model reliability {result.model_reliability:.2f} (right if the prior sd is)")
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


def fit_csv(result: OfflineFit) -> str:
    """One row for each essay by rank, numbers at full precision."""
    rows = [asdict(ability) for ability in result.abilities]
    return to_csv(list(rows[0]), (list(row.values()) for row in rows))


def fit_document(result: OfflineFit) -> dict[str, Any]:
    """The fit as a JSON document."""
    return asdict(result)
