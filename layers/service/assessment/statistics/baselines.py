"""The baselines of a batch: abilities and grades beside what length and surface alone say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from statistics import fmean
from typing import Any

import numpy as np

from assessment.domain.baselines import (
    Baseline,
    BaselineGrades,
    BaselineName,
    BaselineReport,
    find_no_gain,
)
from assessment.domain.config import BatchConfig
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading import published_grade, round_shares
from assessment.domain.judge import SURFACE_MODEL
from assessment.domain.surface import SurfaceFeatures, surface_score
from assessment.statistics.graded_pool import order_population
from assessment.statistics.grades import GradedBatch
from assessment.statistics.pool import Floats, Ints, JudgedPool
from scoring import Fit
from scoring.covariate import CovariateEffect, regress_ability
from scoring.errors import FewAnchorGradesError, InvalidSettingError
from scoring.grades import ranked_probability_score
from scoring.projections import AnchorGrades
from scoring.ranks import spearman, spearman_interval
from scoring.score_grades import grade_by_score


def describe_baselines(
    pool: JudgedPool,
    fit: Fit,
    graded: GradedBatch,
    surface: Mapping[str, SurfaceFeatures],
    config: BatchConfig,
) -> BaselineReport | None:
    """Both baselines; None where not every essay was measured.

    Parameters
    ----------
    pool
        The batch.
    fit
        Of all its verdicts.
    graded
        Its grades by ability.
    surface
        The figures of the texts by essay id.
    config
        Its rule of the published grade.

    Returns
    -------
    BaselineReport or None
    """
    scores = _list_scores(pool, surface)
    if scores is None:
        return None
    effects = _regress(pool.fit_at_one_spread(fit), list(scores.values()))
    made = {
        name: _describe(fit, score, effect, _grade(pool, graded, score, config))
        for (name, score), effect in zip(scores.items(), effects, strict=True)
    }
    findings = [find_no_gain(name, baseline) for name, baseline in made.items()]
    return BaselineReport(
        essays=pool.n_essays,
        surface_model=SURFACE_MODEL,
        length=made[BaselineName.LENGTH],
        surface=made[BaselineName.SURFACE],
        findings=list(chain.from_iterable(findings)),
    )


def _list_scores(
    pool: JudgedPool, surface: Mapping[str, SurfaceFeatures]
) -> dict[BaselineName, Floats] | None:
    """The scores of all essays, (n,) each; None where one of them was not measured."""
    figures = [surface.get(essay.essay_id) for essay in pool.spec.essays]
    measured = [each for each in figures if each is not None]
    if len(measured) < len(figures):
        return None
    return {
        BaselineName.LENGTH: np.array([each.log_words for each in measured]),
        BaselineName.SURFACE: np.array([surface_score(each) for each in measured]),
    }


def _regress(fit: Fit, scores: list[Floats]) -> list[CovariateEffect | None]:
    """The regressions of the abilities on each score; None where there is too little to regress."""
    try:
        return regress_ability(fit, scores)
    except InvalidSettingError:
        return [None] * len(scores)


def _describe(
    fit: Fit, score: Floats, effect: CovariateEffect | None, grades: BaselineGrades | None
) -> Baseline:
    agreement = spearman(fit.ability, score)
    baseline = Baseline(
        spearman=agreement,
        spearman_interval=spearman_interval(agreement, len(score)),
        grades=grades,
    )
    if effect is None:
        return baseline
    return baseline.model_copy(
        update={
            "slope": effect.slope,
            "slope_interval": effect.slope_interval,
            "explained_share": effect.explained,
            "explained_interval": effect.explained_interval,
            "residual_sd": effect.residual_sd,
            "residual_interval": effect.residual_interval,
            "explains_all": effect.explains_all,
        }
    )


def _grade(
    pool: JudgedPool, graded: GradedBatch, score: Floats, config: BatchConfig
) -> BaselineGrades | None:
    """The grades by a score; None where the anchors allow none."""
    scale, (essays, grade) = pool.spec.grade_scale, pool.anchors()
    if scale is None or not len(essays):
        return None
    students = [essay.essay_id for essay in pool.spec.essays if not essay.is_anchor]
    anchors = AnchorGrades(essays, grade, len(scale.grades), *order_population(pool, scale))
    try:
        made = grade_by_score(score, anchors, students=pool.indices(students))
    except FewAnchorGradesError:
        return None
    primary = _publish(students, made.probabilities, scale, config)
    return BaselineGrades(
        equal_share=_share_equal(primary, graded.projections.primary_grades),
        primary_grades=primary,
        **_check(made.anchor_probabilities, graded.anchor_probabilities, grade),
    )


def _publish(
    students: list[str], probabilities: Floats, scale: GradeScale, config: BatchConfig
) -> dict[str, str]:
    """The published grade of every student by the batch's rule."""
    shares = [
        dict(zip(scale.grades, round_shares(row), strict=True)) for row in probabilities.tolist()
    ]
    grades = [published_grade(row, config.grade_rule) for row in shares]
    return dict(zip(students, grades, strict=True))


def _share_equal(one: Mapping[str, str], two: Mapping[str, str]) -> float | None:
    """The share of the second's students with the same grade in both; None without students."""
    return fmean(one[student] == grade for student, grade in two.items()) if two else None


def _check(baseline: Floats, own: Floats | None, grade: Ints) -> dict[str, Any]:
    """Both probability scores on the anchors that both grade by the others."""
    graded = np.isfinite(baseline).all(axis=1)
    if own is not None:
        graded &= np.isfinite(own).all(axis=1)
    if not graded.any():
        return {"anchors": 0}
    return {
        "anchors": int(graded.sum()),
        "rps": ranked_probability_score(baseline[graded], grade[graded]),
        "rps_of_abilities": None
        if own is None
        else ranked_probability_score(own[graded], grade[graded]),
    }
