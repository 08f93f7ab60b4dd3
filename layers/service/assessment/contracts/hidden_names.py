"""A report without names: essays and people by number, and no text that might name somebody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from assessment.contracts.essay_fields import BY_ESSAY
from assessment.domain.identifiers import ANCHOR_PREFIX
from assessment.domain.judge import Provider

_PERSON = f"{Provider.PERSON}/"
_NAMES = frozenset(
    {"essay_id", "needs_more_evidence", "excluded_essays", "essays", "judge", "judges", "group"}
)
"""Fields that hold a name, or a list of names."""


@dataclass(frozen=True)
class Aliases:
    """What stands for each name: of essays, and of all; and a pattern that finds any of them."""

    essays: dict[str, str]
    known: dict[str, str]
    pattern: re.Pattern[str]


def hide_names(document: dict[str, Any]) -> dict[str, Any]:
    """The data of a report with essays, people and groups by number, without justifications.

    Essays are numbered by rank, so the number tells nothing that the page does not. Names are
    replaced in the fields that hold them and within sentences; a grade that is called as an essay
    stays a grade. Anchors keep their names: they are no pupils of this batch.
    """
    essays = _name_essays(document)
    names = essays | _name_people(document) | _name_groups(document)
    hidden: dict[str, Any] = _replace(document, Aliases(essays, names, _make_pattern(names)))
    if hidden["comparisons"]:
        rows = [[*row[:-1], None] for row in hidden["comparisons"]["rows"]]
        lists = [[*one[:-1], None] for one in hidden["comparisons"].get("lists", [])]
        without_reasons = {"rows": rows} | ({"lists": lists} if lists else {})
        hidden["comparisons"] = hidden["comparisons"] | without_reasons
    return hidden


def _look_up(document: dict[str, Any], *path: str) -> list[Any]:
    """What is at the path, where everything on the way to it is there."""
    value: Any = document
    for name in path:
        value = (value or {}).get(name)
    return value or []


def _name_essays(document: dict[str, Any]) -> dict[str, str]:
    lists = [
        _look_up(document, "result", "rankings"),
        _look_up(document, "attention"),
        _look_up(document, "progress", "not_assessed"),
    ]
    ids = [entry["essay_id"] for entries in lists for entry in entries]
    ids += _look_up(document, "comparisons", "essays")
    pupils = dict.fromkeys(name for name in ids if not name.startswith(ANCHOR_PREFIX))
    return {name: f"#{number:03d}" for number, name in enumerate(pupils, start=1)}


def _name_people(document: dict[str, Any]) -> dict[str, str]:
    judges = _look_up(document, "result", "judges") + _look_up(document, "comparisons", "judges")
    people = sorted({judge for judge in judges if judge.startswith(_PERSON)})
    return {name: f"{_PERSON}{number}" for number, name in enumerate(people, start=1)}


def _name_groups(document: dict[str, Any]) -> dict[str, str]:
    names = sorted({group["group"] for group in _look_up(document, "result", "groups", "groups")})
    return {name: f"group {number}" for number, name in enumerate(names, start=1)}


def _make_pattern(aliases: dict[str, str]) -> re.Pattern[str]:
    """Any of the names as a word of its own, the longest first; nothing if there are none."""
    longest_first = sorted(aliases, key=lambda name: (-len(name), name))
    alternatives = "|".join(re.escape(name) for name in longest_first)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)" if alternatives else r"(?!)")


def _replace(value: Any, aliases: Aliases, field: str = "") -> Any:
    """The value of a field with names replaced where the field has names or sentences."""
    if isinstance(value, dict):
        renamed = field in BY_ESSAY
        return {
            aliases.essays.get(key, key) if renamed else key: _replace(each, aliases, key)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_replace(each, aliases, field) for each in value]
    if not isinstance(value, str):
        return value
    if field in _NAMES:
        return aliases.known.get(value, value)
    return (
        aliases.pattern.sub(lambda match: aliases.known[match[0]], value) if " " in value else value
    )
