"""The essays of a request whose texts are stored already, when it is accepted and when prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from assessment.contracts.manifest import (
    MAX_MANIFEST_BYTES,
    ManifestLine,
    ReferencedEssay,
    make_essay,
    read_manifest,
)
from assessment.contracts.request import MAX_ESSAYS, BatchRequest, check_essay_names
from assessment.domain.batch import Batch, EssaySource
from assessment.domain.document_keys import CONTENT_TEXTS, batch_texts, manifest_copy_key
from assessment.domain.errors import (
    InvalidRequestError,
    MissingDocumentError,
    UnknownContentError,
    UnknownManifestError,
)
from assessment.domain.essay import Essay, SubmittedEssay, check_text
from assessment.domain.identifiers import content_sha256
from assessment.ports.content import ContentStore, References
from assessment.usecases.assignment import flag_texts

_READERS = 16
_FEWEST = 2


def find_source(request: BatchRequest) -> EssaySource:
    """Where the texts of the request's essays are."""
    if request.manifest_id is not None:
        return EssaySource.MANIFEST
    return EssaySource.CONTENT if request.contents else EssaySource.REQUEST


def list_referenced(
    request: BatchRequest, references: References | None
) -> tuple[list[Essay], str | None]:
    """The essays without flags, and the text of their manifest if they have one.

    Raises
    ------
    UnknownManifestError, UnknownContentError
        Also where they are another organisation's.
    InvalidRequestError, ManyInvalidFieldsError
        If the manifest cannot be used; broken lines are named by their numbers.
    """
    if references is None:
        raise InvalidRequestError(
            "send the texts in essays: nothing is stored here", field="essays"
        )
    sources: Sequence[ReferencedEssay | ManifestLine] = request.contents
    manifest: str | None = None
    if request.manifest_id is not None:
        manifest = _load_manifest(request.manifest_id, references)
        sources = read_manifest(manifest)
        _check_lines(sources)
    _check_known(sources, references)
    return [make_essay(source) for source in sources], manifest


def read_referenced(
    request: BatchRequest, references: References | None, *, content: ContentStore, most: int
) -> list[SubmittedEssay]:
    """The essays of a request with their texts, which have to be uploaded by now; `most` at once.

    Raises
    ------
    UnknownManifestError, UnknownContentError, InvalidRequestError, ManyInvalidFieldsError
    """
    essays, manifest = list_referenced(request, references)
    if len(essays) > most:
        raise InvalidRequestError(
            f"at most {most} essays are masked at once, and {len(essays)} are named; mask them "
            "before you store them, or request several batches",
            field="masking",
        )
    inline = _list_inline(manifest) if manifest is not None else {}
    read = partial(_read_text, inline=inline, content=content)
    with ThreadPoolExecutor(_READERS) as pool:
        return [
            SubmittedEssay(essay_id=essay.essay_id, text=text, group=essay.group)
            for essay, text in zip(essays, pool.map(read, essays), strict=True)
        ]


def _load_manifest(manifest_id: str, references: References) -> str:
    size = references.find_manifest_size(manifest_id)
    if size is None:
        raise UnknownManifestError.from_id(manifest_id)
    if size > MAX_MANIFEST_BYTES:
        raise InvalidRequestError(
            f"the manifest has {size} bytes; at most {MAX_MANIFEST_BYTES} are allowed: store the "
            "texts first and name them by content_id",
            field="manifest_id",
        )
    try:
        return references.read_manifest(manifest_id)
    except UnicodeDecodeError:
        raise InvalidRequestError("the manifest is not UTF-8", field="manifest_id") from None


def _check_lines(lines: Sequence[ReferencedEssay | ManifestLine]) -> None:
    if not _FEWEST <= len(lines) <= MAX_ESSAYS:
        raise InvalidRequestError(
            f"the manifest has {len(lines)} essays; {_FEWEST} to {MAX_ESSAYS} are allowed",
            field="manifest_id",
        )
    try:
        check_essay_names(lines)
    except ValueError as error:
        raise InvalidRequestError(str(error), field="manifest_id") from None


def _check_known(sources: Sequence[ReferencedEssay | ManifestLine], references: References) -> None:
    ids = {source.content_id: source.essay_id for source in sources if source.content_id}
    unknown = references.list_unknown(list(ids))
    if unknown:
        raise UnknownContentError.from_ids(unknown, essay_id=ids[unknown[0]])


def import_texts(batch: Batch, essays: Sequence[Essay], *, content: ContentStore) -> list[Essay]:
    """Copy the texts into the batch's own folder; the essays with their flags.

    Raises
    ------
    InvalidRequestError
        Naming the essay whose text was announced and never uploaded, or is not what was announced.
    """
    inline = _read_inline(batch, content)
    read = partial(_read_text, inline=inline, content=content)
    put = partial(content.put_text, batch_texts(batch.batch_id))
    with ThreadPoolExecutor(_READERS) as pool:
        texts = list(pool.map(read, essays))
        for _ in pool.map(put, texts):
            pass
    flags = flag_texts(texts, config=batch.config, judges=batch.judges)
    return [
        essay.model_copy(update={"flags": raised})
        for essay, raised in zip(essays, flags, strict=True)
    ]


def _read_inline(batch: Batch, content: ContentStore) -> dict[str, str]:
    """The texts that the manifest itself has, by their hashes."""
    if batch.essay_source is not EssaySource.MANIFEST:
        return {}
    manifest = content.get_document(manifest_copy_key(batch))
    if manifest is None:
        raise InvalidRequestError("the request's manifest was not stored; send it again")
    return _list_inline(manifest)


def _list_inline(manifest: str) -> dict[str, str]:
    return {line.text_sha256: line.text for line in read_manifest(manifest) if line.text}


def _read_text(essay: Essay, *, inline: Mapping[str, str], content: ContentStore) -> str:
    if essay.text_sha256 in inline:
        return inline[essay.text_sha256]
    try:
        text = content.get_text(CONTENT_TEXTS, essay.text_sha256)
    except MissingDocumentError:
        raise InvalidRequestError(
            f"the text of essay {essay.essay_id} was announced and not uploaded; upload it, and "
            "request the batch again under a new key",
            field="contents",
        ) from None
    except UnicodeDecodeError:
        raise _refuse(essay, "is not UTF-8") from None
    if content_sha256(text) != essay.text_sha256:
        raise _refuse(essay, "does not have the hash that was announced")
    try:
        return check_text(text)
    except ValueError as error:
        raise _refuse(essay, str(error)) from None


def _refuse(essay: Essay, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"the text of essay {essay.essay_id}: {reason}", field="contents")
