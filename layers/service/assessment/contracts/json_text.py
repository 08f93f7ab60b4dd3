"""JSON as models and providers write it: in thoughts, fences, strings, and files of many lines.

Nothing is guessed: what is read is JSON as it stands, or as `respelling` reads what can mean one
thing only. What stands inside a string of an object that is broken is a quotation and no document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assessment.contracts.respelling import drop_commas, respell, unescape

_THINKING = (
    r"[\w:-]{0,12}(?:think|thought|reason|analysis|reflection|scratchpad|\bcot\b)[\w:-]{0,12}"
)
_THOUGHT = re.compile(
    rf"\s*(?:<({_THINKING})>.*?</\1>|\[THINK\].*?\[/THINK\]|◁think▷.*?◁/think▷"
    r"|<\|begin_of_thought\|>.*?<\|end_of_thought\|>"
    r"|<\|START_THINKING\|>.*?<\|END_THINKING\|>|<unused94>.*?<unused95>"
    r"|Here is my thought process:.*?Here is my response:"
    r"|Thinking\.\.\..*?\.\.\.done thinking\.)",
    re.DOTALL | re.IGNORECASE,
)
_END_OF_THOUGHT = re.compile(
    rf"</{_THINKING}>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>"
    r"|<\|end_of_thought\|>|<\|END_THINKING\|>|<unused95>",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_NEXT_ENTRY = re.compile(r"[}\]]\s*,\s*\Z")
_LONGEST_INTEGER = 400
_MOST_STARTS = 5_000
_MOST_TOO_DEEP = 20
_DEEPEST_STRING = 3


class Contradiction:
    """What stands for a name that one JSON object gives two different values."""


def _read_integer(digits: str) -> int | None:
    # Python refuses integers of thousands of digits; no field of an answer has one.
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _join_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for name, value in pairs:
        if name not in joined or joined[name] == value:
            joined[name] = value
        elif isinstance(joined[name], list) and isinstance(value, list):
            joined[name] = [*joined[name], *value]
        else:
            joined[name] = Contradiction()
    return joined


_DECODER = json.JSONDecoder(strict=False, parse_int=_read_integer, object_pairs_hook=_join_pairs)


def load_json(text: str) -> object:
    """The document that is the whole text; raises ValueError or RecursionError."""
    return _DECODER.decode(text.strip("\ufeff \t\r\n"))


def load_response(content: bytes) -> object | None:
    """The document of a response's body, or None; bytes that are not UTF-8 are replaced."""
    try:
        return load_json(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def read_object(value: object) -> dict[str, Any]:
    """The JSON object; an empty one where the value is none."""
    return value if isinstance(value, dict) else {}


def read_objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects of a list; none where the value is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def split_json_lines(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file; a line that is none, as a cut last one, is left out.

    Lines end at a line feed only (https://jsonlines.org): U+2028, U+2029, U+0085 and their like
    may stand inside a string.
    """
    for line in text.split("\n"):
        try:
            entry = load_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


@dataclass(frozen=True)
class FoundDocuments:
    """The documents in a text, and what of the text belongs to none of them."""

    documents: list[object]
    rest: str = ""


def find_documents(text: str) -> FoundDocuments:
    """The JSON documents in a model's text, without those that belong to its thoughts.

    The whole text if it is one document; else every object that is in it, in order, in the
    reading that leaves the least of it. Of a text whose thought does not end, it is unknown where
    the answer begins: it is searched whole.
    """
    answer = unescape(_drop_thoughts(text))
    for candidate in dict.fromkeys((text, answer, drop_commas(answer))):
        try:
            return FoundDocuments([load_json(candidate)])
        except (ValueError, RecursionError):
            continue
    candidates = dict.fromkeys((answer, drop_commas(answer), respell(answer)))
    objects = [_read_objects(candidate) for candidate in candidates]
    with_objects = [each for each in objects if each.documents]
    return min(with_objects, key=lambda each: len(each.rest.split("{", 1)[-1]), default=objects[0])


def _read_objects(text: str) -> FoundDocuments:
    places = list(_scan(text))
    starts = [0, *(end for _, end, _ in places)]
    ends = [*(start for start, _, _ in places), len(text)]
    rest = " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))
    return FoundDocuments([document for _, _, document in places], rest)


def unwrap_string(value: object, *, depth: int = _DEEPEST_STRING) -> object:
    """The document inside a string, where a string is nothing else; else the value itself."""
    while depth and isinstance(value, str):
        try:
            value = load_json(value)
        except (ValueError, RecursionError):
            return value
        depth -= 1
    return value


def _drop_thoughts(text: str) -> str:
    """The text after its leading thoughts, also where the mark of their beginning is missing."""
    end = 0
    while match := _THOUGHT.match(text, end):
        end = match.end()
    if end == 0 and (mark := _END_OF_THOUGHT.search(text)):
        # A justification may quote such a mark: inside a document it ends no thought.
        quoted = any(start < mark.start() < stop for start, stop, _ in _scan(text))
        end = 0 if quoted else mark.end()
    return text[end:]


def _scan(text: str) -> Iterator[tuple[int, int, object]]:
    """Every JSON object in a text that is not inside another one, with its start and end."""
    place = n_too_deep = 0
    broken: int | None = None
    for _ in range(_MOST_STARTS):
        place = text.find("{", place)
        if place < 0 or n_too_deep == _MOST_TOO_DEEP:
            return
        try:
            document, end = _DECODER.raw_decode(text, place)
        except ValueError:
            broken = place
            place += 1
        except RecursionError:
            # So are the objects inside it, and each takes milliseconds to find that out.
            n_too_deep += 1
            place += 1
        else:
            if broken is None or not _is_quoted(text[broken:place]):
                yield place, end, document
            place = end


def _is_quoted(beginning: str) -> bool:
    """Whether what follows the beginning of a broken object stands inside one of its strings.

    A model may quote an essay, and an essay may contain a verdict.
    """
    is_inside = _ESCAPED.sub("", beginning).count('"') % 2 == 1
    return is_inside and not _NEXT_ENTRY.search(beginning)
