"""From abilities to grades by `scoring.grades`, with the anchors' health in the batch's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.essay import Essay
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading import (
    Evidence,
    comparisons_to_settle,
    grade_set,
    likeliest_grade,
    normalised_entropy,
    pass_probability,
    published_shares,
    refined_grade,
)
from assessment.domain.grading_result import (
    AnchorHealth,
    CalibrationCheck,
    CalibrationFinding,
    CalibrationInfo,
    GradeProjections,
    confidence_label,
)
from assessment.statistics.anchors import Linked, linked
from assessment.statistics.pool import Floats, Ints, JudgedPool
from scoring import Fit
from scoring.grader_spread import (
    EXPECTED_SPREAD,
    AnchorSpread,
    anchor_spread,
    noisy_probabilities,
    without_prior,
)
from scoring.grades import Calibration, FewAnchorGradesError, calibrate

# Standard errors beyond which an anchor is said to have drifted.
_DRIFTED_BEYOND = 3.0
_REVERSED = "anchors_reversed"
_UNORDERED = "anchors_unordered"
_MISGRADED = "anchor_misgraded"
_MISSING = "grades_without_anchors"
_IRREPLACEABLE = "irreplaceable_anchors"


@dataclass(frozen=True)
class GradedPool:
    """A fitted pool whose specification has anchors and a scale."""

    pool: JudgedPool
    fitted: Fit
    link: Linked
    config: BatchConfig
    scale: GradeScale
    anchors: list[Essay]
    students: list[str]

    def calibrated(self, *, with_population: bool) -> Calibration:
        """Boundaries and probabilities; raises FewAnchorGradesError and other ScoringErrors."""
        anchors, anchor_grade = self.pool.anchors()
        population = self._population() if with_population else None
        return calibrate(
            self.link.ability,
            self.link.covariance,
            anchors=anchors,
            anchor_grade=anchor_grade,
            n_grades=len(self.scale.grades),
            students=self.pool.indices(self.students),
            method=self.config.grade_method,
            population=None if population is None else population[0],
            population_weight=0.0 if population is None else population[1],
            prior_sd=self.config.prior_sd,
        )

    def spread(self, calibration: Calibration) -> AnchorSpread:
        """How far the anchors lie from the centres of their grades."""
        _, variance = without_prior(self.fitted, self.config.prior_sd)
        return anchor_spread(calibration, variance[self.pool.anchors()[0]])

    def probabilities(self, calibration: Calibration, spread: AnchorSpread) -> Floats:
        """P(grade) of the students; wider where the anchors show that their graders disagree."""
        if calibration.method != "gls" or not spread.is_noisy:
            return calibration.probabilities
        ability, variance = without_prior(self.fitted, self.config.prior_sd)
        population = self._population()
        return noisy_probabilities(
            calibration,
            spread,
            ability=ability,
            variance=variance,
            students=self.pool.indices(self.students),
            population=None if population is None else population[0],
            population_weight=0.0 if population is None else population[1],
        )

    def _population(self) -> tuple[tuple[float, ...], float] | None:
        """The assignment's prior, for the one method that can use it."""
        prior = self.pool.spec.population
        if prior is None or self.config.grade_method != "gls":
            return None
        return prior.on(self.scale), prior.weight


def project_grades(pool: JudgedPool, fitted: Fit, config: BatchConfig) -> GradeProjections:
    """The probability of every grade for every student essay, or why there is none."""
    scale, anchors = pool.spec.grade_scale, pool.spec.anchors
    if scale is None or not anchors:
        return _unavailable("the assignment has no anchors")
    students = [essay.essay_id for essay in pool.spec.essays if not essay.is_anchor]
    graded = GradedPool(pool, fitted, linked(pool, fitted), config, scale, anchors, students)
    try:
        calibration = graded.calibrated(with_population=False)
    except FewAnchorGradesError:
        return _unavailable(
            f"all {len(anchors)} anchors have the grade {anchors[0].grade}: boundaries need "
            "anchors of at least two grades"
        )
    reason = _why_unusable(calibration, *pool.anchors(), fitted.ability)
    if reason is not None:
        return _unavailable(reason)
    spread = graded.spread(calibration)
    if not spread.is_noisy and pool.spec.population is not None:
        calibration = graded.calibrated(with_population=True)
    return _projections(graded, calibration, spread)


def _unavailable(reason: str) -> GradeProjections:
    return GradeProjections(projections_available=False, reason=reason)


def anchor_order(ability: Floats, grade: Ints) -> float | None:
    """Kendall's tau-b of abilities and grades (Kendall 1945); None without an order."""
    above = np.sign(np.subtract.outer(ability, ability))
    higher = np.sign(np.subtract.outer(grade, grade))
    norm = float(np.sqrt((above**2).sum() * (higher**2).sum()))
    return float((above * higher).sum()) / norm if norm > 0 else None


def _why_unusable(
    calibration: Calibration, anchors: Ints, grade: Ints, ability: Floats
) -> str | None:
    """Why no grade may be read off these anchors; None if they will do.

    Reversed beyond chance they contradict their grades. In no order at all they say nothing about
    where grades lie, though a line can be drawn through any points.
    """
    found = {warning.code: warning.message for warning in calibration.warnings}
    if _REVERSED in found:
        return found[_REVERSED]
    order = anchor_order(ability[anchors], grade)
    if _UNORDERED in found and (order is None or order <= 0):
        return found[_UNORDERED]
    return None


def _projections(
    graded: GradedPool, calibration: Calibration, spread: AnchorSpread
) -> GradeProjections:
    scale, students = graded.scale, graded.students
    probabilities = graded.probabilities(calibration, spread)
    shares = {
        student: dict(zip(scale.grades, published_shares(row), strict=True))
        for student, row in zip(students, probabilities.tolist(), strict=True)
    }
    evidence = _evidence(graded)
    primary = {student: likeliest_grade(shares[student]) for student in students}
    entropy = {student: normalised_entropy(list(shares[student].values())) for student in students}
    passing = {student: pass_probability(shares[student], scale) for student in students}
    least = graded.config.needs_more_evidence_below
    doubtful = [student for student in students if max(shares[student].values()) < least]
    boundaries: list[float] = calibration.boundaries.tolist()
    return GradeProjections(
        projections_available=True,
        grade_scale=list(scale.grades),
        primary_grades=primary,
        grade_probabilities=shares,
        confidence_labels={
            student: confidence_label(entropy[student], max(shares[student].values()))
            for student in students
        },
        confidence_scores={student: 1.0 - entropy[student] for student in students},
        grade_sets={student: grade_set(shares[student]) for student in students},
        refined_grades={
            student: refined_grade(
                primary[student], evidence[student].ability, scale=scale, boundaries=boundaries
            )
            for student in students
        },
        pass_probabilities={s: share for s, share in passing.items() if share is not None},
        needs_more_evidence=doubtful,
        further_comparisons={
            student: comparisons_to_settle(
                evidence[student],
                boundaries=boundaries,
                boundary_se=_reading_error(calibration, spread),
                prior_sd=graded.config.prior_sd,
                at_least=least,
            )
            for student in doubtful
        },
        calibration_info=_calibration_info(graded, calibration, spread),
    )


def _reading_error(calibration: Calibration, spread: AnchorSpread) -> list[float]:
    """What stays uncertain about the boundaries of one grader's grades, however many verdicts."""
    noise = spread.logits**2 if spread.is_noisy else 0.0
    errors: list[float] = np.sqrt(calibration.boundary_se**2 + noise).tolist()
    return errors


def _evidence(graded: GradedPool) -> dict[str, Evidence]:
    rows = graded.pool.indices(graded.students)
    counts = graded.pool.counts()
    fitted = graded.fitted
    return {
        student: Evidence(
            float(fitted.ability[row]), float(fitted.standard_error[row]), int(counts[row])
        )
        for student, row in zip(graded.students, rows, strict=True)
    }


def _calibration_info(
    graded: GradedPool, calibration: Calibration, spread: AnchorSpread
) -> CalibrationInfo:
    scale = graded.scale
    steps = [f"{low}|{high}" for low, high in zip(scale.grades, scale.grades[1:], strict=False)]
    findings = _findings(graded, calibration) + _noise(spread) + _drifted(graded)
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
        anchor_spread=spread.in_widths,
        population=graded.pool.spec.population,
        history=graded.link.report,
    )


def _health(graded: GradedPool, calibration: Calibration) -> list[AnchorHealth]:
    anchors, grade = graded.pool.anchors()
    misorder = _misorder(graded.fitted.ability[anchors], grade)
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


def _misorder(ability: Floats, grade: Ints) -> Ints:
    """For each anchor the number of others that it is on the wrong side of, (a,)."""
    above = np.sign(np.subtract.outer(ability, ability))
    higher = np.sign(np.subtract.outer(grade, grade))
    wrong: Ints = (above * higher < 0).sum(axis=1)
    return wrong


def _findings(graded: GradedPool, calibration: Calibration) -> list[CalibrationFinding]:
    """The calibration's warnings with names of essays and grades instead of positions."""
    ids = [essay.essay_id for essay in graded.pool.spec.essays]
    by_id = {anchor.essay_id: anchor for anchor in graded.anchors}
    residual = {
        anchor.essay_id: float(calibration.anchor_residual[row])
        for row, anchor in enumerate(graded.anchors)
    }
    findings = []
    for warning in calibration.warnings:
        named = [ids[index] for index in warning.anchors]
        message = warning.message
        if warning.code == _MISGRADED:
            message = _misgraded(by_id[named[0]], residual[named[0]])
        elif warning.code == _MISSING:
            missing = ", ".join(graded.scale.grades[g] for g in calibration.extrapolated_grades)
            message = f"no anchor has the grade {missing}: extrapolated from the other grades"
        elif warning.code == _IRREPLACEABLE:
            references = ", ".join(by_id[anchor].anchor_ref or anchor for anchor in named)
            message = f"without {references} a single grade is left: add anchors of other grades"
        findings.append(CalibrationFinding(code=warning.code, message=message, anchors=named))
    return findings + _ignored_prior(graded)


def _misgraded(anchor: Essay, residual: float) -> str:
    side = "above" if residual > 0 else "below"
    return (
        f"anchor {anchor.anchor_ref or anchor.essay_id} lies {abs(residual):.2f} logits {side} "
        f"its grade {anchor.grade}: check its grade"
    )


def _noise(spread: AnchorSpread) -> list[CalibrationFinding]:
    if not spread.is_noisy:
        return []
    message = (
        f"anchors lie {spread.in_widths:.2f} grade widths from the centres of their grades where "
        f"about {EXPECTED_SPREAD} is usual: their graders disagree, and the probabilities allow "
        "for it"
    )
    return [CalibrationFinding(code="graders_disagree", message=message)]


def _drifted(graded: GradedPool) -> list[CalibrationFinding]:
    by_id = {anchor.essay_id: anchor.anchor_ref for anchor in graded.anchors}
    report = graded.link.report
    return [
        CalibrationFinding(
            code="anchor_drifted",
            message=(
                f"anchor {by_id[drift.essay_id]} has moved {drift.moved:+.2f} logits against the "
                f"other anchors since earlier batches (standard error {drift.standard_error:.2f})"
            ),
            anchors=[drift.essay_id],
        )
        for drift in (report.anchors if report else [])
        if abs(drift.moved) > _DRIFTED_BEYOND * drift.standard_error
    ]


def _ignored_prior(graded: GradedPool) -> list[CalibrationFinding]:
    if graded.pool.spec.population is None or graded.config.grade_method == "gls":
        return []
    message = (
        f"the population prior is not used: the method {graded.config.grade_method} has no place "
        "for it, gls has"
    )
    return [CalibrationFinding(code="population_ignored", message=message)]
