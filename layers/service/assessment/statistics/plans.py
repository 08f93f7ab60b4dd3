"""The plan of a wave by `scoring`: pairs as ever, or lists with pairs beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from itertools import combinations
from typing import TypedDict

import numpy as np

from assessment.domain.comparison import Comparison, PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.readings import PAIR
from assessment.domain.wave_outline import WaveOutline
from assessment.statistics.pool import Floats, Ints, JudgedPool
from assessment.statistics.predictions import predict_each
from scoring import Fit
from scoring.list_planning import plan_lists
from scoring.pairing import plan_wave

_DECIMALS = 4


def plan_comparisons(
    pool: JudgedPool,
    comparisons: Sequence[Comparison],
    standing: Fit | None,
    *,
    config: BatchConfig,
    rng: np.random.Generator,
    outline: WaveOutline,
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
    outline
        How many essays each comparison has, and what is asked of their choice.
    """
    # The pairs first: lists even out what is read.
    pairs = (
        _plan_pairs(pool, comparisons, standing, config=config, rng=rng, outline=outline)
        if outline.n_strategic_pairs
        else []
    )
    if not outline.has_lists:
        return pairs
    is_random = outline.has_random_lists or config.strategy == "random"
    others = _plan_lists(
        pool,
        [*comparisons, *pairs],
        standing,
        rng=rng,
        sizes=outline.other_sizes,
        audit_share=1.0 if is_random else config.audit_share,
    )
    return _merge(pairs, others, outline.pair_places)


def _merge(
    pairs: Sequence[PlannedPair | PlannedList],
    others: Sequence[PlannedPair | PlannedList],
    pair_places: Collection[int],
) -> list[PlannedPair | PlannedList]:
    """All comparisons in one order, the pairs at their places; what is left over at the end."""
    queues = deque(pairs), deque(others)
    merged: list[PlannedPair | PlannedList] = []
    while any(queues):
        preferred, other = queues if len(merged) in pair_places else queues[::-1]
        merged.append((preferred or other).popleft())
    return merged


def _plan_pairs(
    pool: JudgedPool,
    comparisons: Sequence[Comparison],
    standing: Fit | None,
    *,
    config: BatchConfig,
    rng: np.random.Generator,
    outline: WaveOutline,
) -> list[PlannedPair | PlannedList]:
    anchors, anchor_grade = pool.anchors()
    pairs = [pair for each in comparisons for pair in combinations(each.essay_ids, PAIR)]
    plan = plan_wave(
        pool.n_essays,
        rng=rng,
        size=outline.n_strategic_pairs,
        rounds=config.comparisons_per_essay_per_wave,
        first=pool.indices([first for first, _ in pairs]),
        second=pool.indices([second for _, second in pairs]),
        counts=pool.count_readings(comparisons),
        **_describe_standing(standing),
        strategy=config.strategy,
        audit_share=config.audit_share,
        anchors=anchors if len(anchors) else None,
        anchor_grade=anchor_grade if len(anchors) else None,
        shares_essays=outline.shares_essays,
    )
    shown = list(np.stack([plan.first, plan.second], axis=1))
    return _describe(pool, standing, shown, plan.audit.tolist())


class _Standing(TypedDict):
    ability: Floats | None
    covariance: Floats | None


def _describe_standing(fit: Fit | None) -> _Standing:
    """What planning takes of the fit; nothing before there is one."""
    if fit is None:
        return _Standing(ability=None, covariance=None)
    return _Standing(ability=fit.ability, covariance=fit.covariance)


def _plan_lists(
    pool: JudgedPool,
    comparisons: Sequence[Comparison | PlannedPair | PlannedList],
    standing: Fit | None,
    *,
    rng: np.random.Generator,
    sizes: Sequence[int],
    audit_share: float,
) -> list[PlannedPair | PlannedList]:
    plan = plan_lists(
        pool.n_essays,
        sizes=sizes,
        rng=rng,
        earlier=[pool.indices(comparison.essay_ids) for comparison in comparisons],
        ability=None if standing is None else standing.ability,
        audit_share=audit_share,
        anchors=pool.anchors()[0],
    )
    return _describe(pool, standing, plan.lists, plan.audit)


def _describe(
    pool: JudgedPool, standing: Fit | None, shown: Sequence[Ints], audit: Sequence[bool]
) -> list[PlannedPair | PlannedList]:
    """The comparisons by essay ids, with their predictions once there is a fit."""
    ids = [essay.essay_id for essay in pool.spec.essays]
    predicted = predict_each(standing, shown) if standing else [None] * len(shown)
    return [
        _describe_one(tuple(ids[essay] for essay in essays), each, is_audit=is_audit)
        for essays, each, is_audit in zip(shown, predicted, audit, strict=True)
    ]


def _describe_one(
    essay_ids: tuple[str, ...], predicted: Floats | None, *, is_audit: bool
) -> PlannedPair | PlannedList:
    if len(essay_ids) > PAIR:
        rounded = () if predicted is None else tuple(np.round(predicted, _DECIMALS).tolist())
        return PlannedList(essay_ids=essay_ids, audit=is_audit, predicted_pairs=rounded)
    return PlannedPair(
        first=essay_ids[0],
        second=essay_ids[1],
        audit=is_audit,
        predicted=None if predicted is None else float(predicted[0]),
    )
