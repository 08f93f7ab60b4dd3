"""Predictions that earlier fits made of the verdicts, against the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from assessment.domain.comparison import Comparison, has_preference
from assessment.domain.config import BatchConfig
from assessment.domain.result import AuditReport
from assessment.domain.verdict import Winner, rank_gaps
from assessment.statistics.pool import Floats, Ints, JudgedPool
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
    """P(shown earlier preferred) before each verdict, the verdict, and whether it was random.

    A list has a row for each two of its essays, with the number of its comparison.
    """

    predicted: Floats
    preferred: Floats
    random: np.ndarray
    comparison: Ints


def _predicted_verdicts(pool: JudgedPool, config: BatchConfig) -> _PredictedVerdicts:
    opening, opening_predicted = _opening(pool, config)
    later = [c for c in pool.recorded if _was_predicted(c) and not c.resampled]
    tested = opening + later
    predicted = opening_predicted + [_list_predictions(c) for c in later]
    preferred = [_list_preferences(c) for c in tested]
    is_random = [not _was_predicted(c) or c.audit for c in tested]
    n_rows = [len(each) for each in preferred]
    return _PredictedVerdicts(
        predicted=np.array([p for each in predicted for p in each], dtype=np.float64),
        preferred=np.array([y for each in preferred for y in each], dtype=np.float64),
        random=np.repeat(np.array(is_random, dtype=bool), n_rows),
        comparison=np.repeat(np.arange(len(tested)), n_rows),
    )


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
    pairs = [list(combinations(c.essay_ids, 2)) for c in rest]
    predicted = half.predict(
        pool.indices([first for each in pairs for first, _ in each]),
        pool.indices([second for each in pairs for _, second in each]),
    )
    ends = np.cumsum([len(each) for each in pairs])
    return rest, [each.tolist() for each in np.split(predicted, ends[:-1])]


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
