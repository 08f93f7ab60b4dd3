"""What a document gives: its text, and what a reader should know of how it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MEGABYTE = 1_000_000


class DocumentFormat(StrEnum):
    """The formats of essays, by the ending of the file's name."""

    TXT = "txt"
    MD = "md"
    DOCX = "docx"
    ODT = "odt"
    PDF = "pdf"
    RTF = "rtf"


FORMATS: Mapping[str, DocumentFormat] = {
    ".text": DocumentFormat.TXT,
    **{f".{form}": form for form in DocumentFormat},
}
"""The format of each ending that is read, in lower case."""


class UnreadableDocumentError(Exception):
    """A document that gives no text; the message says why and what to do, and quotes nothing."""


@dataclass(frozen=True)
class Document:
    """The text of a document, and notes on what was left out or changed."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass
class Findings:
    """What a parser met beside running text, counted."""

    n_comments: int = 0
    n_footnotes: int = 0
    n_footnotes_left_out: int = 0
    n_hidden: int = 0
    n_pictures: int = 0
    n_text_boxes: int = 0
    n_tracked_changes: int = 0
    has_header: bool = False
    notes: list[str] = field(default_factory=list)

    def describe(self) -> tuple[str, ...]:
        """The findings in words, those that are none left out."""
        counted = (
            (self.n_tracked_changes, "tracked change", "accepted"),
            (self.n_comments, "comment", "left out"),
            (self.n_hidden, "hidden part", "left out"),
            (self.n_text_boxes, "text box", "read"),
            (self.n_footnotes, "footnote", "at the end"),
            (self.n_footnotes_left_out, "footnote", "left out"),
            (self.n_pictures, "picture", "not read"),
        )
        words = [f"{_count(n, noun)} {verb}" for n, noun, verb in counted if n]
        if self.has_header:
            words.append("header and footer left out")
        return (*words, *self.notes)


def _count(n: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"1 {noun}" if n == 1 else f"{n} {plural}"


def require_text(document: Document, findings: Findings) -> Document:
    """The document, unless all that it shows are pictures.

    Raises
    ------
    UnreadableDocumentError
    """
    if findings.n_pictures and not document.text.strip():
        raise UnreadableDocumentError(
            f"has {_count(findings.n_pictures, 'picture')} and no text: a scan or photographs; "
            "have its text recognised (OCR) and save that"
        )
    return document
