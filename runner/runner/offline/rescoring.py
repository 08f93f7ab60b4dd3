"""Score recorded comparisons again: under another prior or method, or by some of the judges."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assessment.contracts.result import RESULT_SCHEMA_VERSION, ResultDocument, round_figures
from assessment.domain.comparison import Comparison, count_comparisons
from assessment.domain.config import BatchConfig, Source, resolve_config
from assessment.domain.essay import Essay, EssayKind
from assessment.domain.grade_scale import GradeScale, find_scale
from assessment.domain.grading_result import GradeProjections, withhold
from assessment.domain.judge import JudgeSpec
from assessment.domain.note import Note, NoteCode
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.result import Conclusion
from assessment.domain.result_notes import explain_unproven
from assessment.domain.spec import BatchSpec
from assessment.statistics.engine import ScoringStatistics
from runner.errors import BadInputError, Problem


@dataclass(frozen=True)
class Rescoring:
    """What is to be different: settings by name, the scale, and whose verdicts count.

    `only` and `without` are labels of judges; without any, all judges count.
    """

    settings: Mapping[str, Any]
    scale: str | list[str] | None = None
    only: Collection[str] = ()
    without: Collection[str] = ()


def rescore(
    document: ResultDocument, comparisons: Sequence[Comparison], changes: Rescoring
) -> ResultDocument:
    """The result that the same verdicts give under the changes; nobody is asked again.

    Raises
    ------
    BadInputError
        If a judge is not known, or no verdict is left.
    ScoringFailedError
    """
    counted = _choose(comparisons, changes)
    config = _change_config(document, changes.settings)
    spec = _rebuild_spec(document, changes.scale)
    conclusion = ScoringStatistics().conclude(spec, counted, config=config)
    return round_figures(_make_document(document, counted, config, conclusion, changes))


def _choose(comparisons: Sequence[Comparison], changes: Rescoring) -> list[Comparison]:
    """The comparisons, those of other judges without their verdicts."""
    judges = {one.verdict.judge for one in comparisons if one.verdict}
    unknown = sorted({*changes.only, *changes.without} - judges)
    if unknown:
        message = f"{unknown[0]} gave no verdict here; known are {', '.join(sorted(judges))}"
        raise BadInputError(Problem(message, field="--only-judge"))
    counting = (set(changes.only) or judges) - set(changes.without)
    chosen = [one for one in comparisons if one.verdict and one.verdict.judge in counting]
    if not chosen:
        raise BadInputError(Problem("no verdict is left", field="--without-judge"))
    return chosen


def _change_config(document: ResultDocument, settings: Mapping[str, Any]) -> BatchConfig:
    recorded_values = {
        name: value for name, value in document.config.items() if name in BatchConfig.model_fields
    }
    layers = [(Source.STACK, recorded_values), (Source.REQUEST, settings)]
    return resolve_config(layers, is_admin=True).config


def _rebuild_spec(document: ResultDocument, scale: str | list[str] | None) -> BatchSpec:
    """The essays of the result; their texts are not needed."""
    return BatchSpec.from_essays(
        [
            Essay(
                essay_id=ranking.essay_id,
                kind=EssayKind.ANCHOR if ranking.is_anchor else EssayKind.STUDENT,
                text_sha256=ranking.essay_id,
                anchor_ref=ranking.essay_id if ranking.is_anchor else None,
                grade=ranking.anchor_grade,
            )
            for ranking in document.rankings
        ],
        instructions=JudgeInstructions(),
        grade_scale=_find_scale(document, scale),
        judges=(JudgeSpec(),),
    )


def _find_scale(document: ResultDocument, scale: str | list[str] | None) -> GradeScale | None:
    """The scale that is asked for, or the result's; None where it has no graded anchors."""
    if not document.n_anchors:
        return None
    grade_scale = find_scale(scale or document.grade_projections.grade_scale or None)
    grades = {ranking.anchor_grade for ranking in document.rankings if ranking.is_anchor}
    strange = sorted(str(grade) for grade in grades if grade not in grade_scale.grades)
    if strange:
        message = f"the anchors' grade {strange[0]} is not on it; give the scale of the anchors"
        raise BadInputError(Problem(message, field="--scale"))
    return grade_scale


def _make_document(
    document: ResultDocument,
    counted: list[Comparison],
    config: BatchConfig,
    conclusion: Conclusion,
    changes: Rescoring,
) -> ResultDocument:
    scores = conclusion.scores
    return document.model_copy(
        update={
            "rankings": scores.rankings,
            "grade_projections": _project(conclusion, config),
            "reliability": scores.reliability,
            "audit": scores.audit,
            "order_effects": scores.order_effects,
            "judge_fit": conclusion.judges,
            "judges": sorted({one.verdict.judge for one in counted if one.verdict}),
            "comparisons": count_comparisons(counted),
            "config": config.model_dump(mode="json"),
            # They compare with the abilities that stood before.
            "baselines": None,
            "groups": None,
            "schema_version": RESULT_SCHEMA_VERSION,
            "notes": [*document.notes, _describe(changes)],
        }
    )


def _project(conclusion: Conclusion, config: BatchConfig) -> GradeProjections:
    if conclusion.scores.is_proven(min_reliability=config.min_reliability):
        return conclusion.projections
    return withhold(conclusion.projections, explain_unproven(conclusion.scores, config))


def _describe(changes: Rescoring) -> Note:
    """What was changed, as a note of the new result."""
    parts = [f"{name}={value}" for name, value in sorted(changes.settings.items())]
    parts += [f"scale {changes.scale}"] if changes.scale else []
    parts += [f"only {name}" for name in sorted(changes.only)]
    parts += [f"without {name}" for name in sorted(changes.without)]
    said = ", ".join(parts)
    return Note(
        code=NoteCode.SCORED_AGAIN,
        message=f"Scored again from the recorded comparisons: {said or 'nothing changed'}.",
        values={"changes": said},
    )
