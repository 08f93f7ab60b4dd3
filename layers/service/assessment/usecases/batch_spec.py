"""The frozen specification of a batch in the content store."""

from __future__ import annotations

from assessment.domain.document_keys import spec_key
from assessment.domain.identifiers import canonical_json
from assessment.domain.spec import BatchSpec
from assessment.ports.stores import ContentStore


def freeze_spec(batch_id: str, spec: BatchSpec, *, content: ContentStore) -> None:
    """Store the specification; preparing the batch again writes the same bytes."""
    content.put_document(spec_key(batch_id), canonical_json(spec.model_dump(mode="json")))


def load_spec(batch_id: str, *, content: ContentStore) -> BatchSpec:
    """The specification of a prepared batch."""
    return BatchSpec.model_validate_json(content.get_frozen_document(spec_key(batch_id)))
