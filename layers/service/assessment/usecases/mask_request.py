"""Mask the essays of a request before anything of them is stored.

What follows works on the masked texts alone: their hashes, flags, storage, judges and exports.
"""

from __future__ import annotations

from collections.abc import Sequence

from assessment.contracts.request import BatchRequest
from assessment.domain.batch import EssaySource
from assessment.domain.essay import MaskedEssay, SubmittedEssay
from assessment.domain.identifiers import content_sha256
from assessment.domain.masking import Masker, Masking
from assessment.ports.groups import RequestPorts
from assessment.usecases.referenced_essays import find_source, read_referenced

# They are read, masked and stored while the caller waits: the API answers within 29 seconds.
_MOST_REFERENCED = 2000


def mask_request(request: BatchRequest, masking: Masking, *, ports: RequestPorts) -> BatchRequest:
    """The request with masked texts in itself, wherever its texts were.

    Raises
    ------
    UnknownManifestError, UnknownContentError, InvalidRequestError, ManyInvalidFieldsError
        If a text is not there, or there are more than can be masked at once.
    """
    source = find_source(request)
    essays: Sequence[SubmittedEssay] = request.essays
    if source is not EssaySource.REQUEST:
        essays = read_referenced(
            request, ports.references, content=ports.content, most=_MOST_REFERENCED
        )
    masker = Masker(masking)
    is_uploaded = source is not EssaySource.REQUEST
    masked = [_mask(essay, masker, is_uploaded=is_uploaded) for essay in essays]
    return request.model_copy(update={"essays": masked, "contents": [], "manifest_id": None})


def _mask(essay: SubmittedEssay, masker: Masker, *, is_uploaded: bool) -> MaskedEssay:
    text, n_masked = masker.mask(essay.text)
    # Not checked again: placeholders may make a text longer than one may be sent.
    return MaskedEssay.model_construct(
        essay_id=essay.essay_id,
        text=text,
        group=essay.group,
        n_masked=n_masked,
        upload_sha256=content_sha256(essay.text) if is_uploaded and n_masked else None,
    )
