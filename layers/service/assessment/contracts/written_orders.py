"""The names in an order as a judge writes it, the best first, whatever they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from assessment.contracts.json_text import unwrap_string

_MOST_ENTRIES = 100
_SEPARATOR = re.compile(r"\s*(>+|=+|≻|≈|~|[,;\n])\s*")
_TIE_SIGNS = ("=", "≈", "~")
_NAME_KEYS = ("essay", "label", "essay_id", "id", "name")


@dataclass
class WrittenOrder:
    """An order as it is written: names, and where it says that neighbours are equal."""

    names: list[str] = field(default_factory=list)
    ties: set[int] = field(default_factory=set)

    def add(self, name: str, *, is_tied: bool = False) -> None:
        """Add the next name; `is_tied` says that it is as good as the one before it."""
        if is_tied and self.names:
            self.ties.add(len(self.names) - 1)
        self.names.append(name)


def read_names(ranking: object) -> WrittenOrder | None:
    """The names of an order; None where there is none."""
    ranking = unwrap_string(ranking)
    if isinstance(ranking, str):
        return _read_line(ranking)
    return _read_entries(ranking) if isinstance(ranking, list) else None


def _read_line(text: str) -> WrittenOrder | None:
    """An order in a line, such as `C > A = B`."""
    parts = _SEPARATOR.split(text.strip())
    names, signs = parts[::2], parts[1::2]
    if not signs or len(names) > _MOST_ENTRIES:
        return None
    written = WrittenOrder([names[0]])
    for sign, name in zip(signs, names[1:], strict=True):
        written.add(name, is_tied=sign.startswith(_TIE_SIGNS))
    return written


def _read_entries(entries: list[object]) -> WrittenOrder | None:
    """An order in a list, in which a list stands for equals."""
    written = WrittenOrder()
    for entry in entries[:_MOST_ENTRIES]:
        for n, part in enumerate(entry if isinstance(entry, list) else [entry]):
            written.add(_read_name(part), is_tied=n > 0)
    return written if written.names and "" not in written.names else None


def _read_name(entry: object) -> str:
    """The name in an entry, which may be an object that has one; empty where there is none."""
    if isinstance(entry, Mapping):
        names = [entry[key] for key in _NAME_KEYS if key in entry]
        return _read_plain_name(names[0]) if len(names) == 1 else ""
    return _read_plain_name(entry)


def _read_plain_name(entry: object) -> str:
    if isinstance(entry, int) and not isinstance(entry, bool):
        return str(entry)
    return entry.strip() if isinstance(entry, str) else ""
