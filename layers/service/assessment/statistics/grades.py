"""From abilities to grades by `scoring.grades`, with the anchors' health in the batch's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assessment.domain.config import BatchConfig
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
    GradeProjections,
    confidence_label,
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

_REVERSED = "anchors_reversed"
_UNORDERED = "anchors_unordered"


@dataclass(frozen=True)
class GradedBatch:
    """The grades of a batch, and what each anchor's own grade has by the other anchors.

    Attributes
    ----------
    projections : GradeProjections
    own_grade_probability : dict of str to float
        By essay id; empty where there are no grades.
    """

    projections: GradeProjections
    own_grade_probability: dict[str, float]


def project_grades(pool: JudgedPool, fit: Fit, config: BatchConfig) -> GradedBatch:
    """The probability of every grade for every student essay, or why there is none."""
    scale, anchors = pool.spec.grade_scale, pool.spec.anchors
    if scale is None or not anchors:
        return _unavailable("the assignment has no anchors")
    students = [essay.essay_id for essay in pool.spec.essays if not essay.is_anchor]
    at_one_spread = pool.fit_at_one_spread(fit)
    link = link_to_history(pool, at_one_spread)
    graded = GradedPool(pool, at_one_spread, link, config, scale, anchors, students)
    try:
        projection = graded.project()
    except FewAnchorGradesError:
        return _unavailable(
            f"all {len(anchors)} anchors have the grade {anchors[0].grade}: boundaries need "
            "anchors of at least two grades"
        )
    reason = _why_unusable(projection.calibration, *pool.anchors(), fit.ability)
    if reason is not None:
        return _unavailable(reason)
    return GradedBatch(
        _projections(graded, projection), own_grade_probabilities(graded, projection)
    )


def _unavailable(reason: str) -> GradedBatch:
    return GradedBatch(GradeProjections(projections_available=False, reason=reason), {})


def _why_unusable(
    calibration: Calibration, anchors: Ints, grade: Ints, ability: Floats
) -> str | None:
    """Why no grade may be read off these anchors; None if they will do.

    Reversed beyond chance they contradict their grades. In no order at all they say nothing about
    where grades lie, though a line can be drawn through any points.
    """
    messages = {warning.code: warning.message for warning in calibration.warnings}
    if _REVERSED in messages:
        return messages[_REVERSED]
    order = kendall_tau_b(ability[anchors], grade)
    if _UNORDERED in messages and (order is None or order <= 0):
        return messages[_UNORDERED]
    return None


def _projections(graded: GradedPool, projection: Projection) -> GradeProjections:
    scale, students = graded.scale, graded.students
    shares = {
        student: dict(zip(scale.grades, round_shares(row), strict=True))
        for student, row in zip(students, projection.probabilities.tolist(), strict=True)
    }
    rule = graded.config.grade_rule
    evidence = _evidence(graded)
    primary = {student: published_grade(shares[student], rule) for student in students}
    entropy = {student: normalised_entropy(list(shares[student].values())) for student in students}
    passing = {student: pass_probability(shares[student], scale) for student in students}
    least = graded.config.needs_more_evidence_below
    doubtful = [student for student in students if max(shares[student].values()) < least]
    boundaries: list[float] = projection.calibration.boundaries.tolist()
    sets, set_calibration = calibrate_sets(graded, projection, primary)
    return GradeProjections(
        projections_available=True,
        grade_scale=list(scale.grades),
        grade_rule=rule,
        primary_grades=primary,
        grade_probabilities=shares,
        confidence_labels={
            student: confidence_label(entropy[student], max(shares[student].values()))
            for student in students
        },
        confidence_scores={student: 1.0 - entropy[student] for student in students},
        grade_sets={s: grade_set(shares[s], primary[s]) for s in students},
        calibrated_sets=sets,
        set_calibration=set_calibration,
        refined_grades={
            student: refined_grade(
                primary[student], evidence[student].ability, scale=scale, boundaries=boundaries
            )
            for student in students
        },
        pass_probabilities={s: share for s, share in passing.items() if share is not None},
        needs_more_evidence=doubtful,
        further_comparisons={
            student: list_unsettled(
                evidence[student],
                boundaries=boundaries,
                boundary_se=_reading_error(projection),
                prior_sd=graded.fit.prior_sd or float("inf"),
                at_least=least,
            )
            for student in doubtful
        },
        calibration_info=_calibration_info(graded, projection),
    )


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
        anchor_spread=projection.spread.in_widths,
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
