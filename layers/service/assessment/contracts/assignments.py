"""What callers send and get about assignments: instructions, student prompts and anchors."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.assignment import Assignment
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.identifiers import AnchorRef, AssignmentId

MAX_TEXT_CHARACTERS = 20_000
JudgeText = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]
"""A text that the judge is told."""


class AssignmentPath(BaseModel):
    """An assignment as a path names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment_id: AssignmentId


class AnchorPath(AssignmentPath):
    """An anchor as a path names it."""

    anchor_ref: AnchorRef


class AssessmentInstructions(BaseModel):
    """What is to hold for an assignment; a field that is left out has its default again.

    The student prompt and the anchors have routes of their own and stay as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    grade_scale: str | list[str] | None = None
    population: PopulationPrior | None = None
    instructions: JudgeText = ""
    judge_rubric: JudgeText = ""
    config: dict[str, Any] = {}


class StudentPrompt(BaseModel):
    """The task that the students of an assignment had, in the words that they read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment_id: AssignmentId
    student_prompt: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]


class StudentPromptView(BaseModel):
    """The student prompt of an assignment; empty where none was registered."""

    assignment_id: str
    student_prompt: str


class AssignmentView(BaseModel):
    """What holds for an assignment."""

    assignment_id: str
    grade_scale: GradeScale
    population: PopulationPrior | None
    instructions: str
    student_prompt: str
    judge_rubric: str
    config: dict[str, Any]
    n_anchors: int

    @classmethod
    def from_assignment(cls, assignment: Assignment) -> Self:
        """The view of an assignment that has all its anchors."""
        return cls(
            assignment_id=assignment.assignment_id,
            grade_scale=assignment.grade_scale,
            population=assignment.population,
            config=assignment.config,
            n_anchors=len(assignment.anchors),
            **assignment.instructions.model_dump(),
        )


class AssignmentSummary(BaseModel):
    """An assignment in a list: its scale, and which texts it has."""

    assignment_id: str
    grade_scale: str
    grades: tuple[str, ...]
    has_instructions: bool
    has_student_prompt: bool
    has_judge_rubric: bool

    @classmethod
    def from_assignment(cls, assignment: Assignment) -> Self:
        """The entry for an assignment."""
        texts = assignment.instructions
        return cls(
            assignment_id=assignment.assignment_id,
            grade_scale=assignment.grade_scale.name,
            grades=assignment.grade_scale.grades,
            has_instructions=bool(texts.instructions),
            has_student_prompt=bool(texts.student_prompt),
            has_judge_rubric=bool(texts.judge_rubric),
        )


class AssignmentList(BaseModel):
    """Assignments by id in order; ask again with `cursor` for more, until it is null."""

    assignments: list[AssignmentSummary]
    cursor: str | None


class AnchorView(BaseModel):
    """A registered anchor; the hash is that of its text."""

    anchor_ref: str
    grade: str
    text_sha256: str


class AnchorList(BaseModel):
    """All anchors of an assignment, by reference in order."""

    assignment_id: str
    grade_scale: tuple[str, ...]
    anchors: list[AnchorView]

    @classmethod
    def from_assignment(cls, assignment: Assignment) -> Self:
        """The anchors of an assignment."""
        return cls(
            assignment_id=assignment.assignment_id,
            grade_scale=assignment.grade_scale.grades,
            anchors=[AnchorView(**anchor.model_dump()) for anchor in assignment.anchors],
        )


class Deleted(BaseModel):
    """What was named is gone."""

    deleted: str
