"""Values from outside brought into a form that can be stored: valid text, finite numbers, or none.

What is optional in an answer never costs the verdict. A value that cannot be read is left out, and
a note says so; the note names the field and never quotes the value.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

from assessment.domain.verdict import (
    HIGHEST_CONFIDENCE,
    LOWEST_CONFIDENCE,
    MAX_DECISION_SECONDS,
    MAX_JUSTIFICATION,
    Degree,
)

_MOST_TOKENS = 1_000_000_000
_MOST_USD = 1_000_000.0
_MOST_WORDS_OF_NAME = 6
_WHOLE_NUMBER = re.compile(r"\d{1,9}(\.0+)?")


def clean_text(text: str) -> str:
    """The text as valid Unicode without NUL; half of a surrogate pair becomes U+FFFD."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "")


def read_confidence(value: object) -> tuple[int | None, str | None]:
    """A confidence from 1 to 5, and a note where there was a value that is none."""
    number = _read_whole_number(value)
    if number is not None and LOWEST_CONFIDENCE <= number <= HIGHEST_CONFIDENCE:
        return number, None
    return None, _note_loss(value, "confidence: left out, it is not a number from 1 to 5")


def read_degree(value: object) -> tuple[Degree | None, str | None]:
    """A degree, and a note where there was a value that is none."""
    name = value.strip().lower() if isinstance(value, str) else None
    if name in set(Degree):
        return Degree(name), None
    return None, _note_loss(value, "degree: left out, it is not slight, clear or decisive")


def read_justification(value: object) -> tuple[str | None, str | None]:
    """At most 500 characters of a justification, and a note where there was no text."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = " ".join(value)
    if isinstance(value, str):
        return clean_text(value)[:MAX_JUSTIFICATION].strip() or None, None
    return None, _note_loss(value, "justification: left out, it is not a text")


def _note_loss(value: object, note: str) -> str | None:
    """The note, where there was a value."""
    return None if value is None else note


def read_token_count(value: object) -> int:
    """A count of tokens; what is no count is 0."""
    number = _read_whole_number(value)
    return min(number, _MOST_TOKENS) if number is not None and number >= 0 else 0


def read_cost_usd(value: object) -> tuple[float | None, str | None]:
    """A cost in US dollars, and a note where there was a value that is none."""
    try:
        cost = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        cost = math.nan
    if math.isfinite(cost) and 0 <= cost <= _MOST_USD and not isinstance(value, bool):
        return cost, None
    return None, _note_loss(value, "cost_usd: left out, it is not an amount")


def read_name(value: object, *, longest: int = 200) -> str | None:
    """A name or an id on one line, or None where there is none: a sentence is no name."""
    if not isinstance(value, str):
        return None
    name = "".join(c for c in clean_text(value) if c.isprintable()).strip()[:longest]
    return name if name and len(name.split()) <= _MOST_WORDS_OF_NAME else None


def read_seconds(value: object) -> float | None:
    """A number of seconds within a day, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= MAX_DECISION_SECONDS else None


def read_moment(value: object) -> datetime | None:
    """A moment with its zone, or None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo else None


def _read_whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
        return int(float(value))
    return None
