"""Predictions that earlier fits made of the verdicts, against the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from assessment.domain.comparison import Comparison, has_preference
from assessment.domain.config import BatchConfig
from assessment.domain.result import AuditReport
from assessment.domain.verdict import Winner, rank_gaps
from assessment.statistics.pool import Floats, Ints, JudgedPool
from assessment.statistics.predictions import predict_each
from scoring.audit import Audit, evidence_against_chance, prequential_audit

_EVEN = 0.5
_PREFERRED = {Winner.FIRST: 1.0, Winner.SECOND: 0.0, Winner.TIE: _EVEN}


def audit_predictions(pool: JudgedPool, config: BatchConfig) -> AuditReport:
    """Predictions made before the verdicts, against the verdicts."""
    evidence = evidence_against_chance(pool.comparisons())
    tested = _predict_verdicts(pool, config)
    chance = prequential_audit(
        tested.predicted, tested.preferred, cluster=tested.comparison, log_bayes_factor=evidence
    )
    if not len(tested.predicted):
        return AuditReport(pairs=0, log_bayes_factor=evidence, at_chance=chance.at_chance)
    if not tested.random.any():
        return AuditReport(
            pairs=0,
            tested_pairs=chance.n,
            chance_z=chance.chance_z,
            log_bayes_factor=evidence,
            at_chance=chance.at_chance,
        )
    rows = tested.random
    random = prequential_audit(
        tested.predicted[rows], tested.preferred[rows], cluster=tested.comparison[rows]
    )
    return _report(random, chance)


@dataclass(frozen=True)
class _PredictedVerdicts:
    """P(shown earlier preferred) before each verdict, the verdict, and whether it was random.

    A list has a row for each two of its essays, with the number of its comparison.
    """

    predicted: Floats
    preferred: Floats
    random: np.ndarray
    comparison: Ints


def _predict_verdicts(pool: JudgedPool, config: BatchConfig) -> _PredictedVerdicts:
    opening, opening_predicted = _opening(pool, config)
    later = [c for c in pool.recorded if _was_predicted(c) and not c.resampled]
    tested = opening + later
    preferred = list(map(_list_preferences, tested))
    n_rows = list(map(len, preferred))
    is_random = np.array([not _was_predicted(c) or c.audit for c in tested], dtype=bool)
    return _PredictedVerdicts(
        predicted=_join([*opening_predicted, *map(_list_predictions, later)]),
        preferred=_join(preferred),
        random=np.repeat(is_random, n_rows),
        comparison=np.repeat(np.arange(len(tested)), n_rows),
    )


def _join(rows: Sequence[Sequence[float]]) -> Floats:
    return np.array(list(chain.from_iterable(rows)), dtype=np.float64)


def _was_predicted(comparison: Comparison) -> bool:
    return comparison.predicted is not None or bool(comparison.predicted_pairs)


def _list_predictions(comparison: Comparison) -> list[float]:
    pair = [] if comparison.predicted is None else [comparison.predicted]
    return [*pair, *comparison.predicted_pairs]


def _list_preferences(comparison: Comparison) -> list[float]:
    """Of each two essays, 1 if the one shown earlier is preferred, 0 if the other, .5 for a tie."""
    if comparison.pair_verdict is not None:
        return [_PREFERRED[comparison.pair_verdict.winner]]
    verdict = comparison.list_verdict
    if verdict is None:
        return []
    # Essays that ties link have one level, however long the chain.
    levels = np.concatenate([[0], np.cumsum(np.sign(rank_gaps(verdict)))])
    level = dict(zip(verdict.ranking, levels.tolist(), strict=True))
    return [
        _EVEN if level[one] == level[other] else float(level[one] < level[other])
        for one, other in combinations(comparison.essay_ids, 2)
    ]


def _opening(
    pool: JudgedPool, config: BatchConfig
) -> tuple[list[Comparison], list[Sequence[float]]]:
    """The second half of the opening wave, predicted from its first half.

    All comparisons of an opening wave are random, so its own first half may predict the rest.
    """
    opening = [c for c in pool.recorded if not _was_predicted(c) and not c.resampled]
    middle = len(opening) // 2
    if middle == 0:
        return [], []
    rest = opening[middle:]
    if not has_preference(opening[:middle]):
        return rest, [[_EVEN] * len(_list_preferences(c)) for c in rest]
    half = pool.fit_quickly(config, opening[:middle])
    predicted = predict_each(half, [pool.indices(c.essay_ids) for c in rest])
    return rest, [each.tolist() for each in predicted]


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
