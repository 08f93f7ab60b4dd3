"""Word documents (.docx): the text as it reads when every tracked change is accepted."""

from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn

from runner.intake.archive import check_xml, open_archive
from runner.intake.document import (
    Document,
    Findings,
    UnreadableDocumentError,
    require_text,
)

type _Element = Any
"""A document of python-docx or an element of lxml, which have no types."""

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATHS_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_PICTURE = frozenset({qn("pic:pic"), "{urn:schemas-microsoft-com:vml}imagedata"})
_REMOVED = frozenset({f"{_WORD}del", f"{_WORD}moveFrom"})
_ADDED = frozenset({f"{_WORD}ins", f"{_WORD}moveTo"})
_SIGNS = {
    f"{_WORD}tab": "\t",
    f"{_WORD}br": "\n",
    f"{_WORD}cr": "\n",
    f"{_WORD}noBreakHyphen": "-",
}
# Settings, codes of fields, and the reading aid above a word: no text of the essay.
_SILENT = frozenset(
    f"{_WORD}{name}"
    for name in ("pPr", "rPr", "sectPr", "tblPr", "tcPr", "instrText", "delText", "rt", "sdtPr")
)
_MAX_STYLES = 20


def read_word(content: bytes) -> Document:
    """The text of a Word document.

    Text boxes follow the paragraph that they are anchored in, footnotes the whole text. Comments,
    headers, footers and hidden text are left out.

    Raises
    ------
    UnreadableDocumentError
    """
    with open_archive(content) as archive:
        check_xml(archive)
    try:
        opened = docx.Document(BytesIO(content))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        message = f"is no Word document ({type(error).__name__}); save it again as .docx"
        raise UnreadableDocumentError(message) from None
    if getattr(opened.element, "body", None) is None:
        raise UnreadableDocumentError("is no Word document; save it again as .docx")
    return _TextOfWord(opened).read()


class _TextOfWord:
    """One pass over a document's elements."""

    def __init__(self, opened: _Element) -> None:
        self._document = opened
        self._findings = Findings()
        self._lists = _Lists(opened)

    def read(self) -> Document:
        body = self._document.element.body
        text = "".join(self._blocks(body)).rstrip("\n")
        notes = "".join(self._note_texts()).rstrip("\n")
        self._findings.n_comments = len(self._part_elements(RELATIONSHIP_TYPE.COMMENTS, "comment"))
        self._findings.has_header = any(
            paragraph.text.strip()
            for section in self._document.sections
            for part in (section.header, section.footer)
            for paragraph in part.paragraphs
        )
        document = Document(f"{text}\n\n{notes}" if notes else text, self._findings.describe())
        return require_text(document, self._findings)

    def _note_texts(self) -> Iterator[str]:
        """Footnotes and endnotes; those with a type are separators."""
        for kind in ("footnote", "endnote"):
            for note in self._part_elements(f"{_relationship(kind)}s", kind):
                if note.get(f"{_WORD}type") in (None, "normal"):
                    self._findings.n_footnotes += 1
                    yield f"[{note.get(f'{_WORD}id')}] {''.join(self._blocks(note)).strip()}\n"

    def _part_elements(self, relationship: str, name: str) -> list[_Element]:
        from lxml import etree

        for relation in self._document.part.rels.values():
            if relation.reltype == relationship and not relation.is_external:
                parser = etree.XMLParser(resolve_entities=False, no_network=True)
                root = etree.fromstring(relation.target_part.blob, parser)
                return list(root.iterchildren(f"{_WORD}{name}"))
        return []

    def _blocks(self, parent: _Element) -> Iterator[str]:
        for element in parent:
            if element.tag == f"{_WORD}p":
                yield from self._paragraph(element)
            elif element.tag == f"{_WORD}tbl":
                yield from self._table(element)
            elif self._is_read(element):
                yield from self._blocks(element)

    def _paragraph(self, paragraph: _Element) -> Iterator[str]:
        boxes: list[_Element] = []
        text = "".join(self._inline(paragraph, boxes))
        mark = f"{_WORD}pPr/{_WORD}rPr/{_WORD}del"
        label = self._lists.label(paragraph) if text.strip() else ""
        yield f"{label}{text}" + ("" if paragraph.find(mark) is not None else "\n")
        for box in boxes:
            self._findings.n_text_boxes += 1
            yield from self._blocks(box)

    def _inline(self, parent: _Element, boxes: list[_Element]) -> Iterator[str]:
        for element in parent:
            if element.tag in (f"{_WORD}t", _MATHS_TEXT):
                yield element.text or ""
            elif element.tag in _SIGNS:
                yield _SIGNS[element.tag]
            elif element.tag == f"{_WORD}txbxContent":
                boxes.append(element)
            elif element.tag == _CHOICE:
                # The same box or picture in the words of a new and of an old Word.
                yield from self._inline(element[0] if len(element) else element, boxes)
            elif self._is_read(element):
                self._findings.n_pictures += element.tag in _PICTURE
                yield from self._inline(element, boxes)

    def _is_read(self, element: _Element) -> bool:
        """Whether an element's content is part of the text."""
        if element.tag in _REMOVED:
            self._findings.n_tracked_changes += 1
            return False
        self._findings.n_tracked_changes += element.tag in _ADDED
        if element.tag == f"{_WORD}r" and _is_enabled(element.find(f"{_WORD}rPr/{_WORD}vanish")):
            self._findings.n_hidden += 1
            return False
        return isinstance(element.tag, str) and element.tag not in _SILENT

    def _table(self, table: _Element) -> Iterator[str]:
        """A line for each row; tabs part its cells."""
        for row in table.iterchildren(f"{_WORD}tr"):
            if row.find(f"{_WORD}trPr/{_WORD}del") is not None:
                self._findings.n_tracked_changes += 1
                continue
            cells = ["".join(self._blocks(cell)).strip() for cell in row.iter(f"{_WORD}tc")]
            yield "\t".join(cells) + "\n"


class _Lists:
    """The labels of list items: a dash for a bullet, else the number that Word would count."""

    def __init__(self, opened: _Element) -> None:
        self._document = opened
        self._counts: defaultdict[tuple[str, int], int] = defaultdict(int)
        numbering = self._numbering()
        self._levels = {} if numbering is None else _read_levels(numbering)
        self._styles = {
            style.get(f"{_WORD}styleId"): style
            for style in opened.styles.element.iterchildren(f"{_WORD}style")
        }

    def _numbering(self) -> _Element:
        for relation in self._document.part.rels.values():
            if relation.reltype == RELATIONSHIP_TYPE.NUMBERING:
                return relation.target_part.element
        return None

    def label(self, paragraph: _Element) -> str:
        """What stands before an item's text; empty for a paragraph that is none."""
        list_id, level = self._find_list(paragraph)
        form = self._levels.get((list_id, level))
        if form is None or form == "none":
            return ""
        self._counts[list_id, level] += 1
        for deeper in [key for key in self._counts if key[0] == list_id and key[1] > level]:
            del self._counts[deeper]
        sign = "-" if form == "bullet" else f"{self._counts[list_id, level]}."
        return f"{'  ' * level}{sign} "

    def _find_list(self, paragraph: _Element) -> tuple[str, int]:
        """The list's id and the level: the paragraph's own, or those of its style or its base."""
        list_id, level = _read_list(paragraph)
        style = paragraph.find(f"{_WORD}pPr/{_WORD}pStyle")
        for _ in range(_MAX_STYLES):
            if list_id is not None or style is None:
                break
            definition = self._styles.get(style.get(f"{_WORD}val"))
            if definition is None:
                break
            list_id, of_style = _read_list(definition)
            level = of_style if level is None else level
            style = definition.find(f"{_WORD}basedOn")
        return list_id or "", level or 0


def _read_list(element: _Element) -> tuple[str | None, int | None]:
    number = element.find(f"{_WORD}pPr/{_WORD}numPr/{_WORD}numId")
    level = element.find(f"{_WORD}pPr/{_WORD}numPr/{_WORD}ilvl")
    value = "" if level is None else level.get(f"{_WORD}val", "")
    return (
        None if number is None else number.get(f"{_WORD}val"),
        int(value) if value.isdecimal() else None,
    )


def _read_levels(numbering: _Element) -> dict[tuple[str, int], str]:
    """The format of every level of every list."""
    formats: dict[str, dict[int, str]] = {}
    for abstract in numbering.iterchildren(f"{_WORD}abstractNum"):
        formats[abstract.get(f"{_WORD}abstractNumId")] = {
            int(level.get(f"{_WORD}ilvl", "0")): form.get(f"{_WORD}val", "")
            for level in abstract.iterchildren(f"{_WORD}lvl")
            if (form := level.find(f"{_WORD}numFmt")) is not None
        }
    levels = {}
    for number in numbering.iterchildren(f"{_WORD}num"):
        reference = number.find(f"{_WORD}abstractNumId")
        abstract_id = None if reference is None else reference.get(f"{_WORD}val")
        for level, form in formats.get(abstract_id or "", {}).items():
            levels[number.get(f"{_WORD}numId", ""), level] = form
    return levels


def _is_enabled(switch: _Element) -> bool:
    return switch is not None and switch.get(f"{_WORD}val", "1") not in ("0", "false", "off")


def _relationship(name: str) -> str:
    return f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{name}"
