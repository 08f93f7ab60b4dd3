"""The frozen specification of a batch in the content store."""

from __future__ import annotations

from functools import lru_cache

from assessment.contracts.list_protocol import AnyMetadata
from assessment.domain.document_keys import batch_texts, spec_key
from assessment.domain.identifiers import canonical_json
from assessment.domain.spec import BatchSpec
from assessment.ports.content import ContentStore

_MOST_KEPT = 4


def freeze_spec(batch_id: str, spec: BatchSpec, *, content: ContentStore) -> None:
    """Store the specification; preparing the batch again writes the same bytes."""
    content.put_document(spec_key(batch_id), canonical_json(spec.model_dump(mode="json")))


def load_spec(batch_id: str, *, content: ContentStore) -> BatchSpec:
    """The specification of a prepared batch."""
    return _read_spec(content.get_frozen_document(spec_key(batch_id)))


@lru_cache(maxsize=_MOST_KEPT)
def _read_spec(document: str) -> BatchSpec:
    """The specification that a document tells of; one of 5,000 essays is a megabyte."""
    return BatchSpec.model_validate_json(document)


def load_texts(metadata: AnyMetadata, *, content: ContentStore) -> list[str]:
    """The texts of a comparison's prompt: its essays, and what its judge was told.

    Raises
    ------
    MissingDocumentError
        If one of them is not stored.
    """
    spec = load_spec(metadata.batch_id, content=content)
    instructions = spec.instructions
    folder = batch_texts(metadata.batch_id)
    essays = [
        content.get_text(folder, spec.text_sha256(essay_id)) for essay_id in metadata.shown_ids
    ]
    return [
        *essays,
        *(text for text in instructions.model_dump().values() if isinstance(text, str)),
    ]
