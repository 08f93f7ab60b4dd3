"""What a teacher should know about the anchors, in words."""

from __future__ import annotations

from assessment.domain.essay import Essay
from assessment.domain.grading_result import CalibrationFinding
from assessment.statistics.graded_pool import GradedPool
from scoring.grader_spread import EXPECTED_SPREAD, AnchorSpread
from scoring.grades import Calibration

# Standard errors beyond which an anchor is said to have drifted.
_DRIFTED_BEYOND = 3.0
_MISGRADED = "anchor_misgraded"
_MISSING = "grades_without_anchors"
_IRREPLACEABLE = "irreplaceable_anchors"


def list_findings(
    graded: GradedPool, calibration: Calibration, spread: AnchorSpread
) -> list[CalibrationFinding]:
    """What the calibration warns of, with names of essays and grades instead of positions."""
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
    return findings + _ignored_prior(graded) + _noise(spread) + _drifted(graded)


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
