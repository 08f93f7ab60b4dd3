"""Anchors across batches: measuring them in one, and using what others measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

import numpy as np

from assessment.domain.grading_history import (
    FEWEST_BATCHES_TO_LINK,
    MOST_BATCHES,
    AnchorHistory,
    AnchorMeasurement,
    BatchMeasurement,
)
from assessment.domain.grading_result import AnchorDrift, AnchorHistoryReport
from assessment.statistics.pool import Floats, JudgedPool
from scoring import Comparisons, Fit, ScoringError, SpreadPrior
from scoring import fit as fit_abilities
from scoring.linking import (
    AnchorReadings,
    LinkedAbilities,
    condition_on_anchors,
    pool_anchors,
)

_FEWEST_ANCHORS = 2
# A measurement that is less certain than this says nothing worth keeping, logits^2.
_MOST_VARIANCE = 25.0


class AnchorLevel(NamedTuple):
    """An anchor's ability relative to the other anchors by several batches, logits."""

    ability: float
    variance: float


@dataclass(frozen=True)
class AnchorLevels:
    """The anchors that at least two batches measured, by essay id, and how far they drift.

    Attributes
    ----------
    anchors : dict of str to AnchorLevel
        At least two.
    drift_sd : float
        Logits.
    n_batches : int
        Batches pooled.
    """

    anchors: dict[str, AnchorLevel]
    drift_sd: float
    n_batches: int


@dataclass(frozen=True)
class LinkedFit:
    """Abilities (n,) and covariance (n, n) conditioned on earlier batches, and how, if they are."""

    ability: Floats
    covariance: Floats
    report: AnchorHistoryReport | None


def measure_anchors(
    pool: JudgedPool, own_grade_probability: Mapping[str, float], *, measured_at: str
) -> BatchMeasurement | None:
    """What this batch tells later ones about its anchors; None if it tells nothing.

    The fit leaves out the comparisons of two anchors, see `grading_history`.

    Parameters
    ----------
    pool
        The batch.
    own_grade_probability
        What the anchors' own grades have by the other anchors, by essay id.
    measured_at
        When, as ISO 8601.

    Returns
    -------
    BatchMeasurement or None
    """
    judged = _compare_with_students(pool)
    if judged is None or len(pool.spec.anchors) < _FEWEST_ANCHORS:
        return None
    try:
        # In the judge's own unit, lapses included: the same judges keep it in later batches.
        spread = _measure_spread(judged)
        if spread is None:
            return None
        # At one spread, so that its prior can be divided out exactly.
        fit = fit_abilities(judged, prior_sd=spread.posterior_sd, estimator="variational")
    except ScoringError:
        return None
    measurements = _likelihood_measurements(pool, fit, own_grade_probability)
    if len(measurements) < _FEWEST_ANCHORS:
        return None
    return BatchMeasurement(
        spec_hash=pool.spec.spec_hash,
        measured_at=measured_at,
        judges=pool.judges,
        spread=spread.sd,
        spread_log_se=spread.log_se,
        anchors=measurements,
    )


def _compare_with_students(pool: JudgedPool) -> Comparisons | None:
    """The verdicts without those on two anchors; None if there are no others."""
    anchors = {anchor.essay_id for anchor in pool.spec.anchors}
    comparisons = [c for c in pool.recorded if not anchors.issuperset(c.essay_ids)]
    if not comparisons:
        return None
    judged = pool.comparisons(comparisons)
    if judged.list_rows is None:
        return judged
    is_anchor = np.isin(np.arange(pool.n_essays), pool.anchors()[0])
    return judged.take(~(is_anchor[judged.first] & is_anchor[judged.second]))


class _Spread(NamedTuple):
    """A standard deviation of abilities, logits, by the verdicts alone and under a wide prior.

    `log_se` is the standard error of the logarithm of the first.
    """

    sd: float
    log_se: float
    posterior_sd: float


def _measure_spread(judged: Comparisons) -> _Spread | None:
    """The standard deviation of abilities, all essays; None if the verdicts do not bound it.

    By the verdicts alone: the likelihood of the spread, without the prior that the batch was given
    and whatever it assumed. A spread pulled to a prior would confirm that prior in later batches.
    """
    spread = fit_abilities(judged, prior_sd=SpreadPrior(), estimator="variational").spread
    if spread is None or spread.measured_precision <= 0:
        return None
    return _Spread(exp(spread.measured_log), spread.measured_precision**-0.5, spread.median)


def _likelihood_measurements(
    pool: JudgedPool, fit: Fit, own_grade_probability: Mapping[str, float]
) -> list[AnchorMeasurement]:
    """The anchors by the verdicts alone: the prior's precision is subtracted."""
    variance = fit.standard_error**2
    information = 1.0 / variance - (fit.prior_sd or np.inf) ** -2
    return [
        AnchorMeasurement(
            essay_id=anchor.essay_id,
            ability=float(fit.ability[row] / (variance[row] * information[row])),
            variance=float(1.0 / information[row]),
            grade=anchor.grade,
            own_grade_probability=own_grade_probability.get(anchor.essay_id),
        )
        for anchor, row in zip(pool.spec.anchors, pool.anchors()[0], strict=True)
        if information[row] > 1.0 / _MOST_VARIANCE
    ]


def pool_history(history: AnchorHistory) -> AnchorLevels | None:
    """What the measurements add up to; None before `FEWEST_BATCHES_TO_LINK` batches."""
    batches = history.batches[-MOST_BATCHES:]
    entries = [(number, entry) for number, batch in enumerate(batches) for entry in batch.anchors]
    if len(batches) < FEWEST_BATCHES_TO_LINK or not entries:
        return None
    n_measured = Counter(entry.essay_id for _, entry in entries)
    ids = sorted(n_measured)
    levels = pool_anchors(_readings(entries, ids))
    anchors = {
        essay_id: AnchorLevel(float(ability), float(variance))
        for essay_id, ability, variance in zip(ids, levels.ability, levels.variance, strict=True)
        if n_measured[essay_id] >= FEWEST_BATCHES_TO_LINK
    }
    if len(anchors) < _FEWEST_ANCHORS:
        return None  # one anchor alone has no place relative to others
    return AnchorLevels(anchors, levels.drift_sd, len(batches))


def _readings(
    entries: Sequence[tuple[int, AnchorMeasurement]], ids: Sequence[str]
) -> AnchorReadings:
    position = {essay_id: index for index, essay_id in enumerate(ids)}
    return AnchorReadings(
        batch=np.array([number for number, _ in entries]),
        anchor=np.array([position[entry.essay_id] for _, entry in entries]),
        ability=np.array([entry.ability for _, entry in entries]),
        variance=np.array([entry.variance for _, entry in entries]),
    )


def link_to_history(pool: JudgedPool, fit: Fit) -> LinkedFit:
    """Condition the batch's abilities on earlier measurements of its anchors.

    Only the grades use the result: ranking and abilities are those of the batch itself.
    """
    history = pool.spec.anchor_history
    levels = pool_history(history.select_judges(pool.judges)) if history else None
    if levels is None:
        return LinkedFit(fit.ability, fit.covariance, None)
    ids = [a.essay_id for a in pool.spec.anchors if a.essay_id in levels.anchors]
    if len(ids) < _FEWEST_ANCHORS:
        return LinkedFit(fit.ability, fit.covariance, None)
    linked = condition_on_anchors(
        fit.ability,
        fit.covariance,
        anchors=pool.indices(ids),
        level=np.array([levels.anchors[essay_id].ability for essay_id in ids]),
        variance=np.array([levels.anchors[essay_id].variance for essay_id in ids]),
    )
    return LinkedFit(linked.ability, linked.covariance, _report(levels, ids, linked))


def _report(levels: AnchorLevels, ids: list[str], linked: LinkedAbilities) -> AnchorHistoryReport:
    """How far each anchor has moved against the others, with its standard error."""
    return AnchorHistoryReport(
        batches=levels.n_batches,
        drift_sd=levels.drift_sd,
        anchors=[
            AnchorDrift(essay_id=essay_id, moved=float(moved), standard_error=float(error))
            for essay_id, moved, error in zip(ids, linked.moved, linked.moved_se, strict=True)
        ],
    )
