"""The surface figures of a batch's essays in the content store: measured once, read at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable

from assessment.domain.document_keys import surface_key
from assessment.domain.essay import Essay, MeasuredEssay
from assessment.domain.identifiers import canonical_json
from assessment.domain.surface import SurfaceFeatures
from assessment.ports.content import ContentStore

_N_FEATURES = len(SurfaceFeatures._fields)


def keep_surface(batch_id: str, essays: Iterable[Essay], *, content: ContentStore) -> None:
    """Store the figures of the essays that have them; preparing again writes the same bytes."""
    figures = {
        essay.essay_id: essay.surface
        for essay in essays
        if isinstance(essay, MeasuredEssay) and essay.surface
    }
    content.put_document(surface_key(batch_id), canonical_json(figures))


def load_surface(batch_id: str, *, content: ContentStore) -> dict[str, SurfaceFeatures]:
    """The figures by essay id; none for a batch that an earlier version prepared."""
    document = content.get_document(surface_key(batch_id))
    figures = json.loads(document) if document else {}
    return {
        essay_id: SurfaceFeatures(*values)
        for essay_id, values in figures.items()
        if len(values) == _N_FEATURES
    }
