"""Write every comparison of a batch with its verdict where people can read it."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.domain.comparison import Comparison
from assessment.domain.document_keys import comparisons_key
from assessment.domain.identifiers import canonical_json
from assessment.ports.stores import ContentStore


def keep_comparisons(
    batch_id: str, comparisons: Sequence[Comparison], *, content: ContentStore
) -> None:
    """Store one JSON object a line; a batch without a result keeps what was paid for, too."""
    content.put_document(
        comparisons_key(batch_id),
        "".join(canonical_json(one.model_dump(mode="json")) + "\n" for one in comparisons),
        content_type="application/x-ndjson",
    )
