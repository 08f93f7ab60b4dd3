"""What only the last fit is asked: rank intervals, misfit, and reliability by every name."""

from __future__ import annotations

from collections import Counter

import numpy as np

from assessment.domain.result import (
    SPLIT_HALF_COMPARISONS,
    AbilityScale,
    AbilitySpread,
    ConstructGap,
    Disagreement,
    JudgeFit,
    MisfitFlag,
    Ranking,
    Reliability,
    ReliabilityForecast,
    ScaleSeparation,
)
from assessment.domain.verdict import Winner
from assessment.statistics.pool import JudgedPool
from scoring import Comparisons, Fit
from scoring.errors import AllTiesError, InvalidSettingError
from scoring.misfit import Misfit, essay_misfit, judge_misfit
from scoring.rank_intervals import rank_intervals
from scoring.reliability import (
    forecast_reliability,
    realised_reliability,
    scale_separation,
    split_half,
    standardised_error,
)

_FLAGGED_ABOVE = 2.0
# How many essays are named on which a model and people disagree.
_DISAGREEMENTS = 10
_SPLITS = 10
# Further comparisons per essay that the reliability is forecast for.
_FURTHER = (4, 8, 16)
# One seed for all batches: the same verdicts give the same halves.
_SEED = 20_250_102


def describe_rankings(
    rankings: list[Ranking], pool: JudgedPool, fit: Fit, comparisons: Comparisons
) -> list[Ranking]:
    """The rankings with intervals of abilities and ranks, and the misfit of their verdicts."""
    ranks = rank_intervals(fit)
    abilities = fit.interval()
    misfit = essay_misfit(fit, comparisons)
    rows = pool.indices([ranking.essay_id for ranking in rankings])
    return [
        ranking.model_copy(
            update={
                "bradley_terry_interval": (float(abilities[row, 0]), float(abilities[row, 1])),
                "rank_interval": (int(ranks[row, 0]), int(ranks[row, 1])),
                "infit": float(misfit.infit[row]),
                "outfit": float(misfit.outfit[row]),
                "misfit_flags": _flags(misfit, int(row)),
            }
        )
        for ranking, row in zip(rankings, rows, strict=True)
    ]


def describe_judges(pool: JudgedPool, fit: Fit, comparisons: Comparisons) -> list[JudgeFit]:
    """Every judge's verdicts, sharpness and misfit."""
    misfit = judge_misfit(fit, comparisons)
    n_verdicts = Counter(c.verdict.judge for c in pool.recorded if c.verdict)
    winners = Counter((v.judge, v.winner) for c in pool.recorded if (v := c.pair_verdict))
    return [
        JudgeFit(
            judge=name,
            verdicts=n_verdicts[name],
            ties=winners[name, Winner.TIE],
            first_preferred=winners[name, Winner.FIRST],
            discrimination=float(fit.discrimination[row]),
            discrimination_se=float(fit.discrimination_se[row]),
            lapse_rate=float(fit.lapse[row]),
            degree_share=float(fit.degree_share[row]),
            construct_gap=_construct_gap(pool, fit, row),
            infit=float(misfit.infit[row]),
            outfit=float(misfit.outfit[row]),
            misfit_flags=_flags(misfit, row),
        )
        for row, name in enumerate(pool.judges)
    ]


def _construct_gap(pool: JudgedPool, fit: Fit, row: int) -> ConstructGap | None:
    gap = next((gap for gap in fit.construct_gaps if gap.judge == row), None)
    if gap is None:
        return None
    order = np.argsort(-np.abs(gap.shift) / gap.shift_se, kind="stable")
    return ConstructGap(
        tau=gap.tau,
        tau_interval=(gap.tau_low, gap.tau_high),
        scale=gap.scale,
        disagreements=[
            Disagreement(
                essay_id=pool.spec.essays[essay].essay_id,
                shift=float(gap.shift[essay]),
                standard_error=float(gap.shift_se[essay]),
            )
            for essay in order[:_DISAGREEMENTS]
        ],
    )


def ability_scale(pool: JudgedPool, fit: Fit) -> AbilityScale:
    """People's scale if people judged alone, or beside models and enough of them."""
    by_people = not any(pool.is_model)
    return AbilityScale.PEOPLE if by_people or fit.construct_gaps else AbilityScale.JUDGES


def _flags(misfit: Misfit, row: int) -> list[MisfitFlag]:
    flags = []
    if misfit.infit_z[row] > _FLAGGED_ABOVE:
        flags.append(MisfitFlag.NOISY)
    if misfit.outfit_z[row] > _FLAGGED_ABOVE:
        flags.append(MisfitFlag.SURPRISING)
    return flags


def describe_reliability(pool: JudgedPool, fit: Fit) -> Reliability:
    """The model's reliability with its interval, and what more comparisons would make of it."""
    realised = realised_reliability(fit)
    forecasts = forecast_reliability(fit, _FURTHER)
    return Reliability(
        model_reliability=realised.value,
        reliability_interval=(realised.low, realised.high),
        spread=_spread(fit),
        forecast=[
            ReliabilityForecast(
                further_comparisons_per_essay=extra,
                reliability=forecast.value,
                interval=(forecast.low, forecast.high),
            )
            for extra, forecast in zip(_FURTHER, forecasts, strict=True)
        ],
        estimator=fit.estimator,
        scale=ability_scale(pool, fit),
        repeat_correlation=pool.repeat_correlation,
        mean_se=float(fit.standard_error.mean()),
        max_se=float(fit.standard_error.max()),
        standardised_se=standardised_error(fit),
    )


def _spread(fit: Fit) -> AbilitySpread | None:
    if fit.spread is not None:
        return AbilitySpread(sd=fit.spread.median, interval=fit.spread.interval(), is_assumed=False)
    if fit.prior_sd is None:
        return None
    return AbilitySpread(sd=fit.prior_sd, interval=(fit.prior_sd, fit.prior_sd), is_assumed=True)


def all_reliabilities(reliability: Reliability, fit: Fit, comparisons: Comparisons) -> Reliability:
    """The model's reliability beside the classical figures, where those can be computed."""
    return reliability.model_copy(
        update={
            "scale_separation": _separation(fit),
            "split_half": _split_half(comparisons, fit),
        }
    )


def _separation(fit: Fit) -> ScaleSeparation | None:
    try:
        separation = scale_separation(fit.ability, fit.standard_error)
    except InvalidSettingError:
        return None  # all abilities are equal
    return ScaleSeparation(
        formula_a=separation.formula_a,
        formula_b=separation.formula_b,
        formula_c=separation.formula_c,
        separation=separation.separation if np.isfinite(separation.separation) else None,
    )


def _split_half(comparisons: Comparisons, fit: Fit) -> float | None:
    if len(comparisons) > SPLIT_HALF_COMPARISONS:
        return None
    try:
        halves = split_half(
            comparisons,
            rng=np.random.default_rng(_SEED),
            splits=_SPLITS,
            prior_sd=fit.prior_sd or 1.0,
        )
    except (InvalidSettingError, AllTiesError):
        return None  # a single pair, or a half of ties
    return halves.spearman_brown
