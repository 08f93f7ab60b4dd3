"""The documents of a batch without one essay: what is said of the others stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from assessment.contracts.redaction import (
    drop_from_decisions,
    drop_from_document,
    drop_from_figures,
    drop_from_lines,
    drop_from_result,
)
from assessment.contracts.result import ResultDocument
from assessment.contracts.result_csv import result_csv
from assessment.domain.batch import Batch
from assessment.domain.document_keys import (
    batch_folder,
    batch_texts,
    comparisons_key,
    decisions_key,
    essays_key,
    manifest_copy_key,
    result_key,
    surface_key,
)
from assessment.domain.erasure import ReplacedDocument
from assessment.domain.identifiers import content_sha256
from assessment.ports.erasure import ErasurePorts


class Rewritten(NamedTuple):
    """A document before and after, and the key that it has from now on."""

    key: str
    new_key: str
    before: str
    after: str

    @property
    def is_moved(self) -> bool:
        """Whether its key has its hash, and so is another one now."""
        return self.new_key != self.key


def rewrite_documents(batch: Batch, essay_id: str, *, ports: ErasurePorts) -> list[Rewritten]:
    """Every document of the batch that says something of the essay; nothing is stored yet."""
    texts_folder = f"{batch_texts(batch.batch_id)}/"
    stored = {
        key: ports.content.get_document(key)
        for key in ports.documents.list_keys(batch_folder(batch.batch_id))
        if not key.startswith(texts_folder) and key != essays_key(batch.batch_id)
    }
    rewritten = [
        _rewrite(batch, key, before, essay_id)
        for key, before in stored.items()
        if before is not None
    ]
    return [each for each in rewritten if each.after != each.before]


def _rewrite(batch: Batch, key: str, before: str, essay_id: str) -> Rewritten:
    after = _choose_rule(batch, key)(before, essay_id)
    is_release = batch.release is not None and key == decisions_key(
        batch.batch_id, batch.release.decisions_sha256
    )
    new_key = decisions_key(batch.batch_id, content_sha256(after)) if is_release else key
    return Rewritten(key, new_key, before, after)


def _choose_rule(batch: Batch, key: str) -> Callable[[str, str], str]:
    rules = {
        result_key(batch.batch_id): drop_from_result,
        comparisons_key(batch.batch_id): drop_from_lines,
        manifest_copy_key(batch): drop_from_lines,
        surface_key(batch.batch_id): drop_from_figures,
    }
    is_decisions = key.startswith(_decisions_prefix(batch))
    return rules.get(key, drop_from_decisions if is_decisions else drop_from_document)


def _decisions_prefix(batch: Batch) -> str:
    return f"{batch_folder(batch.batch_id)}/decisions-"


def list_hashes(batch: Batch, rewritten: list[Rewritten]) -> dict[str, ReplacedDocument]:
    """What is known by its hash, the result and the release, before and after, by name."""
    folder = f"{batch_folder(batch.batch_id)}/"
    return {
        (name := each.key.removeprefix(folder)): ReplacedDocument(
            name=name,
            before_sha256=content_sha256(each.before),
            after_sha256=content_sha256(each.after),
        )
        for each in rewritten
        if each.is_moved or each.key == result_key(batch.batch_id)
    }


def store_documents(batch: Batch, rewritten: list[Rewritten], *, ports: ErasurePorts) -> str | None:
    """Store what is rewritten, and the table made of the result; the result's new text."""
    for each in rewritten:
        is_lines = each.key.endswith(".jsonl")
        content_type = "application/x-ndjson" if is_lines else "application/json"
        ports.content.put_document(each.new_key, each.after, content_type=content_type)
    result = ports.content.get_document(result_key(batch.batch_id))
    if result is not None:
        ports.content.put_document(
            essays_key(batch.batch_id),
            result_csv(ResultDocument.model_validate_json(result)),
            content_type="text/csv; charset=utf-8",
        )
    return result


def remove_earlier(batch: Batch, rewritten: list[Rewritten], *, ports: ErasurePorts) -> None:
    """Remove what was stored before, and what a release that broke off has left."""
    current_key = batch.release and decisions_key(batch.batch_id, batch.release.decisions_sha256)
    for each in rewritten:
        is_leftover = each.key.startswith(_decisions_prefix(batch)) and each.key != current_key
        if each.is_moved or is_leftover:
            ports.documents.erase_document(each.key)
    ports.documents.erase_earlier_versions(batch_folder(batch.batch_id))
