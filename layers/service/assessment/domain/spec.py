"""The specification of a batch: everything a verdict depends on, frozen when it is prepared.

Verdicts of different specifications never mix; the hash tells them apart.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from assessment.domain.essay import Essay
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading_history import AnchorHistory
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.identifiers import canonical_sha256
from assessment.domain.prompt import PROMPT_VERSION, JudgeInstructions


def judge_spec_hash(
    instructions: JudgeInstructions, judge: dict[str, str], prompt_version: str = PROMPT_VERSION
) -> str:
    """A content hash of what a judge is told and who it is, whatever the essays."""
    return canonical_sha256(
        {
            "instructions": instructions.model_dump(),
            "judge": judge,
            "prompt_version": prompt_version,
        }
    )


class BatchSpec(BaseModel):
    """Essays, instructions, scale and judge of a batch; a later registration cannot change them."""

    model_config = ConfigDict(frozen=True)

    essays: tuple[Essay, ...]
    instructions: JudgeInstructions
    grade_scale: GradeScale | None
    population: PopulationPrior | None = None
    anchor_history: AnchorHistory | None = None
    judge: dict[str, str]
    prompt_version: str = PROMPT_VERSION

    @classmethod
    def of(
        cls,
        essays: list[Essay],
        *,
        instructions: JudgeInstructions,
        grade_scale: GradeScale | None,
        population: PopulationPrior | None = None,
        anchor_history: AnchorHistory | None = None,
        judge: dict[str, str],
    ) -> Self:
        """A specification with its essays in the order of their ids, as all arrays have them."""
        return cls(
            essays=tuple(sorted(essays, key=lambda essay: essay.essay_id)),
            instructions=instructions,
            grade_scale=grade_scale,
            population=population,
            anchor_history=anchor_history,
            judge=judge,
        )

    @property
    def anchors(self) -> list[Essay]:
        """The essays whose grade is known."""
        return [essay for essay in self.essays if essay.is_anchor]

    @property
    def spec_hash(self) -> str:
        """A content hash of everything that a verdict depends on."""
        return canonical_sha256(
            {
                "essays": [(essay.essay_id, essay.text_sha256) for essay in self.essays],
                "instructions": self.instructions.model_dump(),
                "judge": self.judge,
                "prompt_version": self.prompt_version,
            }
        )

    @property
    def judge_spec_hash(self) -> str:
        """A content hash of what a judge is told and who it is, whatever the essays."""
        return judge_spec_hash(self.instructions, self.judge, self.prompt_version)

    def text_sha256(self, essay_id: str) -> str:
        """The content address of an essay's text; raises KeyError for a stranger."""
        for essay in self.essays:
            if essay.essay_id == essay_id:
                return essay.text_sha256
        raise KeyError(essay_id)
