"""The winner as it crosses the wire: the letter under which an essay was shown, or a tie."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from assessment.domain.verdict import Winner

WinnerLetter = Literal["A", "B", "tie"]
"""The better essay by the letter under which it was shown."""

WINNERS: dict[WinnerLetter, Winner] = {"A": Winner.FIRST, "B": Winner.SECOND, "tie": Winner.TIE}

_LONGEST = 60
_AROUND = " \t\r\n\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb()[]*`.:_"
_LETTERS: dict[str, WinnerLetter] = {"a": "A", "b": "B", "first": "A", "second": "B"}
"""Essay A is shown first."""

_LOOKALIKES = str.maketrans("\u0430\u0432\u0431\u03b1\u03b2", "abbab")
"""Letters of Cyrillic and Greek in the places of A and B."""

_TIES = frozenset({
    "tie", "tied", "draw", "equal", "unentschieden", "gleichstand", "oavgjort", "lika", "uavgjort",
    "uafgjort", "tasapeli", "égalité", "égal", "empate", "pareggio", "gelijkspel", "gelijk",
    "remis", "ничья", "平局", "平手", "引き分け", "무승부",
})  # fmt: skip
_NOUNS = "essay|text|option|answer|response|aufsatz|uppsats|essä|rédaction|ensayo|tema"
_WINNER = re.compile(
    rf"(?:the )?(?:(?:{_NOUNS})[ _-]*)?(a|b|first|second)(?: essay| text)?"
    r"(?: wins| is better| is the winner| is the better one)?"
)


def read_winner(value: object) -> WinnerLetter | None:
    """A winner in any spelling that can mean one thing only."""
    text = _read_plainly(value[0] if isinstance(value, list) and len(value) == 1 else value)
    if text in _TIES:
        return "tie"
    match = _WINNER.fullmatch(text.translate(_LOOKALIKES))
    return _LETTERS[match[1]] if match else None


def _read_plainly(value: object) -> str:
    """The text without case, and without quotes, brackets, emphasis and a full stop around it."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return ""
    text = unicodedata.normalize("NFKC", value).casefold().replace("*", "").strip(_AROUND)
    return " ".join(text.split())
