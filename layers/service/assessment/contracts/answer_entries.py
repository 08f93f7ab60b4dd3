"""Where the verdicts of a model's answer stand: entries, matched to comparisons by their ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assessment.contracts.json_text import (
    Contradiction,
    FoundDocuments,
    find_documents,
    unwrap_string,
)


@dataclass(frozen=True)
class Entry:
    """A document that has a verdict, and the comparison that it names, if it does."""

    comparison_id: str | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class EntryFinder:
    """How a verdict is known among the objects of an answer.

    Attributes
    ----------
    comparison_ids
        Ids of the comparisons that the model was asked about.
    names
        Fields of which a verdict has one; the first is what a bare one stands for.
    is_bare
        Whether a value under the id of a comparison is its verdict by itself.
    """

    comparison_ids: Sequence[str]
    names: Collection[str]
    bare_name: str
    is_bare: Callable[[object], bool]

    def read(self, candidate: object) -> tuple[list[object], list[Entry]]:
        """The documents of a place where the answer may stand, and the entries in them.

        A verdict that stands outside of all documents is a broken one, and what looks like
        another one about the same comparison may be a quotation in it: neither is an entry.
        """
        if isinstance(candidate, str):
            reading = find_documents(candidate)
        else:
            reading = FoundDocuments([candidate])
        entries = [entry for document in reading.documents for entry in self.find(document)]
        broken = self._list_broken(reading.rest)
        return reading.documents, [e for e in entries if self._choose_id(e) not in broken]

    def _list_broken(self, rest: str) -> set[str]:
        """Folded ids of the comparisons of which a verdict stands outside of all documents."""
        if len(self.comparison_ids) > 1:
            return {fold_id(name) for name in _OWN_ID.findall(rest)}
        names = "|".join(self.names)
        has_one = re.search(rf"(?:{names})\\*[\"'\u2019\u201d]\s*:", rest, re.IGNORECASE)
        return {fold_id(self.comparison_ids[0])} if has_one else set()

    def _choose_id(self, entry: Entry) -> str:
        alone = len(self.comparison_ids) == 1
        return fold_id(self.comparison_ids[0] if alone else entry.comparison_id or "")

    def find(self, document: object, *, key: str | None = None, depth: int = 6) -> Iterator[Entry]:
        """The entries, at any depth: models wrap their answers in objects and strings."""
        document = unwrap_string(document)
        if depth == 0:
            return
        if isinstance(document, dict):
            document = _fold_names(document)
            if self._is_verdict(document):
                yield Entry(_read_id(document, key), document)
                return
        ids = {fold_id(name): name for name in self.comparison_ids}
        for name, part in _list_parts(document):
            own = ids.get(fold_id(name or ""))
            if own is not None and self.is_bare(part):
                yield Entry(own, {self.bare_name: part})
            else:
                yield from self.find(part, key=own or key, depth=depth - 1)

    def select(self, entries: Sequence[Entry], name: str) -> list[Entry]:
        """The entries about a comparison; one without an id is of a comparison asked alone."""
        alone = len(self.comparison_ids) == 1
        folded = fold_id(name)
        return [
            e
            for e in entries
            if (alone if e.comparison_id is None else fold_id(e.comparison_id) == folded)
        ]

    def _is_verdict(self, document: Mapping[str, Any]) -> bool:
        return "verdicts" not in document and any(name in document for name in self.names)


_OWN_ID = re.compile(r"comparison_id\W{1,4}:\W{0,4}([\w-]+)", re.IGNORECASE)


def fold_id(name: str) -> str:
    """An id without what models change about one."""
    return "".join(character for character in name.lower() if character.isalnum())


def _fold_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its names in lower case; two values for one name contradict each other."""
    folded: dict[str, Any] = {}
    for name, value in document.items():
        plain = name.strip().lower().replace("-", "_").replace(" ", "_")
        same = plain not in folded or folded[plain] == value
        folded[plain] = value if same else Contradiction()
    return folded


def _list_parts(document: object) -> list[tuple[str | None, object]]:
    """The parts of a document in which verdicts may stand, with their names where they have one."""
    if isinstance(document, list):
        return [(None, part) for part in document]
    if not isinstance(document, dict):
        return []
    if "verdicts" in document:
        return [("verdicts", document["verdicts"])]
    return list(document.items())


def _read_id(document: Mapping[str, Any], key: str | None) -> str | None:
    """The comparison that the document names, or the key under which it stands."""
    name = document.get("comparison_id")
    if name in (None, ""):
        return key
    return re.sub(r"^#?\s*comparison\s+", "", str(name).strip(), flags=re.IGNORECASE)
