"""The winner as it crosses the wire: the letter under which an essay was shown, or a tie."""

from __future__ import annotations

import re
from typing import Literal

from assessment.domain.verdict import Winner

WinnerLetter = Literal["A", "B", "tie"]
"""The better essay by the letter under which it was shown."""

WINNERS: dict[WinnerLetter, Winner] = {"A": Winner.FIRST, "B": Winner.SECOND, "tie": Winner.TIE}

_SPELLINGS: dict[str, WinnerLetter] = {"a": "A", "b": "B", "tie": "tie", "draw": "tie"}


def read_winner(value: object) -> WinnerLetter | None:
    """A winner in any spelling that can mean one thing only."""
    if not isinstance(value, str):
        return None
    return _SPELLINGS.get(re.sub(r"[^a-z]", "", value.casefold()).removeprefix("essay"))
