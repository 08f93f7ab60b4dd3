"""E-mail addresses whose marks are written as words, in English and Swedish.

"anna(at)skola.se", "anna [at] skola [dot] se", "anna snabel-a skola punkt se", "anna @ skola.se".
A word of everyday language counts as a mark only where the rest can be nothing but an address:
"at" between spaces needs a dot that is written out, and the name of a host after every mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MOST_WORDS = 3
_MAX_LOCAL = 64
_MAX_ADDRESS = 256
_GAP = r"[ \t\u00a0]"
_OPENING, _CLOSING = r"[(\[{<]", r"[)\]}>]"
_LOCAL_CHARACTERS = re.compile(r"[\w.%+'-]")
_LEADING = ".%+'-"

_SPELLED_DOT = (
    rf"(?:{_GAP}{{0,2}}{_OPENING}{_GAP}{{0,2}}(?:dot|punkt|prick|\.){_GAP}{{0,2}}{_CLOSING}"
    rf"{_GAP}{{0,2}}|{_GAP}{{1,3}}(?:dot|punkt){_GAP}{{1,3}})"
)
_DOT = rf"(?:\.|{_SPELLED_DOT})"
_LABEL = r"[\w-]{1,63}"
_HOST = re.compile(rf"(?:{_LABEL}{_DOT}){{1,8}}[^\W\d_]{{2,24}}", re.IGNORECASE)
_DOT_BEFORE = re.compile(rf"{_SPELLED_DOT}$", re.IGNORECASE)
_ANY_SPELLED_DOT = re.compile(_SPELLED_DOT, re.IGNORECASE)

_AT = re.compile(
    rf"(?P<marked>{_GAP}{{0,2}}{_OPENING}{_GAP}{{0,2}}(?:at|snabel-?{_GAP}?a|snabel|@)"
    rf"{_GAP}{{0,2}}{_CLOSING}{_GAP}{{0,2}}|\(a\)|{_GAP}{{1,3}}snabel-?{_GAP}?a{_GAP}{{1,3}})"
    rf"|(?P<spaced>{_GAP}{{0,3}}[@\uff20]{_GAP}{{1,3}})"
    rf"|(?P<sign>[@\uff20])"
    rf"|(?P<word>{_GAP}{{1,3}}at{_GAP}{{1,3}})",
    re.IGNORECASE,
)
_HINT = re.compile(rf"[@\uff20]|snabel|{_OPENING}{_GAP}{{0,2}}a", re.IGNORECASE)
_NO_HOSTS = re.compile(r"(?:the|a|an|this|that|these|those|each|every|one|any)\b", re.IGNORECASE)


class SpelledAddress(NamedTuple):
    """Where an address is in a text, and how it is written with its marks."""

    start: int
    end: int
    address: str


def find_spelled_emails(text: str) -> Iterator[SpelledAddress]:
    """Addresses with a mark that is written out, or with a space after it."""
    if not _may_have_one(text):
        return
    earlier = 0
    for mark in _AT.finditer(text):
        start = _find_start(text, mark.start(), max(earlier, mark.start() - _MAX_ADDRESS))
        host = _HOST.match(text, mark.end(), mark.end() + _MAX_ADDRESS)
        if start == mark.start() or host is None or not _is_address(mark, host[0]):
            continue
        earlier = host.end()
        address = f"{_write(text[start : mark.start()])}@{_write(host[0])}"
        yield SpelledAddress(start, earlier, address)


def _may_have_one(text: str) -> bool:
    """A quick look, since nearly all texts have none and "at" is a common word."""
    lowered = text.lower()
    return "dot" in lowered or "punkt" in lowered or _HINT.search(text) is not None


def _find_start(text: str, end: int, limit: int) -> int:
    """Where the part before the mark begins: words, with dots between them that are written out."""
    start = _skip_word(text, end, limit)
    for _ in range(_MOST_WORDS - 1):
        dot = _DOT_BEFORE.search(text, max(limit, start - 16), start)
        if start == end or dot is None:
            break
        before = _skip_word(text, dot.start(), limit)
        if before == dot.start():
            break
        start = before
    return start


def _skip_word(text: str, end: int, limit: int) -> int:
    """Where the word that ends here begins; the end itself if there is none."""
    start = end
    while start > max(limit, end - _MAX_LOCAL) and _LOCAL_CHARACTERS.match(text[start - 1]):
        start -= 1
    while start < end and text[start] in _LEADING:
        start += 1
    return start


def _is_address(mark: re.Match[str], host: str) -> bool:
    """Whether what follows the mark can be nothing but the host of an address."""
    has_spelled_dot = _ANY_SPELLED_DOT.search(host) is not None
    if mark["word"]:
        return has_spelled_dot and _NO_HOSTS.match(host) is None
    if mark["sign"]:
        return has_spelled_dot
    # A sentence that begins without a space before it looks like a host: "@ school.Then".
    return has_spelled_dot or mark["spaced"] is None or host.rpartition(".")[2].islower()


def _write(part: str) -> str:
    return _ANY_SPELLED_DOT.sub(".", part)
