"""Anchors across batches: measuring them in one, and using what others measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.grading_history import (
    AnchorMeasurement,
    BatchMeasurement,
    PooledAnchors,
    pooled_anchors,
)
from assessment.domain.grading_result import AnchorDrift, AnchorHistoryReport
from assessment.statistics.pool import Floats, Ints, JudgedPool
from scoring import Fit, ScoringError

# Prior variance of the shift between the history's scale and the batch's, logits^2: unknown.
_FREE_SHIFT = 1e4
_FEWEST_ANCHORS = 2
# A measurement that is less certain than this says nothing worth keeping, logits^2.
_MOST_VARIANCE = 25.0


def measurement(
    pool: JudgedPool, config: BatchConfig, *, measured_at: str
) -> BatchMeasurement | None:
    """What this batch tells later ones about its anchors; None if it tells nothing.

    The fit leaves out the comparisons of two anchors, see `grading_history`.
    """
    anchors = {anchor.essay_id for anchor in pool.spec.anchors}
    kept = [c for c in pool.recorded if not (c.first in anchors and c.second in anchors)]
    if len(anchors) < _FEWEST_ANCHORS or not kept:
        return None
    try:
        fitted = pool.fitted(config, kept)
    except ScoringError:
        return None
    variance = fitted.standard_error**2
    information = 1.0 / variance - config.prior_sd**-2
    found = [
        AnchorMeasurement(
            essay_id=anchor.essay_id,
            ability=float(fitted.ability[row] / (variance[row] * information[row])),
            variance=float(1.0 / information[row]),
        )
        for anchor, row in zip(pool.spec.anchors, pool.anchors()[0], strict=True)
        if information[row] > 1.0 / _MOST_VARIANCE
    ]
    spread = _spread(pool, fitted, config.prior_sd)
    if len(found) < _FEWEST_ANCHORS or spread is None:
        return None
    return BatchMeasurement(
        spec_hash=pool.spec.spec_hash,
        measured_at=measured_at,
        judges=pool.judges,
        spread=spread[0],
        spread_log_se=spread[1],
        anchors=found,
    )


def _spread(pool: JudgedPool, fitted: Fit, prior_sd: float) -> tuple[float, float] | None:
    """The students' standard deviation and the standard error of its log; None if it is lost.

    With reliability r = 1 - mean(se^2) / prior_sd^2, estimates vary by r^2 (true variance + error
    variance), and the error variance is prior_sd^2 (1 - r) / r: the method of moments.
    """
    students = [row for row, essay in enumerate(pool.spec.essays) if not essay.is_anchor]
    reliability = 1.0 - float((fitted.standard_error[students] ** 2).mean()) / prior_sd**2
    if reliability <= 0 or len(students) < _FEWEST_ANCHORS:
        return None
    shown = float(fitted.ability[students].var(ddof=1)) / reliability**2
    true = shown - prior_sd**2 * (1.0 - reliability) / reliability
    if true <= 0:
        return None
    return sqrt(true), shown / true / sqrt(2.0 * len(students))


@dataclass(frozen=True)
class Linked:
    """Abilities (n,) and covariance (n, n) after earlier batches had their say, and how."""

    ability: Floats
    covariance: Floats
    report: AnchorHistoryReport | None


def linked(pool: JudgedPool, fitted: Fit) -> Linked:
    """Condition the batch's abilities on what is known of its anchors, up to a common shift.

    Only the grades use the result: ranking and abilities are those of the batch itself.
    """
    history = pool.spec.anchor_history
    known = pooled_anchors(history.by(pool.judges)) if history else None
    ids, rows = _known_here(pool, known)
    if known is None or len(ids) < _FEWEST_ANCHORS:
        return Linked(fitted.ability, fitted.covariance, None)
    level = np.array([known.anchors[name].ability for name in ids])
    variance = np.array([known.anchors[name].variance for name in ids])
    report = _report(known, ids, fitted.ability[rows] - level, fitted.covariance, rows, variance)
    covariance = fitted.covariance
    total = covariance[np.ix_(rows, rows)] + np.diag(variance) + _FREE_SHIFT
    gain = np.linalg.solve(total, covariance[rows]).T
    return Linked(
        ability=fitted.ability + gain @ (level - fitted.ability[rows]),
        covariance=covariance - gain @ covariance[rows],
        report=report,
    )


def _known_here(pool: JudgedPool, known: PooledAnchors | None) -> tuple[list[str], Ints]:
    anchors = pool.spec.anchors if known else []
    ids = [a.essay_id for a in anchors if known and a.essay_id in known.anchors]
    return ids, pool.indices(ids)


def _report(
    known: PooledAnchors,
    ids: list[str],
    change: Floats,
    covariance: Floats,
    rows: Ints,
    variance: Floats,
) -> AnchorHistoryReport:
    """How far each anchor has moved against the others, with its standard error."""
    total = covariance[np.ix_(rows, rows)] + np.diag(variance)
    weight = 1.0 / total.diagonal()
    weight /= weight.sum()
    # Deviations from the weighted mean: D = I - 1 w'.
    deviation = np.eye(len(ids)) - weight
    moved = deviation @ change
    error = np.sqrt(np.maximum((deviation @ total * deviation).sum(axis=1), 0.0))
    return AnchorHistoryReport(
        batches=known.batches,
        drift_sd=known.drift_sd,
        anchors=[
            AnchorDrift(essay_id=name, moved=float(moved[k]), standard_error=float(error[k]))
            for k, name in enumerate(ids)
        ],
    )
