"""PDF documents: the text of every page, and the pages that have none."""

import logging
import re
from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import LimitReachedError, PyPdfError

from runner.intake.document import Document, Findings, UnreadableDocumentError, require_text

MAX_PAGES = 300
MAX_CHARACTERS = 1_000_000
# Ligatures that fonts have as one sign; a judge and a count of words need the letters.
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
)
# Places of Unicode without a letter of their own, and the sign for a letter that is lost.
_NO_LETTER = re.compile("[\ue000-\uf8ff\ufffd]")
_MOST_UNREADABLE = 0.1
_COMMENTS = frozenset({"/Text", "/FreeText", "/Highlight", "/Underline", "/StrikeOut", "/Popup"})


def read_pdf(content: bytes) -> Document:
    """The text of a PDF, page by page; pages that are pictures only are named.

    Raises
    ------
    UnreadableDocumentError
    """
    # It tells of every flaw that it mends, on standard error.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocumentError("is locked with a password; save it without one")
        n_pages = len(reader.pages)
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        message = f"is a damaged PDF ({type(error).__name__}); save it again"
        raise UnreadableDocumentError(message) from None
    if n_pages > MAX_PAGES:
        raise UnreadableDocumentError(f"has {n_pages} pages; at most {MAX_PAGES} are read")
    return _read_pages(list(reader.pages))


def _read_pages(pages: list[PageObject]) -> Document:
    findings = Findings()
    texts: list[str] = []
    scanned: list[int] = []
    for number, page in enumerate(pages, start=1):
        text = _read_page(page, number)
        texts.append(text)
        n_pictures = _count_pictures(page)
        findings.n_pictures += n_pictures
        findings.n_comments += _count_comments(page)
        if n_pictures and not text.strip():
            scanned.append(number)
        if sum(map(len, texts)) > MAX_CHARACTERS:
            raise UnreadableDocumentError(f"has more than {MAX_CHARACTERS:,} characters of text")
    if scanned:
        findings.notes.append(f"SCANNED, NO TEXT: page {', '.join(map(str, scanned))}")
    text = "\n\n".join(filter(None, texts)).translate(_LIGATURES)
    _check_letters(text)
    return require_text(Document(text, findings.describe()), findings)


def _read_page(page: PageObject, number: int) -> str:
    try:
        return page.extract_text().strip()
    except LimitReachedError:
        raise UnreadableDocumentError(f"page {number} unpacks to more than can be read") from None
    except RecursionError:
        raise UnreadableDocumentError(f"page {number} is nested too deeply") from None
    except (PyPdfError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError) as e:
        message = f"page {number} is damaged ({type(e).__name__}); save it again"
        raise UnreadableDocumentError(message) from None


def _count_pictures(page: PageObject) -> int:
    objects = _find_dictionary(_find_dictionary(page, "/Resources"), "/XObject")
    drawn = [value.get_object() for value in objects.values()]
    return sum(isinstance(one, dict) and one.get("/Subtype") == "/Image" for one in drawn)


def _find_dictionary(parent: dict[Any, Any], name: str) -> dict[Any, Any]:
    """A dictionary within another, which may be a reference; empty where there is none."""
    value = parent.get(name)
    resolved = value.get_object() if value is not None else None
    return resolved if isinstance(resolved, dict) else {}


def _count_comments(page: PageObject) -> int:
    value = page.get("/Annots")
    annotations = value.get_object() if value is not None else None
    items = annotations if isinstance(annotations, list) else []
    return sum(map(_is_comment, items))


def _is_comment(item: Any) -> bool:  # noqa: ANN401 - an object of a PDF
    annotation = item.get_object()
    return isinstance(annotation, dict) and annotation.get("/Subtype") in _COMMENTS


def _check_letters(text: str) -> None:
    """Refuse text whose font does not say which letters its signs are."""
    unreadable = len(_NO_LETTER.findall(text))
    if unreadable > _MOST_UNREADABLE * len("".join(text.split())):
        raise UnreadableDocumentError(
            "does not say which letters its signs are; save it as .docx, or have its text "
            "recognised (OCR)"
        )
