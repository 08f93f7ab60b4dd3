"""JSON in the spellings of other languages, and with the slips of models, as JSON has it.

What is changed can mean one thing only: commas before a closing bracket, or missing before a name;
comments; other quotes, or none; Python's words; escapes that JSON does not know; numbers that it
cannot read, which become texts; brackets that are missing at the end.
"""

from __future__ import annotations

import html
import json
import re

_STRING = r'"(?:\\.|[^"\\])*"'
_STRING_OR_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
_VALUE_BEFORE_NAME = re.compile(
    rf"({_STRING}|[\w.}}\]])(?:\s*(?P<gap>(?={_STRING}\s*:)))?", re.DOTALL
)
_TOKEN = re.compile(
    r"""(?P<plain>"(?:\\.|[^"\\])*")"""
    r"""|'(?P<single>(?:\\.|[^'\\])*)'"""
    r"""|[\u201c\u201e](?P<curly>[^\u201c-\u201e]*)[\u201c\u201d]"""
    r"""|\u2018(?P<narrow>[^\u2018\u2019]*)\u2019"""
    r"""|(?P<comment>//[^\n]*|/\*.{0,1000}?\*/)"""
    r"""|(?P<number>[-+]?\.?\d[^\s,:;{}\[\]"']*)"""
    r"""|(?P<word>[A-Za-z_]\w*)""",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}|(?P<other>.))', re.DOTALL)
_WORDS = {"None": "null", "True": "true", "False": "false", "undefined": "null"}
_OWN_WORDS = frozenset({"null", "true", "false", "NaN", "Infinity"})
_NEARBY = 20
_CLOSING = {"{": "}", "[": "]"}


def unescape(text: str) -> str:
    """The text without the escapes of a page or of a string around all of it."""
    if '"' not in text:
        return html.unescape(text)
    if re.match(r'\s*[\[{]\s*\\"', text):
        try:
            return str(json.loads(f'"{text.strip()}"', strict=False))
        except ValueError:
            return text
    return text


def drop_commas(text: str) -> str:
    """The text without commas before a closing bracket."""
    return _STRING_OR_COMMA.sub(lambda match: match[1] or "", text)


def respell(text: str) -> str:
    """The text from its first object on, as JSON has it.

    What stands before it may have apostrophes, which are no quotes.
    """
    start = text.find("{")
    if start < 0:
        return ""
    spelled = _TOKEN.sub(_respell_token, text[start:])
    return _close(drop_commas(_VALUE_BEFORE_NAME.sub(_add_comma, spelled)))


def _respell_token(match: re.Match[str]) -> str:
    kind, token = match.lastgroup, match[0]
    if kind == "comment":
        return ""
    if kind == "number":
        return token if _NUMBER.fullmatch(token) else json.dumps(token)
    if kind == "word":
        return _respell_word(match)
    content = token[1:-1] if kind == "plain" else match[str(kind)]
    content = _ESCAPE.sub(_respell_escape, content)
    # What is escaped stays so, but for the quote that JSON does not escape.
    return '"' + re.sub(r'(?<!\\)"', r'\\"', content) + '"'


def _respell_word(match: re.Match[str]) -> str:
    """A name without quotes, a word of another language, or a text without quotes."""
    token = match[0]
    before = match.string[max(0, match.start() - _NEARBY) : match.start()].rstrip()
    after = match.string[match.end() : match.end() + _NEARBY].lstrip()
    if after.startswith(":"):
        return json.dumps(token)
    if token in _WORDS or token in _OWN_WORDS:
        return _WORDS.get(token, token)
    is_value = before.endswith((":", "[", ",")) and after.startswith((",", "}", "]"))
    return json.dumps(token) if is_value else token


def _respell_escape(match: re.Match[str]) -> str:
    other = match["other"]
    if other is None:
        return match[0]
    return other if other == "'" else rf"\\{other}"


def _add_comma(match: re.Match[str]) -> str:
    return match[1] if match["gap"] is None else f"{match[1]}, "


def _close(text: str) -> str:
    """The text with the brackets that its end lacks; as it is where it ends inside a string."""
    bare = re.sub(_STRING, "", text, flags=re.DOTALL)
    if '"' in bare:
        return text
    missing: list[str] = []
    for mark in re.findall(r"[\[\]{}]", bare):
        if mark in _CLOSING:
            missing.append(_CLOSING[mark])
        elif missing:
            missing.pop()
    return text.rstrip("`,\n ") + "".join(reversed(missing)) if missing else text
