"""Identifiers and content hashes: every id that can be derived is derived, so retries agree.

Ids are names that people know: letters and digits of any script, in Unicode's composed form (NFC).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import uuid
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from assessment.domain.plain_text import has_ink, normalise

_NAMESPACE = uuid.UUID("6f0d4d1e-3d1a-5b8e-9a55-0c5b2c6f7a10")

RESERVED_WORD = "register"
"""The one word that no assignment can have as its id: /v1/anchors/register registers anchors."""

# What joins the letters and digits of an id. None of it separates the parts of a stored key.
_JOINERS = frozenset("_.-")
_JOINERS_OF_NAMES = _JOINERS | frozenset(" :@()',+&’")
# Zero-width joiners shape words of Persian and of Indian scripts; elsewhere they show nothing.
_SHAPING = frozenset("\u200c\u200d")
_FIRST_SHAPED_SCRIPT = 0x0590


def _check_id(text: str, joiners: frozenset[str]) -> str:
    """The id, if all of it can be read.

    Raises
    ------
    ValueError
        Naming the first character that an id cannot have.
    """
    for position, character in enumerate(text):
        previous = text[position - 1] if position else ""
        problem = _find_problem(character, previous, joiners)
        if problem is not None:
            message = f"cannot be an id: it {problem}; {_describe_rule(joiners)}"
            raise ValueError(message)
    if text.endswith(" ") or "  " in text:
        message = "cannot be an id: take away the space at its end, and doubled ones"
        raise ValueError(message)
    return text


def _describe_rule(joiners: frozenset[str]) -> str:
    spaces = ", single spaces between" if " " in joiners else ""
    marks = " ".join(sorted(joiners - {" "}))
    return f"use letters and digits of any script and {marks}{spaces}"


def _find_problem(character: str, previous: str, joiners: frozenset[str]) -> str | None:
    """Why the character cannot stand in an id after the previous one, which is empty at first."""
    shapes = _shapes_letters(character, previous)
    code_point = f"U+{ord(character):04X}"
    if not (
        _begins_name(character) or (previous and (shapes or _continues_name(character, joiners)))
    ):
        name = unicodedata.name(character, "control character")
        return f"{'has' if previous else 'begins with'} {name} ({code_point})"
    if not has_ink(character) and character != " " and not shapes:
        return f"has {code_point}, which shows nothing"
    return None


def _shapes_letters(character: str, previous: str) -> bool:
    """Whether it is a joiner after a letter of a script that has use for it."""
    return character in _SHAPING and ord(previous or "a") >= _FIRST_SHAPED_SCRIPT


def _begins_name(character: str) -> bool:
    """Whether it is a letter or a digit."""
    return unicodedata.category(character)[0] in "LN"


def _continues_name(character: str, joiners: frozenset[str]) -> bool:
    """Whether it is an accent, or joins letters and digits."""
    return unicodedata.category(character)[0] == "M" or character in joiners


def _refuse_reserved_word(text: str) -> str:
    """The id, unless the API's address for it would be the address of something else.

    Raises
    ------
    ValueError
        If it is the reserved word.
    """
    if text == RESERVED_WORD:
        message = f"cannot be an id: {RESERVED_WORD!r} is a word of the API's own; choose another"
        raise ValueError(message)
    return text


def _compose(value: Any) -> Any:
    return normalise(value) if isinstance(value, str) else value


EssayId = Annotated[
    str,
    BeforeValidator(_compose),
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(partial(_check_id, joiners=_JOINERS_OF_NAMES)),
]
AssignmentId = Annotated[
    str,
    BeforeValidator(_compose),
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(partial(_check_id, joiners=_JOINERS | {":"})),
    AfterValidator(_refuse_reserved_word),
]
AnchorRef = Annotated[
    str,
    BeforeValidator(_compose),
    StringConstraints(min_length=1, max_length=64),
    AfterValidator(partial(_check_id, joiners=_JOINERS)),
]
GroupLabel = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    BeforeValidator(_compose),
    AfterValidator(partial(_check_id, joiners=_JOINERS_OF_NAMES)),
]

ANCHOR_PREFIX = "ANCHOR_"

_LONGEST_WAVE = 8


def derive_uuid(*parts: str) -> str:
    """A UUID (version 5) that depends on nothing but its parts."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def join_key(*parts: str) -> str:
    """One key of several parts; no other parts have the same one."""
    return canonical_json(parts)


def is_batch_id(text: str) -> bool:
    """Whether the text has the form of a batch id (a UUID in canonical spelling)."""
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def is_comparison_id(text: str) -> bool:
    """Whether the text has the form that `comparison_id` gives."""
    return re.fullmatch(r"w[0-9]{3,7}-[0-9]{5,9}", text) is not None


def content_sha256(text: str) -> str:
    """The content address of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal bytes.

    Results are written as RFC 8785 has it. The hashes of stored batches are those of this form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_LINE_ENDS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}


def write_json_line(value: Any) -> str:
    """Canonical JSON as one line for every reader.

    In JSON Lines only a line feed ends a line, but many readers also cut at other marks, which a
    quoted text may contain. They are escaped here.
    """
    return canonical_json(value).translate(_LINE_ENDS) + "\n"


def canonical_sha256(value: Any) -> str:
    """The hash of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def find_queue_place(name: str) -> str:
    """Where a name stands in a queue whose order means nothing: eight digits of its SHA-256."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def comparison_id(wave_number: int, position: int) -> str:
    """The id of the comparison at a position of a wave, unique within its batch."""
    return f"w{wave_number:03d}-{position:05d}"


def read_wave_number(comparison: str) -> int:
    """The wave in which a comparison was planned, read from its id; 0 if it is no such id."""
    wave, _, _ = comparison.removeprefix("w").partition("-")
    return int(wave) if wave.isascii() and wave.isdecimal() and len(wave) < _LONGEST_WAVE else 0


def make_anchor_essay_id(assignment_id: str, anchor_ref: str, text_sha256: str) -> str:
    """The synthetic id under which an anchor enters a batch: `ANCHOR_<ref>_<8 hex>`."""
    digest = content_sha256(f"{assignment_id}\x1f{anchor_ref}\x1f{text_sha256}")
    return f"{ANCHOR_PREFIX}{anchor_ref}_{digest[:8]}"


def draw_fraction(text: str) -> float:
    """A number in [0, 1) that depends on nothing but the text: its hash as a uniform draw."""
    digest = hashlib.sha256(text.encode()).digest()
    # 53 bits: every value is exactly a float, and 1.0 cannot come out by rounding.
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


def derive_seed(batch_id: str) -> int:
    """The seed a batch uses when the request names none."""
    return int(content_sha256(batch_id)[:8], 16)
