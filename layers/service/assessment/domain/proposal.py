"""What a finished batch proposes: the grades that people confirm or change."""

from __future__ import annotations

from dataclasses import dataclass

from assessment.domain.grade_scale import GradeScale


@dataclass(frozen=True)
class Proposals:
    """The essays of a batch that need a decision, and the grade proposed for each that has one.

    All students' essays are here, those without a result too; anchors are not. `grade_scale` is
    None if the batch has no assignment.
    """

    result_sha256: str
    grade_scale: GradeScale | None
    essay_ids: tuple[str, ...]
    grades: dict[str, str]
