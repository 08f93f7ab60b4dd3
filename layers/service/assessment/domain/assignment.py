"""An assignment: instructions, grade scale and anchors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from assessment.domain.errors import UnknownGradeError
from assessment.domain.essay import Anchor
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.prompt import JudgeInstructions


class Assignment(BaseModel):
    """What is registered for an assignment."""

    model_config = ConfigDict(frozen=True)

    assignment_id: str
    instructions: JudgeInstructions
    grade_scale: GradeScale
    anchors: list[Anchor] = []
    population: PopulationPrior | None = None
    config: dict[str, Any] = {}


class TextSource(StrEnum):
    """Who brought a text that the judge is told."""

    REQUEST = "request"
    ASSIGNMENT = "assignment"
    NONE = "none"


def check_anchor_grades(
    anchors: Sequence[Anchor], scale: GradeScale, *, replaced: Collection[str] = ()
) -> None:
    """Refuse a scale that lacks the grade of a registered anchor which is not replaced.

    Raises
    ------
    UnknownGradeError
        Naming the anchor.
    """
    for anchor in anchors:
        if anchor.anchor_ref not in replaced and anchor.grade not in scale.grades:
            raise UnknownGradeError(
                f"anchor {anchor.anchor_ref}, registered before with grade {anchor.grade!r}, "
                f"is not on the scale {scale.name}; register it again with a grade of this scale",
                field="grade_scale",
            )


def merge_judge_texts(
    assignment: Assignment | None, own_texts: Mapping[str, str]
) -> JudgeInstructions:
    """What the judge of a batch is told: its own texts, and the assignment's for the others."""
    present = assignment.instructions if assignment else JudgeInstructions()
    return present.model_copy(update=dict(own_texts))


def find_text_sources(
    instructions: JudgeInstructions, own_texts: Collection[str]
) -> dict[str, TextSource]:
    """Where each text that the judge was told came from; one that is empty came from nowhere."""
    sources = {}
    for name, text in instructions.model_dump().items():
        if name in own_texts:
            sources[name] = TextSource.REQUEST
        else:
            sources[name] = TextSource.ASSIGNMENT if text else TextSource.NONE
    return sources
