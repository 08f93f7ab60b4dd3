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
_LETTERS: dict[str, WinnerLetter] = {
    "first": "A", "second": "B",
    "a": "A", "b": "B",
    "\u0430": "A", "\u0431": "B", "\u0432": "B",
    "\u03b1": "A", "\u03b2": "B",
    "\u0623": "A", "\u0627": "A", "\u0628": "B",
}  # fmt: skip
"""Essay A is shown first; the letters of Cyrillic, Greek and Arabic are in the same places."""

_LETTER = "|".join(_LETTERS)
_TIES = frozenset({
    "tie", "tied", "draw", "equal", "unentschieden", "gleichstand", "oavgjort", "lika", "uavgjort",
    "uafgjort", "tasapeli", "égalité", "égal", "empate", "pareggio", "gelijkspel", "gelijk",
    "remis", "ничья", "平局", "平手", "引き分け", "무승부", "ex aequo", "lika bra", "gleich gut",
    "equally good", "equally strong", "both equal", "both are equal", "both are equally good",
    "no difference", "a = b", "a=b", "b = a", "b=a", "תיקו", "تعادل", "ισοπαλία", "berabere",
})  # fmt: skip
_TIE_AROUND = re.compile(r"(?:it is |it's |it’s )?(?:an? |the )?(tie|draw)(?: between .{1,30})?")
_NOUNS = (
    "essay|text|option|answer|response|student|candidate|paper|version|document|passage|submission"
    "|composition|writer|script|piece|work|winner|sample|author"
    "|aufsatz|uppsats|essä|rédaction|texte|copie|dissertation|ensayo|texto|redacción|redação|tema"
    "|testo|saggio|opstel|tekst|stil|aine|essee|teksti|esej|wypracowanie|praca|slohovka"
    "|kompozycja|deneme|metin|fogalmazás|έκθεση|κείμενο|эссе|сочинение|текст|работа|твір|есе"
    "|作文|文章|短文|论文|論文|エッセイ|小論文|에세이|글|المقال|النص|חיבור"
)
_WINNER = re.compile(
    rf"(?:the )?(?:(?:{_NOUNS})(?: is)?[ _:-]*)?(?P<letter>{_LETTER})(?: (?:{_NOUNS}))?"
    r"(?: (?:wins|is(?: (?:clearly|slightly|decisively|much|a bit|somewhat|far|marginally))? better"
    r"|is the (?:winner|better one|better essay|better text))"
    rf"(?: than (?:the )?(?:(?:{_NOUNS})[ _-]*)?(?P<loser>{_LETTER}))?)?"
)
_ORDER = re.compile(
    rf"(?:(?:{_NOUNS}) )?({_LETTER}) ?(>{{1,3}}|<{{1,3}}|≻|≺) ?(?:(?:{_NOUNS}) )?({_LETTER})"
)
_WINNER_NAMES = ("essay", "label", "id", "value", "name", "choice", "winner", "text", "letter")


def read_winner(value: object) -> WinnerLetter | None:
    """A winner in any spelling that can mean one thing only."""
    text = _read_plainly(_unwrap(value))
    if text in _TIES or _TIE_AROUND.fullmatch(text):
        return "tie"
    return _read_order(text) or _read_sentence(text)


def _read_order(text: str) -> WinnerLetter | None:
    """The better of two essays with a sign between them."""
    order = _ORDER.fullmatch(text)
    if order is None:
        return None
    first, sign, second = order.groups()
    return _choose(first, second) if sign[0] in ">≻" else _choose(second, first)


def _read_sentence(text: str) -> WinnerLetter | None:
    """The essay that a name or a sentence says is better, perhaps than the other one."""
    match = _WINNER.fullmatch(text)
    return None if match is None else _choose(match["letter"], match["loser"])


def _choose(winner: str, loser: str | None) -> WinnerLetter | None:
    """The winner, unless it is the loser too."""
    return None if loser and _LETTERS[winner] == _LETTERS[loser] else _LETTERS[winner]


def _unwrap(value: object) -> object:
    """What a list of one, or an object that names one essay, says."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        values = [value[name] for name in _WINNER_NAMES if name in value]
        value = values[0] if len(values) == 1 else None
    return value


def _read_plainly(value: object) -> str:
    """The text without case, and without quotes, brackets, emphasis and a full stop around it."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return ""
    visible = "".join(filter(_is_visible, value))
    text = unicodedata.normalize("NFKC", visible).casefold().replace("*", "").strip(_AROUND)
    return " ".join(text.split())


def _is_visible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in {"Cf", "Cc"}
