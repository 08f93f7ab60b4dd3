"""The way to `scoring`: the domain's comparisons as arrays, its estimates as results.

Only the functions with the scoring layer import this module. It and the other modules of this
package are the only ones that import `scoring`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from assessment.domain.comparison import Comparison, PlannedList, PlannedPair, has_preference
from assessment.domain.config import BatchConfig
from assessment.domain.errors import ScoringFailedError
from assessment.domain.result import (
    Conclusion,
    OrderEffect,
    Ranking,
    Scores,
)
from assessment.domain.spec import BatchSpec
from assessment.domain.surface import SurfaceFeatures
from assessment.domain.wave_outline import WaveOutline
from assessment.statistics.anchors import measure_anchors
from assessment.statistics.audit import audit_predictions
from assessment.statistics.baselines import describe_baselines
from assessment.statistics.conclusion import (
    all_reliabilities,
    describe_judges,
    describe_rankings,
    describe_reliability,
)
from assessment.statistics.grades import project_grades
from assessment.statistics.groups import describe_groups
from assessment.statistics.list_sharpness import describe_list_sharpness
from assessment.statistics.plans import plan_comparisons
from assessment.statistics.pool import Ints, JudgedPool
from scoring import Fit, ScoringError
from scoring.ranks import competition_ranks, kendall_tau_b


@contextmanager
def _translate_failures() -> Iterator[None]:
    try:
        yield
    except ScoringError as error:
        raise ScoringFailedError(str(error)) from error


class ScoringStatistics:
    """Planning, scoring and grading by the `scoring` package."""

    def plan(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        seed: int,
        outline: WaveOutline,
    ) -> list[PlannedPair | PlannedList]:
        """The next wave's comparisons with the predictions of the fit that stands now."""
        pool = JudgedPool.from_comparisons(spec, comparisons)
        with _translate_failures():
            standing = pool.fit(config) if has_preference(pool.recorded) else None
            return plan_comparisons(
                pool,
                comparisons,
                standing,
                config=config,
                rng=np.random.default_rng([seed, outline.wave_number]),
                outline=outline,
            )

    def score(
        self, spec: BatchSpec, comparisons: Sequence[Comparison], *, config: BatchConfig
    ) -> Scores:
        """Abilities with standard errors, and what is known of the judges."""
        pool = JudgedPool.from_comparisons(spec, comparisons)
        with _translate_failures():
            return _scores(pool, pool.fit(config), config)

    def conclude(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        measured_at: str = "",
        surface: Mapping[str, SurfaceFeatures] | None = None,
    ) -> Conclusion:
        """The last fit with grades, rank intervals, misfit and all reliabilities."""
        pool = JudgedPool.from_comparisons(spec, comparisons)
        with _translate_failures():
            fit = pool.fit(config)
            scores = _scores(pool, fit, config)
            judged = pool.comparisons()
            graded = project_grades(pool, fit, config)
            return Conclusion(
                scores=scores.model_copy(
                    update={
                        "rankings": describe_rankings(scores.rankings, pool, fit, judged),
                        "reliability": all_reliabilities(scores.reliability, fit, judged),
                    }
                ),
                projections=graded.projections,
                judges=describe_judges(pool, fit, judged),
                groups=describe_groups(pool, fit),
                baselines=describe_baselines(pool, fit, graded, surface or {}, config),
                measurement=measure_anchors(
                    pool, graded.own_grade_probability, measured_at=measured_at
                ),
            )


def _scores(pool: JudgedPool, fit: Fit, config: BatchConfig) -> Scores:
    counts = pool.counts()
    anchors, grade = pool.anchors()
    return Scores(
        rankings=_rankings(pool.spec, fit, counts),
        reliability=describe_reliability(pool, fit),
        order_effects=[
            OrderEffect(
                judge=judge,
                estimate=float(fit.order_effect[index]),
                standard_error=float(fit.order_effect_se[index]),
            )
            for index, judge in enumerate(pool.judges)
        ],
        audit=audit_predictions(pool, config),
        components=int(np.unique(fit.components).size),
        isolated_essays=int((counts == 0).sum()),
        anchor_order=kendall_tau_b(fit.ability[anchors], grade),
        list_sharpness=describe_list_sharpness(pool, fit),
    )


def _rankings(spec: BatchSpec, fit: Fit, counts: Ints) -> list[Ranking]:
    """Essays by ability, the best first; equal abilities share a rank."""
    order = np.argsort(-fit.ability, kind="stable")
    ranks = competition_ranks(fit.ability)
    return [
        Ranking(
            rank=int(ranks[index]),
            essay_id=spec.essays[index].essay_id,
            bradley_terry_score=float(fit.ability[index]),
            bradley_terry_se=float(fit.standard_error[index]),
            comparison_count=int(counts[index]),
            is_anchor=spec.essays[index].is_anchor,
            anchor_grade=spec.essays[index].grade,
        )
        for index in order
    ]
