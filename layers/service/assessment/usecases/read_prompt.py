"""What the judge of a comparison was told, from the frozen specification of its batch."""

from __future__ import annotations

from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.contracts.views import PromptView
from assessment.domain.errors import ResultNotReadyError
from assessment.domain.identifiers import read_wave_number
from assessment.domain.jury import draw_judge
from assessment.ports.groups import PromptPorts
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.questions import read_question, render_prompt


def read_prompt(batch_id: str, comparison_id: str, *, ports: PromptPorts) -> PromptView:
    """The comparison, its judge, and the prompt about it alone, word by word.

    Raises
    ------
    UnknownBatchError, UnknownComparisonError
    ResultNotReadyError
        If the batch is not prepared yet.
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.spec_hash is None:
        raise ResultNotReadyError("the batch is not prepared yet; ask again in a moment")
    wave_number = read_wave_number(comparison_id)
    comparison = ports.comparisons.get_comparison(batch_id, wave_number, comparison_id)
    spec = load_spec(batch_id, content=ports.content)
    judge = draw_judge(comparison_id, spec.judges)
    request = JudgeRequestV1(
        batch_id=batch_id,
        wave=comparison.wave,
        comparison_id=comparison_id,
        attempt=comparison.attempt,
    )
    question = read_question(request, comparison, spec=spec, content=ports.content)
    blocks = render_prompt([question], judge=judge, spec=spec, prompts=ports.prompts)
    return PromptView(
        batch_id=batch_id,
        comparison=comparison,
        judge=judge.label or str(judge.provider),
        prompt=list(blocks),
    )
