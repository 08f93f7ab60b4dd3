"""The specification of a batch: everything a verdict depends on, frozen when it is prepared.

Verdicts of different specifications never mix; the hash tells them apart.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from assessment.domain.essay import Essay
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading_history import AnchorHistory
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.identifiers import canonical_sha256
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import JudgeInstructions


def judge_spec_hash(instructions: JudgeInstructions, judges: Sequence[JudgeSpec]) -> str:
    """A content hash of what the judges are told and who they are, whatever the essays."""
    return canonical_sha256(
        {
            "instructions": instructions.model_dump(),
            "judges": [judge.identity() for judge in judges],
        }
    )


class BatchSpec(BaseModel):
    """Essays, instructions, scale and judge of a batch; a later registration cannot change them."""

    model_config = ConfigDict(frozen=True)

    essays: tuple[Essay, ...]
    instructions: JudgeInstructions
    grade_scale: GradeScale | None
    judges: tuple[JudgeSpec, ...]
    excluded: tuple[Essay, ...] = ()
    population: PopulationPrior | None = None
    anchor_history: AnchorHistory | None = None

    @classmethod
    def from_essays(
        cls,
        essays: list[Essay],
        *,
        instructions: JudgeInstructions,
        grade_scale: GradeScale | None,
        judges: tuple[JudgeSpec, ...],
        excluded: Sequence[Essay] = (),
        population: PopulationPrior | None = None,
        anchor_history: AnchorHistory | None = None,
    ) -> Self:
        """A specification with its essays in the order of their ids, as all arrays have them."""
        return cls(
            essays=tuple(sorted(essays, key=lambda essay: essay.essay_id)),
            instructions=instructions,
            grade_scale=grade_scale,
            judges=judges,
            excluded=tuple(sorted(excluded, key=lambda essay: essay.essay_id)),
            population=population,
            anchor_history=anchor_history,
        )

    def drop_essays(self, essay_ids: Collection[str]) -> BatchSpec:
        """The specification of the other essays, which are scored and planned alone.

        Its hash is another one; a batch's own hash is that of all its essays.
        """
        essays = tuple(essay for essay in self.essays if essay.essay_id not in essay_ids)
        return self.model_copy(update={"essays": essays})

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
                "judges": [judge.identity() for judge in self.judges],
            }
        )

    @property
    def judge_spec_hash(self) -> str:
        """A content hash of what the judges are told and who they are, whatever the essays."""
        return judge_spec_hash(self.instructions, self.judges)

    def text_sha256(self, essay_id: str) -> str:
        """The content address of an essay's text; KeyError if the essay is not in the batch."""
        for essay in self.essays:
            if essay.essay_id == essay_id:
                return essay.text_sha256
        raise KeyError(essay_id)
