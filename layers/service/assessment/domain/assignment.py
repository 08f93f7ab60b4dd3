"""An assignment: instructions, grade scale and anchors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

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
