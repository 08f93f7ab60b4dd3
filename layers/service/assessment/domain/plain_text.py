"""Characters as a reader sees them: what prints, what does not, and what prints alike."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# Letters and signs that have a width or a name but no ink, beside white space, controls and
# format characters: fillers, variation selectors (Unicode, Default_Ignorable_Code_Point), the
# empty Braille pattern, and the place of an object that plain text does not have.
_WITHOUT_INK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
_WITHOUT_INK_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
# Letters of other scripts with the same shape as a Latin one in every common font (Unicode
# Technical Standard 39, confusables).
_SAME_SHAPE = str.maketrans(
    "АВЕЅІЈКМНОРСТХҮ" + "асеѕіјорхуһԁԛԝ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "ο" + "’ʼ`‐‑‒–−",
    "ABESIJKMHOPCTXY" + "acesijopxyhdqw" + "ABEZHIKMNOPTYX" + "o" + "'''-----",
)


def has_ink(character: str) -> bool:
    """Whether a character shows anything on paper."""
    return (
        character not in _WITHOUT_INK
        and unicodedata.category(character) not in _WITHOUT_INK_CATEGORIES
    )


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: white space, zero-width and format characters."""
    return not any(map(has_ink, text))


def normalise(text: str) -> str:
    """The text in Unicode's composed form (NFC), so that one name has one spelling."""
    return unicodedata.normalize("NFC", text)


def printed_form(name: str) -> str:
    """What a reader can tell a name by: compatibility forms, spaces and lookalikes made one."""
    compatible = unicodedata.normalize("NFKC", name)
    visible = "".join(c for c in compatible if c == " " or has_ink(c))
    return " ".join(visible.split()).translate(_SAME_SHAPE)


def find_alike_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that a reader cannot tell apart, each with the first of its kind."""
    by_form: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_form[printed_form(name)].append(name)
    return [
        (alike[0], other)
        for alike in by_form.values()
        for other in dict.fromkeys(alike[1:])
        if other != alike[0]
    ]


def spell_code_points(name: str) -> str:
    """A name with the code points of what is not ASCII, to show where two names differ."""
    return "".join(c if c.isascii() and c.isprintable() else f"<U+{ord(c):04X}>" for c in name)
