"""Cut out of a provider's words what it quotes of a prompt.

Providers put parts of the request into their errors. Essays must not reach a log, an event or a
status by that way. So words are kept only where they share no run of 20 characters, and no run of
five words, with any text of the call.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

LONGEST_MESSAGE = 300
SHORTEST_QUOTATION = 9
"""Characters below which words cannot quote anything: five words have more."""

_SHARED_CHARACTERS = 20
_SHARED_WORDS = 5
_CUT = "[...]"
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[nrtbf/\"'])")
_BYTES = re.compile(r"(?:\\+x[0-9a-fA-F]{2})+")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
# Scripts without spaces: each of their characters stands for a word.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+")


def remove_quotations(words: str, texts: Iterable[str], *, longest: int = LONGEST_MESSAGE) -> str:
    """The words without what they share with the texts, cut to `longest` characters.

    Letters are compared without regard to case, spacing, punctuation, invisible characters, the
    ways in which Unicode spells one letter, and the escapes of JSON, Python, HTML and URLs.
    """
    plain = _decode(words[: 36 * longest])[: 6 * longest]
    spans = [match.span() for match in _WORD.finditer(plain)]
    if not spans:
        return plain[:longest].strip()
    haystack = " ".join(_normalise(text) for text in texts)
    if not haystack.strip():
        return plain[:longest].strip()
    shared = _find_shared(plain, spans, f" {haystack} ")
    return _join_rest(plain, spans, shared)[:longest].strip()


def _decode(text: str) -> str:
    """The text without escapes; one that was escaped twice is decoded twice."""
    for _ in range(2):
        decoded = _BYTES.sub(_decode_bytes, _ESCAPE.sub(_decode_escape, html.unescape(text)))
        decoded = unquote(decoded, errors="replace")
        if decoded == text:
            break
        text = decoded
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", joined))


def _decode_escape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else " "


def _decode_bytes(match: re.Match[str]) -> str:
    digits = re.sub(r"\\+x", "", match[0])
    return bytes.fromhex(digits).decode("utf-8", "replace")


def _normalise(text: str) -> str:
    # Escapes in the texts too: a provider's escaped quote of them is decoded above.
    return " ".join(_WORD.findall(_decode(text).casefold()))


def _find_shared(plain: str, spans: list[tuple[int, int]], haystack: str) -> set[int]:
    """The numbers of the words that are in a shared run."""
    words = [plain[start:end].casefold() for start, end in spans]
    shared: set[int] = set()
    for n in range(len(words) - _SHARED_WORDS + 1):
        if f" {' '.join(words[n : n + _SHARED_WORDS])} " in haystack:
            shared.update(range(n, n + _SHARED_WORDS))
    joined = " ".join(words)
    owners = [n for n, word in enumerate(words) for _ in range(len(word) + 1)]
    for place in range(len(joined) - _SHARED_CHARACTERS + 1):
        if joined[place : place + _SHARED_CHARACTERS] in haystack:
            shared.update(owners[place : place + _SHARED_CHARACTERS])
    return shared


def _join_rest(plain: str, spans: list[tuple[int, int]], shared: set[int]) -> str:
    return "".join(_pieces(plain, spans, shared))


def _pieces(plain: str, spans: list[tuple[int, int]], shared: set[int]) -> Iterator[str]:
    place, cutting = 0, False
    for n, (start, end) in enumerate(spans):
        if n in shared:
            if not cutting:
                yield plain[place:start] + _CUT
            cutting = True
        else:
            yield (" " if cutting else plain[place:start]) + plain[start:end]
            cutting = False
        place = end
    yield plain[place:]
