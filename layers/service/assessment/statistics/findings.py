"""What a teacher should know about the anchors, in words."""

from __future__ import annotations

from assessment.domain.essay import Essay
from assessment.domain.grading_result import CalibrationFinding
from assessment.statistics.graded_pool import GradedPool
from scoring.grader_spread import EXPECTED_SPREAD
from scoring.grades import Calibration, CalibrationWarning
from scoring.projections import Projection

# Standard errors beyond which an anchor is said to have drifted.
_DRIFTED_BEYOND = 3.0
_MISGRADED = "anchor_misgraded"
_MISSING = "grades_without_anchors"
_IRREPLACEABLE = "irreplaceable_anchors"


def list_findings(graded: GradedPool, projection: Projection) -> list[CalibrationFinding]:
    """What the calibration warns of, with names of essays and grades instead of positions."""
    ids = [essay.essay_id for essay in graded.pool.spec.essays]
    named = [
        CalibrationFinding(
            code=warning.code,
            message=_name_anchors(warning, graded, projection.calibration),
            anchors=[ids[index] for index in warning.anchors],
        )
        for warning in projection.calibration.warnings
    ]
    return named + _find_ignored_prior(graded) + _find_noise(projection) + _find_drifts(graded)


def _name_anchors(warning: CalibrationWarning, graded: GradedPool, calibration: Calibration) -> str:
    """The warning's message with references and labels for indices and positions."""
    row = {index: row for row, index in enumerate(graded.pool.anchors()[0].tolist())}
    named = [row[index] for index in warning.anchors]
    if warning.code == _MISGRADED:
        return _describe_misgraded(
            graded.anchors[named[0]], float(calibration.anchor_residual[named[0]])
        )
    if warning.code == _MISSING:
        missing = ", ".join(graded.scale.grades[g] for g in calibration.extrapolated_grades)
        return f"no anchor has the grade {missing}: extrapolated from the other grades"
    if warning.code == _IRREPLACEABLE:
        references = ", ".join(_reference(graded.anchors[k]) for k in named)
        return f"without {references} a single grade is left: add anchors of other grades"
    return warning.message


def _reference(anchor: Essay) -> str:
    return anchor.anchor_ref or anchor.essay_id


def _describe_misgraded(anchor: Essay, residual: float) -> str:
    side = "above" if residual > 0 else "below"
    return (
        f"anchor {_reference(anchor)} lies {abs(residual):.2f} logits {side} "
        f"its grade {anchor.grade}: check its grade"
    )


def _find_noise(projection: Projection) -> list[CalibrationFinding]:
    spread = projection.spread
    if not spread.is_noisy:
        return []
    if spread.is_measured_noisy and spread.measured is not None:
        message = (
            f"anchors lie {spread.measured / spread.width:.2f} grade widths from the centres of "
            f"their grades where about {EXPECTED_SPREAD} is usual: their graders disagree, and the "
            "probabilities allow for it"
        )
        return [CalibrationFinding(code="graders_disagree", message=message)]
    message = (
        "there are too few anchors to show how far their graders agree: the probabilities allow "
        "for graders who disagree as often as usual; two or three anchors a grade may narrow them"
    )
    return [CalibrationFinding(code="few_anchors", message=message)]


def _find_drifts(graded: GradedPool) -> list[CalibrationFinding]:
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


def _find_ignored_prior(graded: GradedPool) -> list[CalibrationFinding]:
    if graded.pool.spec.population is None or graded.config.grade_method == "gls":
        return []
    message = (
        f"the population prior is not used: the method {graded.config.grade_method} has no place "
        "for it, gls has"
    )
    return [CalibrationFinding(code="population_ignored", message=message)]
