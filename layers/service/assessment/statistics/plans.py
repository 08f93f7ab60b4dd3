"""The plan of a wave by `scoring`: pairs as ever, or lists with pairs beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from assessment.domain.comparison import Comparison, PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.readings import PAIR
from assessment.statistics.pool import Floats, Ints, JudgedPool
from scoring import Fit
from scoring.list_planning import plan_lists
from scoring.pairing import plan_wave

_DECIMALS = 4
_WITHOUT_COVARIANCE = ("nearest", "random")


def plan_comparisons(
    pool: JudgedPool,
    comparisons: Sequence[Comparison],
    standing: Fit | None,
    *,
    config: BatchConfig,
    rng: np.random.Generator,
    sizes: Sequence[int],
) -> list[PlannedPair | PlannedList]:
    """The comparisons of a wave, with what the fit that stands now predicts of them.

    Parameters
    ----------
    pool
        Of the verdicts so far.
    comparisons
        All in which essays met, with a verdict or without.
    standing
        The fit of the verdicts; None before there is a preference.
    config
        Names the strategy and the audit share.
    rng
        The only source of randomness.
    sizes
        Essays of each comparison wanted.
    """
    if any(size > PAIR for size in sizes):
        return _plan_lists(pool, comparisons, standing, config=config, rng=rng, sizes=sizes)
    return list(
        _plan_pairs(pool, comparisons, standing, config=config, rng=rng, n_pairs=len(sizes))
    )


def _plan_pairs(
    pool: JudgedPool,
    comparisons: Sequence[Comparison],
    standing: Fit | None,
    *,
    config: BatchConfig,
    rng: np.random.Generator,
    n_pairs: int,
) -> list[PlannedPair]:
    anchors, anchor_grade = pool.anchors()
    has_lists = any(comparison.is_list for comparison in comparisons)
    pairs = [pair for each in comparisons for pair in combinations(each.essay_ids, PAIR)]
    plan = plan_wave(
        pool.n_essays,
        rng=rng,
        size=n_pairs,
        rounds=config.comparisons_per_essay_per_wave,
        first=pool.indices([first for first, _ in pairs]),
        second=pool.indices([second for _, second in pairs]),
        counts=pool.count_readings(comparisons) if has_lists else None,
        ability=standing.ability if standing else None,
        covariance=standing.covariance if standing else None,
        strategy=config.strategy,
        audit_share=config.audit_share,
        anchors=anchors if len(anchors) else None,
        anchor_grade=anchor_grade if len(anchors) else None,
    )
    predicted = standing.predict(plan.first, plan.second) if standing else None
    ids = [essay.essay_id for essay in pool.spec.essays]
    return [
        PlannedPair(
            first=ids[plan.first[row]],
            second=ids[plan.second[row]],
            audit=bool(plan.audit[row]),
            predicted=None if predicted is None else float(predicted[row]),
        )
        for row in range(len(plan))
    ]


def _plan_lists(
    pool: JudgedPool,
    comparisons: Sequence[Comparison],
    standing: Fit | None,
    *,
    config: BatchConfig,
    rng: np.random.Generator,
    sizes: Sequence[int],
) -> list[PlannedPair | PlannedList]:
    is_adaptive = standing is not None and config.strategy not in _WITHOUT_COVARIANCE
    plan = plan_lists(
        pool.n_essays,
        sizes=sizes,
        rng=rng,
        earlier=[pool.indices(comparison.essay_ids) for comparison in comparisons],
        ability=standing.ability if standing else None,
        covariance=standing.covariance if standing and is_adaptive else None,
        audit_share=1.0 if config.strategy == "random" else config.audit_share,
        anchors=pool.anchors()[0],
    )
    ids = [essay.essay_id for essay in pool.spec.essays]
    return [
        _describe([ids[essay] for essay in essays], _predict(standing, essays), is_audit=is_audit)
        for essays, is_audit in zip(plan.lists, plan.audit, strict=True)
    ]


def _predict(standing: Fit | None, essays: Ints) -> Floats | None:
    """The probability, of each two essays, that the one shown earlier is preferred."""
    if standing is None:
        return None
    one, other = np.triu_indices(len(essays), 1)
    return standing.predict(essays[one], essays[other])


def _describe(
    essay_ids: list[str], predicted: Floats | None, *, is_audit: bool
) -> PlannedPair | PlannedList:
    if len(essay_ids) > PAIR:
        rounded = () if predicted is None else tuple(np.round(predicted, _DECIMALS).tolist())
        return PlannedList(essay_ids=tuple(essay_ids), audit=is_audit, predicted_pairs=rounded)
    return PlannedPair(
        first=essay_ids[0],
        second=essay_ids[1],
        audit=is_audit,
        predicted=None if predicted is None else float(predicted[0]),
    )
