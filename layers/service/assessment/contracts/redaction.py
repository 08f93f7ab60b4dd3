"""Stored documents without one essay: what is said of the others stays as it is."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from assessment.contracts.essay_fields import BY_ESSAY
from assessment.domain.identifiers import canonical_json
from assessment.domain.note import Note, NoteCode

ERASED_NOTE = Note(
    code=NoteCode.ESSAYS_ERASED,
    message="Essays were erased after this result was made. What it says of the others is what was "
    "measured then, with the comparisons that are erased now.",
)
_NOTES_ARE_WORDS = 2
"""The schema version whose notes had no codes."""

# Entries of a list that are about an essay name it in one of these.
_NAMING = ("essay_id", "first", "second")
_ESSAY_LISTS = frozenset({"excluded_essays", "needs_more_evidence"})


def drop_from_document(text: str, essay_id: str) -> str:
    """The document without what is about the essay; the same text if it says nothing of it."""
    document = json.loads(text)
    redacted = _drop_entries(document, essay_id)
    return text if redacted == document else canonical_json(redacted)


def drop_from_figures(text: str, essay_id: str) -> str:
    """A document of figures by essay id, without the essay's."""
    figures = json.loads(text)
    return text if figures.pop(essay_id, None) is None else canonical_json(figures)


def drop_from_lines(text: str, essay_id: str) -> str:
    """JSON lines without those that are about the essay."""
    return "".join(
        line + "\n"
        for line in text.split("\n")
        if line and not _concerns_essay(json.loads(line), essay_id)
    )


def drop_from_result(text: str, essay_id: str) -> str:
    """A result, in canonical form, without the essay and with a note that something was erased."""
    document: dict[str, Any] = json.loads(text)
    n_rankings = len(document["rankings"])
    redacted: dict[str, Any] = _drop_entries(document, essay_id)
    if redacted == document:
        return text
    redacted["n_students"] -= n_rankings - len(redacted["rankings"])
    has_codes = redacted["schema_version"] > _NOTES_ARE_WORDS
    note = ERASED_NOTE.model_dump(mode="json") if has_codes else ERASED_NOTE.message
    if note not in redacted["notes"]:
        redacted["notes"] = [*redacted["notes"], note]
    return rfc8785.dumps(redacted).decode()


def drop_from_decisions(text: str, essay_id: str) -> str:
    """The document of a release, in canonical form, without the essay."""
    document = json.loads(text)
    redacted = _drop_entries(document, essay_id)
    return text if redacted == document else rfc8785.dumps(redacted).decode()


def _drop_entries(value: Any, essay_id: str) -> Any:
    """The value without what is about the essay, at any depth."""
    if isinstance(value, dict):
        return {key: _drop_named(key, each, essay_id) for key, each in value.items()}
    if isinstance(value, list):
        return [
            _drop_entries(each, essay_id) for each in value if not _concerns_essay(each, essay_id)
        ]
    return value


def _drop_named(name: str, value: Any, essay_id: str) -> Any:
    if name in BY_ESSAY and isinstance(value, dict):
        return {key: each for key, each in value.items() if key != essay_id}
    if name in _ESSAY_LISTS and isinstance(value, list):
        return [each for each in value if each != essay_id]
    return _drop_entries(value, essay_id)


def _concerns_essay(entry: Any, essay_id: str) -> bool:
    return isinstance(entry, dict) and any(entry.get(name) == essay_id for name in _NAMING)
