"""What a person gets to see of a comparison: the two texts and the task, and nothing else."""

from __future__ import annotations

from datetime import datetime

from assessment.contracts.views import OfferedComparison
from assessment.domain.document_keys import batch_texts
from assessment.ports.content import ContentStore
from assessment.usecases.batch_spec import load_spec


def make_offer(
    batch_id: str,
    comparison_id: str,
    pair: tuple[str, str],
    *,
    content: ContentStore,
    until: datetime,
) -> OfferedComparison:
    """The offer of a pair of essays, in the order of their ids here, until a time."""
    folder = batch_texts(batch_id)
    spec = load_spec(batch_id, content=content)
    first, second = (content.get_text(folder, spec.text_sha256(each)) for each in pair)
    return OfferedComparison(
        comparison_id=comparison_id,
        essay_a=first,
        essay_b=second,
        **spec.instructions.model_dump(),
        lease_until=until,
    )
