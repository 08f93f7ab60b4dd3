"""From abilities to grades by `scoring.grades`, with the anchors' health in the batch's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading import (
    Evidence,
    grade_set,
    list_unsettled,
    normalised_entropy,
    pass_probability,
    published_grade,
    refined_grade,
    round_shares,
)
from assessment.domain.grading_result import (
    AnchorHealth,
    CalibrationCheck,
    CalibrationInfo,
    Confidence,
    GradeProjections,
    NoGrades,
    NoGradesReason,
    confidence_label,
    refuse_grades,
)
from assessment.statistics.anchors import link_to_history
from assessment.statistics.findings import list_findings
from assessment.statistics.grade_sets import calibrate_sets, own_grade_probabilities
from assessment.statistics.graded_pool import GradedPool
from assessment.statistics.pool import Floats, Ints, JudgedPool
from scoring import Fit
from scoring.errors import FewAnchorGradesError
from scoring.grades import Calibration
from scoring.projections import Projection
from scoring.ranks import count_misordered, kendall_tau_b

type _Shares = dict[str, dict[str, float]]
"""P(grade) by essay id and grade, in the order of the scale."""

_NO_ANCHORS = NoGrades(code=NoGradesReason.NO_ANCHORS, message="the assignment has no anchors")


@dataclass(frozen=True)
class GradedBatch:
    """The grades of a batch, and what each anchor's own grade has by the other anchors.

    Attributes
    ----------
    projections : GradeProjections
    own_grade_probability : dict of str to float
        By essay id; empty where there are no grades.
    anchor_probabilities : (a, G) ndarray of float, or None
        P(grade) of each anchor by the others; None where there are no grades.
    """

    projections: GradeProjections
    own_grade_probability: dict[str, float]
    anchor_probabilities: Floats | None = None


def project_grades(pool: JudgedPool, fit: Fit, config: BatchConfig) -> GradedBatch:
    """The probability of every grade for every student essay, or why there is none."""
    scale, anchors = pool.spec.grade_scale, pool.spec.anchors
    if scale is None or not anchors:
        return _unavailable(_NO_ANCHORS)
    students = [essay.essay_id for essay in pool.spec.essays if not essay.is_anchor]
    at_one_spread = pool.fit_at_one_spread(fit)
    link = link_to_history(pool, at_one_spread)
    graded = GradedPool(pool, at_one_spread, link, config, scale, anchors, students)
    try:
        projection = graded.project()
    except FewAnchorGradesError:
        return _unavailable(
            NoGrades(
                code=NoGradesReason.ONE_GRADE,
                message=f"all {len(anchors)} anchors have the grade {anchors[0].grade}: boundaries "
                "need anchors of at least two grades",
            )
        )
    why = _why_unusable(projection.calibration, *pool.anchors(), fit.ability)
    if why is not None:
        return _unavailable(why)
    return GradedBatch(
        _projections(graded, projection),
        own_grade_probabilities(graded, projection),
        projection.anchor_probabilities,
    )


def _unavailable(why: NoGrades) -> GradedBatch:
    return GradedBatch(refuse_grades(why), {})


def _why_unusable(
    calibration: Calibration, anchors: Ints, grade: Ints, ability: Floats
) -> NoGrades | None:
    """Why no grade may be read off these anchors; None if they will do.

    Reversed beyond chance they contradict their grades. In no order at all they say nothing about
    where grades lie, though a line can be drawn through any points.
    """
    messages = {warning.code: warning.message for warning in calibration.warnings}
    order = kendall_tau_b(ability[anchors], grade)
    for code in (NoGradesReason.REVERSED, NoGradesReason.UNORDERED):
        is_against = code is NoGradesReason.REVERSED or order is None or order <= 0
        if code in messages and is_against:
            return NoGrades(code=code, message=messages[code])
    return None


def _projections(graded: GradedPool, projection: Projection) -> GradeProjections:
    rule = graded.config.grade_rule
    shares = _shares(graded, projection.probabilities)
    primary = {student: published_grade(row, rule) for student, row in shares.items()}
    labels, scores = _confidence(shares)
    sets, set_calibration = calibrate_sets(graded, projection, primary)
    further = _further_comparisons(graded, projection, shares)
    return GradeProjections(
        projections_available=True,
        grade_scale=list(graded.scale.grades),
        grade_rule=rule,
        primary_grades=primary,
        grade_probabilities=shares,
        confidence_labels=labels,
        confidence_scores=scores,
        grade_sets={student: grade_set(row, primary[student]) for student, row in shares.items()},
        calibrated_sets=sets,
        set_probabilities=_set_shares(graded, projection),
        set_calibration=set_calibration,
        refined_grades=_refine(graded, projection, primary),
        pass_probabilities=_pass_probabilities(graded.scale, shares),
        needs_more_evidence=list(further),
        further_comparisons=further,
        calibration_info=_calibration_info(graded, projection),
    )


def _shares(graded: GradedPool, probabilities: Floats) -> _Shares:
    return {
        student: dict(zip(graded.scale.grades, round_shares(row), strict=True))
        for student, row in zip(graded.students, probabilities.tolist(), strict=True)
    }


def _set_shares(graded: GradedPool, projection: Projection) -> _Shares:
    """What the sets are made of; nothing where that is what the grades are read from."""
    if projection.by_class is None:
        return {}
    return _shares(graded, projection.set_probabilities)


def _confidence(shares: _Shares) -> tuple[dict[str, Confidence], dict[str, float]]:
    entropy = {student: normalised_entropy(list(row.values())) for student, row in shares.items()}
    labels = {
        student: confidence_label(entropy[student], max(row.values()))
        for student, row in shares.items()
    }
    return labels, {student: 1.0 - value for student, value in entropy.items()}


def _pass_probabilities(scale: GradeScale, shares: _Shares) -> dict[str, float]:
    passing = {student: pass_probability(row, scale) for student, row in shares.items()}
    return {student: share for student, share in passing.items() if share is not None}


def _refine(
    graded: GradedPool, projection: Projection, primary: Mapping[str, str]
) -> dict[str, str]:
    boundaries: list[float] = projection.calibration.boundaries.tolist()
    return {
        student: refined_grade(
            primary[student], evidence.ability, scale=graded.scale, boundaries=boundaries
        )
        for student, evidence in _evidence(graded).items()
    }


def _further_comparisons(
    graded: GradedPool, projection: Projection, shares: _Shares
) -> dict[str, int | None]:
    """For each essay that needs more evidence, how many comparisons would give it."""
    least = graded.config.needs_more_evidence_below
    boundaries: list[float] = projection.calibration.boundaries.tolist()
    boundary_se = _reading_error(projection)
    return {
        student: list_unsettled(
            evidence,
            boundaries=boundaries,
            boundary_se=boundary_se,
            prior_sd=graded.fit.prior_sd or float("inf"),
            least_probability=least,
        )
        for student, evidence in _evidence(graded).items()
        if max(shares[student].values()) < least
    }


def _reading_error(projection: Projection) -> list[float]:
    """What stays uncertain about the boundaries of one grader's grades, however many verdicts."""
    spread = projection.spread
    noise = spread.logits**2 if spread.is_noisy else 0.0
    errors: list[float] = np.sqrt(projection.calibration.boundary_se**2 + noise).tolist()
    return errors


def _evidence(graded: GradedPool) -> dict[str, Evidence]:
    rows = graded.pool.indices(graded.students)
    counts = graded.pool.counts()
    fit = graded.fit
    return {
        student: Evidence(float(fit.ability[row]), float(fit.standard_error[row]), int(counts[row]))
        for student, row in zip(graded.students, rows, strict=True)
    }


def _calibration_info(graded: GradedPool, projection: Projection) -> CalibrationInfo:
    calibration = projection.calibration
    scale = graded.scale
    steps = [f"{low}|{high}" for low, high in zip(scale.grades, scale.grades[1:], strict=False)]
    findings = list_findings(graded, projection)
    report = calibration.report
    return CalibrationInfo(
        method=calibration.method,
        boundaries=dict(zip(steps, calibration.boundaries.tolist(), strict=True)),
        boundary_se=dict(zip(steps, calibration.boundary_se.tolist(), strict=True)),
        grade_centres=dict(zip(scale.grades, calibration.grade_centres.tolist(), strict=True)),
        anchors=_health(graded, calibration),
        extrapolated_grades=[scale.grades[g] for g in calibration.extrapolated_grades],
        warnings=[finding.message for finding in findings],
        findings=findings,
        self_check=CalibrationCheck(anchors=report.n_anchors, rps=report.rps, ece=report.ece),
        anchor_spread=projection.spread.width_ratio,
        population=graded.pool.spec.population,
        history=graded.link.report,
    )


def _health(graded: GradedPool, calibration: Calibration) -> list[AnchorHealth]:
    anchors, grade = graded.pool.anchors()
    misorder = count_misordered(graded.fit.ability[anchors], grade)
    shift = calibration.report.boundary_shift
    return [
        AnchorHealth(
            essay_id=anchor.essay_id,
            anchor_ref=anchor.anchor_ref,
            grade=anchor.grade or "",
            weight=float(calibration.anchor_weight[row]),
            residual=float(calibration.anchor_residual[row]),
            misorder=int(misorder[row]),
            boundary_shift=float(shift[row]) if np.isfinite(shift[row]) else None,
        )
        for row, anchor in enumerate(graded.anchors)
    ]
