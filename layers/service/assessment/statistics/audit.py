"""Predictions that earlier fits made of the verdicts, against the verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assessment.domain.comparison import Comparison, has_preference
from assessment.domain.config import BatchConfig
from assessment.domain.result import AuditReport
from assessment.domain.verdict import Winner
from assessment.statistics.pool import Floats, JudgedPool
from scoring.audit import Audit, evidence_against_chance, prequential_audit

_EVEN = 0.5
_PREFERRED = {Winner.FIRST: 1.0, Winner.SECOND: 0.0, Winner.TIE: _EVEN}


def audit_predictions(pool: JudgedPool, config: BatchConfig) -> AuditReport:
    """Predictions made before the verdicts, against the verdicts."""
    evidence = evidence_against_chance(pool.comparisons())
    tested = _predicted_verdicts(pool, config)
    chance = prequential_audit(tested.predicted, tested.preferred, log_bayes_factor=evidence)
    if not len(tested.predicted):
        return AuditReport(pairs=0, log_bayes_factor=evidence, at_chance=chance.at_chance)
    if not tested.random.any():
        return AuditReport(
            pairs=0,
            tested_pairs=len(tested.predicted),
            chance_z=chance.chance_z,
            log_bayes_factor=evidence,
            at_chance=chance.at_chance,
        )
    random = prequential_audit(tested.predicted[tested.random], tested.preferred[tested.random])
    return _report(random, chance)


@dataclass(frozen=True)
class _PredictedVerdicts:
    """P(first preferred) before each verdict, the verdict, and whether its pair was random."""

    predicted: Floats
    preferred: Floats
    random: np.ndarray


def _predicted_verdicts(pool: JudgedPool, config: BatchConfig) -> _PredictedVerdicts:
    opening, opening_predicted = _opening(pool, config)
    later = [c for c in pool.recorded if c.predicted is not None and not c.resampled]
    tested = opening + later
    later_predicted = [c.predicted for c in later if c.predicted is not None]
    return _PredictedVerdicts(
        predicted=np.array(opening_predicted + later_predicted, dtype=np.float64),
        preferred=np.array([_PREFERRED[c.pair_verdict.winner] for c in tested if c.pair_verdict]),
        random=np.array([c.predicted is None or c.audit for c in tested], dtype=bool),
    )


def _opening(pool: JudgedPool, config: BatchConfig) -> tuple[list[Comparison], list[float]]:
    """The second half of the opening wave, predicted from its first half.

    All pairs of an opening wave are random, so its own first half may predict the rest.
    """
    opening = [c for c in pool.recorded if c.predicted is None and not c.resampled]
    middle = len(opening) // 2
    if middle == 0:
        return [], []
    rest = opening[middle:]
    if not has_preference(opening[:middle]):
        return rest, [_EVEN] * len(rest)
    half = pool.fit_quickly(config, opening[:middle])
    predicted = half.predict(
        pool.indices([c.first for c in rest]), pool.indices([c.second for c in rest])
    )
    return rest, [float(p) for p in predicted]


def _report(audit: Audit, chance: Audit) -> AuditReport:
    return AuditReport(
        pairs=audit.n,
        tested_pairs=chance.n,
        chance_z=chance.chance_z,
        log_bayes_factor=chance.log_bayes_factor,
        agreement=audit.agreement,
        agreement_interval=_finite(audit.agreement_interval),
        log_loss=audit.log_loss,
        log_loss_interval=_finite(audit.log_loss_interval),
        slope=audit.slope,
        slope_interval=_finite(audit.slope_interval),
        at_chance=chance.at_chance,
    )


def _finite(interval: tuple[float, float]) -> tuple[float, float] | None:
    return interval if np.isfinite(interval).all() else None
