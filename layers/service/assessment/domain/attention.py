"""Which essays need a person first, why, and how much.

Every reason has a size in its own unit, and an urgency, which makes sizes of different reasons
comparable: the size over the one from which on a person should look, 1 at that point. An essay for
which nothing is proposed comes before all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import inf

from pydantic import BaseModel, ConfigDict

from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_result import GradeProjections
from assessment.domain.identifiers import ANCHOR_PREFIX
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.result import JudgeFit, Ranking

WIDE_SET = 3
"""Grades: a set of two is what an essay near a boundary has, and most classes have many such."""

FAR_APART = 2.0
"""Standard errors between a model's reading of an essay and people's."""


class AttentionReason(StrEnum):
    """Why a person should look at an essay; the unit of its size is in brackets.

    Nothing was assessed (1), no grade is proposed (1), many grades are possible (grades), verdicts
    disagree with the fit (mean square), the text has flags (flags), people and a model are far
    apart (standard errors).
    """

    NOT_ASSESSED = "not_assessed"
    ABSTAINED = "abstained"
    WIDE_GRADE_SET = "wide_grade_set"
    MISFIT = "misfit"
    FLAGGED = "flagged"
    FAR_APART = "people_and_model_far_apart"


_NOTHING_PROPOSED = frozenset({AttentionReason.NOT_ASSESSED, AttentionReason.ABSTAINED})
_BEGINS_AT = {AttentionReason.WIDE_GRADE_SET: WIDE_SET, AttentionReason.FAR_APART: FAR_APART}


LEFT_OUT = "left_out"
"""The code of an essay that was left out because of its flags."""


class AttentionCause(BaseModel):
    """One reason to look at an essay, its size, and what was seen.

    `detail` says it in English. For other languages: `codes` are the reason why nothing was
    assessed (`NotAssessedReason` or `LEFT_OUT`) or no grade is proposed (`NoGradesReason`), the
    flags of the text, or how the verdicts disagree; `grades` are those that are possible; `judge`
    takes the essay for better than people do by `shift` logits, or for worse if it is negative.
    """

    model_config = ConfigDict(frozen=True)

    reason: AttentionReason
    size: float
    detail: str
    codes: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    judge: str | None = None
    shift: float | None = None

    @property
    def urgency(self) -> float:
        """The size over the one from which on a person should look; infinite without a grade."""
        if self.reason in _NOTHING_PROPOSED:
            return inf
        return self.size / _BEGINS_AT.get(self.reason, 1)


class EssayAttention(BaseModel):
    """An essay that needs a person, with its causes, the most urgent first."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    proposed_grade: str | None
    causes: tuple[AttentionCause, ...]


def list_attention(
    *,
    rankings: Iterable[Ranking],
    projections: GradeProjections,
    not_assessed: Iterable[NotAssessed],
    excluded: Iterable[str],
    essay_flags: Mapping[str, list[EssayFlag]],
    judge_fit: Iterable[JudgeFit],
) -> list[EssayAttention]:
    """The students' essays that need a person, the most urgent first.

    Essays are compared by their most urgent cause, then by the next one, then by id.
    """
    causes_by_essay: dict[str, list[AttentionCause]] = {}

    def add(essay_id: str, cause: AttentionCause) -> None:
        if not essay_id.startswith(ANCHOR_PREFIX):
            causes_by_essay.setdefault(essay_id, []).append(cause)

    for entry in not_assessed:
        add(entry.essay_id, _not_assessed(f"{entry.reason}: {entry.detail}", entry.reason))
    for essay_id in excluded:
        add(essay_id, _not_assessed("left out because of its flags", LEFT_OUT))
    for ranking in rankings:
        for cause in _causes_of_ranking(ranking, projections):
            add(ranking.essay_id, cause)
    for essay_id, flags in essay_flags.items():
        add(essay_id, _describe_flags(sorted(flags)))
    for cause_id, cause in _far_apart(judge_fit):
        add(cause_id, cause)
    essays = [
        EssayAttention(
            essay_id=essay_id,
            proposed_grade=projections.primary_grades.get(essay_id),
            causes=tuple(sorted(causes, key=lambda cause: (-cause.urgency, cause.reason))),
        )
        for essay_id, causes in causes_by_essay.items()
    ]
    return sorted(essays, key=lambda essay: (_rank(essay.causes), essay.essay_id))


def _rank(causes: Iterable[AttentionCause]) -> tuple[float, ...]:
    """What essays are sorted by: of equal causes, more of them come first."""
    return (*(-cause.urgency for cause in causes), 0.0)


def _not_assessed(detail: str, code: str) -> AttentionCause:
    return AttentionCause(reason=AttentionReason.NOT_ASSESSED, size=1, detail=detail, codes=(code,))


def _describe_flags(flags: list[EssayFlag]) -> AttentionCause:
    return AttentionCause(
        reason=AttentionReason.FLAGGED,
        size=len(flags),
        detail=", ".join(flags),
        codes=tuple(flags),
    )


def _causes_of_ranking(ranking: Ranking, projections: GradeProjections) -> list[AttentionCause]:
    causes = []
    essay_id = ranking.essay_id
    if essay_id not in projections.primary_grades:
        causes.append(
            AttentionCause(
                reason=AttentionReason.ABSTAINED,
                size=1,
                detail=projections.reason or "no grade is proposed",
                codes=(projections.reason_code,) if projections.reason_code else (),
            )
        )
    grades = projections.calibrated_sets.get(essay_id) or projections.grade_sets.get(essay_id, [])
    if len(grades) >= WIDE_SET:
        causes.append(
            AttentionCause(
                reason=AttentionReason.WIDE_GRADE_SET,
                size=len(grades),
                detail=" ".join(grades),
                grades=tuple(grades),
            )
        )
    if ranking.misfit_flags:
        squares = [square for square in (ranking.infit, ranking.outfit) if square is not None]
        causes.append(
            AttentionCause(
                reason=AttentionReason.MISFIT,
                size=max(squares, default=1.0),
                detail=", ".join(ranking.misfit_flags),
                codes=tuple(ranking.misfit_flags),
            )
        )
    return causes


def _far_apart(judge_fit: Iterable[JudgeFit]) -> Iterable[tuple[str, AttentionCause]]:
    """The essays that a model takes for better or worse than people do, by id."""
    for judge in judge_fit:
        for apart in judge.construct_gap.disagreements if judge.construct_gap else []:
            size = abs(apart.shift) / apart.standard_error if apart.standard_error > 0 else 0.0
            if size >= FAR_APART:
                direction = "better" if apart.shift > 0 else "worse"
                yield (
                    apart.essay_id,
                    AttentionCause(
                        reason=AttentionReason.FAR_APART,
                        size=round(size, 2),
                        detail=f"{judge.judge} takes it for {direction} by "
                        f"{abs(apart.shift):.2f} logits",
                        judge=judge.judge,
                        shift=apart.shift,
                    ),
                )
