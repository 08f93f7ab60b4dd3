"""What the judge of a comparison was told, from the records of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.comparison import Comparison
from assessment.domain.document_keys import batch_texts
from assessment.domain.errors import UnknownComparisonError
from assessment.domain.jury import draw_judge
from assessment.domain.prompt import EssayPair, PromptBlock
from assessment.domain.verdict import ListVerdict, describe_order
from assessment.usecases.batch_spec import load_spec
from runner.offline.workspace import Workspace


@dataclass(frozen=True)
class ShownPrompt:
    """A comparison, its judge, and the blocks of a prompt about it alone."""

    comparison: Comparison
    judge: str
    blocks: list[PromptBlock]

    @property
    def document(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "comparison": self.comparison.model_dump(mode="json"),
            "judge": self.judge,
            "prompt": [block.model_dump(mode="json") for block in self.blocks],
        }

    @property
    def answer(self) -> list[str]:
        """What the judge answered, in lines."""
        verdict, failure = self.comparison.verdict, self.comparison.failure
        if verdict is None:
            return [failure.message if failure else "none yet"]
        if isinstance(verdict, ListVerdict):
            return [describe_order(verdict), *filter(None, [verdict.justification])]
        degree = f", {verdict.degree}" if verdict.degree else ""
        return [f"{verdict.winner}{degree}", *filter(None, [verdict.justification])]


def show_prompt(workspace: Workspace, batch_id: str, comparison_id: str | None) -> ShownPrompt:
    """The prompt of a comparison, or of the batch's first one.

    Raises
    ------
    UnknownBatchError, UnknownComparisonError
    """
    batch = workspace.batches.get_batch(batch_id)
    comparisons = workspace.comparisons.list_comparisons(batch_id, batch.wave)
    chosen = next((one for one in comparisons if comparison_id in (None, one.comparison_id)), None)
    if chosen is None:
        raise UnknownComparisonError.from_id(batch_id, comparison_id or "w0001-00000")
    spec = load_spec(batch_id, content=workspace.content)
    judge = draw_judge(chosen.comparison_id, spec.judges)
    first, second = (
        workspace.content.get_text(batch_texts(batch_id), spec.text_sha256(essay_id))
        for essay_id in (chosen.first, chosen.second)
    )
    pair = EssayPair(chosen.comparison_id, first, second)
    blocks = JinjaPrompts().render(judge, spec.instructions, [pair], bundle=judge.is_model)
    return ShownPrompt(chosen, judge.label or str(judge.provider), list(blocks))
