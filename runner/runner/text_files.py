"""Text files as people save them: UTF-8, and what spreadsheets and old editors write instead."""

import codecs
import re
from collections.abc import Callable
from pathlib import Path

from runner.console import note
from runner.errors import BadInputError, Problem

# The longest first: a UTF-32 mark begins like a UTF-16 one.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# How files begin that are no plain text, whatever their name says.
_OTHER_FORMATS = (
    (b"{\\rtf", "RTF (rich text)"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "a zipped document (Word, OpenDocument or Excel)"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel document"),
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
)
# Beyond ASCII, what Western European texts consist of.
_WESTERN = frozenset(
    "åäöæøéèêëàâáãçîïíìñóòôõüûúùßœÅÄÖÆØÉÈÊËÀÂÁÃÇÎÏÍÑÓÔÕÜÛÚŒ“”„‘’‚–—…«»€£§°´·¿¡ºª\xa0"
)
# Encodings that hardly any program writes; short Russian and Polish texts are taken for them.
_UNUSUAL = [
    "shift_jis_2004", "shift_jisx0213", "euc_jis_2004", "euc_jisx0213", "iso8859_3", "iso8859_10",
    "iso8859_14", "iso8859_16", "mac_iceland", "mac_latin2", "mac_turkish", "mac_greek",
    "hp_roman8", "johab", "hz", "cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140",
    "ptcp154", "kz1048", "koi8_t",
]  # fmt: skip
_LEAST_WESTERN = 0.9
_LEAST_HALF_EMPTY = 0.3
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def read_text(path: Path, *, tell: Callable[[str], None] = note) -> str:
    """The text of a file without its byte order mark; `tell` is told of an encoding not UTF-8.

    Raises
    ------
    BadInputError
        If the file cannot be read, is another format under the name of a text, or has an encoding
        that cannot be recognised; names the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        raise BadInputError(Problem(message, file=str(path))) from None

    def tell_encoding(encoding: str) -> None:
        tell(
            f"{path} is not UTF-8; it was read as {encoding}. If letters look wrong, "
            "save it as UTF-8"
        )

    return decode_text(content, file=str(path), tell=tell_encoding)


def decode_text(
    content: bytes, *, file: str | None = None, tell: Callable[[str], None] = note
) -> str:
    """The text that bytes stand for; `tell` is told the encoding if it is not UTF-8.

    Raises
    ------
    BadInputError
        As `read_text`.
    """
    other_format = _recognise_other_format(content)
    if other_format is not None:
        message = f"is {other_format}, not plain text; save it as plain text (UTF-8)"
        raise BadInputError(Problem(message, file=file))
    try:
        encoding = recognise_encoding(content)
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        place = f" (byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""
        message = f"not UTF-8 text{place}, and its encoding cannot be recognised; save it as UTF-8"
        raise BadInputError(Problem(message, file=file)) from None
    if encoding not in ("utf-8", "utf-8-sig"):
        tell(encoding)
    return text.removeprefix("\ufeff")


def recognise_encoding(content: bytes) -> str:
    """The encoding of a text: UTF-8 if it can be; else by its mark, its zeros, or its letters.

    charset-normalizer takes short Western European texts for Central European ones, so these are
    tried before it is asked.

    Raises
    ------
    UnicodeDecodeError
        If no encoding fits.
    """
    encoding = _recognise_mark(content) or _recognise_zeros(content)
    if encoding is not None:
        return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _recognise_western(content) or _guess_encoding(content, error)
    return "utf-8"


def _recognise_other_format(content: bytes) -> str | None:
    start = content[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    names = (name for beginning, name in _OTHER_FORMATS if start.startswith(beginning.lower()))
    return next(names, None)


def _recognise_mark(content: bytes) -> str | None:
    return next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)


def _recognise_zeros(content: bytes) -> str | None:
    """UTF-16 without a mark: in most languages every second byte of many is 0."""
    half = max(len(content) // 2, 1)
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if content[start::2].count(0) / half > _LEAST_HALF_EMPTY:
            return name
    return None


def _recognise_western(content: bytes) -> str | None:
    """The encoding that gives most Western letters, if it gives hardly any others."""
    shares = {name: _measure_western_share(content, name) for name in ("cp1252", "mac-roman")}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > _LEAST_WESTERN else None


def _measure_western_share(content: bytes, encoding: str) -> float:
    """The share of Western letters beyond ASCII; 0 for a text that is mostly beyond it."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    letters = [letter for letter in text if not letter.isascii()]
    if 2 * len(letters) > len(text):
        return 0.0
    return sum(letter in _WESTERN for letter in letters) / len(letters)


def _guess_encoding(content: bytes, error: UnicodeDecodeError) -> str:
    from charset_normalizer import from_bytes

    guess = from_bytes(content, cp_exclusion=_UNUSUAL).best()
    if guess is None or _NO_TEXT.search(str(guess)):
        raise error
    return guess.encoding.replace("_", "-")
