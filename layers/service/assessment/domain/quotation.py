"""Cut out of a provider's words what it quotes of a prompt.

Providers put parts of the request into their errors. Essays must not reach a log, an event or a
status by that way, so words are kept only where they share no run of 20 characters, and no run of
five words, with any text of the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST_MESSAGE = 300
_SHARED_CHARACTERS = 20
_SHARED_WORDS = 5
_CUT = "[...]"
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[nrtbf/\"'\\])")
_WORD = re.compile(r"\w+")


def remove_quotations(words: str, texts: Iterable[str], *, longest: int = LONGEST_MESSAGE) -> str:
    """The words without what they share with the texts, cut to `longest` characters.

    Letters are compared without regard to case, spacing, punctuation and JSON's escapes.
    """
    plain = _decode_escapes(words)[: 6 * longest]
    spans = [match.span() for match in _WORD.finditer(plain)]
    if not spans:
        return plain[:longest].strip()
    haystack = " ".join(_normalise(text) for text in texts)
    if not haystack.strip():
        return plain[:longest].strip()
    shared = _find_shared(plain, spans, f" {haystack} ")
    return _join_rest(plain, spans, shared)[:longest].strip()


def _decode_escapes(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else " ", text)


def _normalise(text: str) -> str:
    # Escapes in the texts too: a provider's escaped quote of them is decoded above.
    return " ".join(_WORD.findall(_decode_escapes(text).casefold()))


def _find_shared(plain: str, spans: list[tuple[int, int]], haystack: str) -> set[int]:
    """The numbers of the words that stand in a shared run."""
    found = [plain[start:end].casefold() for start, end in spans]
    shared: set[int] = set()
    for n in range(len(found) - _SHARED_WORDS + 1):
        if f" {' '.join(found[n : n + _SHARED_WORDS])} " in haystack:
            shared.update(range(n, n + _SHARED_WORDS))
    joined = " ".join(found)
    owners = [n for n, word in enumerate(found) for _ in range(len(word) + 1)]
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
