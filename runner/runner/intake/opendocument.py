"""OpenDocument texts (.odt): the text as it reads when every tracked change is accepted."""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

from odfdo import Document as OdfDocument
from odfdo import Element

from runner.intake.archive import check_xml, open_archive, read_member
from runner.intake.document import Document, Findings, UnreadableDocumentError, require_text

_PARAGRAPHS = frozenset({"text:p", "text:h"})
_SIGNS = {"text:tab": "\t", "text:line-break": "\n"}
_HIDDEN = frozenset({"text:hidden-text", "text:hidden-paragraph"})
_SILENT = frozenset({"office:annotation-end", "text:note-citation", "office:forms"})
# ODF 1.3, 6.1.2: any white space is one blank.
_WHITE_SPACE = re.compile(r"[\t\n\r ]+")
_MANIFEST = "META-INF/manifest.xml"
# ODF 1.3, 6.1.3: text:c counts the blanks; no essay has more than a line of them.
_MAX_BLANKS = 200


def read_opendocument(content: bytes) -> Document:
    """The text of an OpenDocument text.

    Text boxes follow the paragraph that they are anchored in, footnotes the whole text. Comments
    and deleted text are left out.

    Raises
    ------
    UnreadableDocumentError
    """
    with open_archive(content) as archive:
        if _is_locked(archive):
            raise UnreadableDocumentError("is locked with a password; save it without one")
        if "content.xml" not in archive.namelist():
            raise UnreadableDocumentError("is no OpenDocument text; save it again as .odt")
        check_xml(archive)
    opened = OdfDocument(BytesIO(content))
    return _TextOfOdt(opened).read()


def _is_locked(archive: ZipFile) -> bool:
    if _MANIFEST not in archive.namelist():
        return False
    return b"encryption-data" in read_member(archive, archive.getinfo(_MANIFEST))


class _TextOfOdt:
    """One pass over a document's elements."""

    def __init__(self, opened: OdfDocument) -> None:
        self._body = opened.body
        self._findings = Findings()
        self._footnotes: list[str] = []
        root = opened.get_part("content.xml").root  # type: ignore[union-attr] # it is XML
        self._numbered = {
            (style.get_attribute_string("style:name"), level)
            for style in root.get_elements("//text:list-style")
            for numbered in style.get_elements("text:list-level-style-number")
            if (level := numbered.get_attribute_string("text:level"))
        }

    def read(self) -> Document:
        text = "".join(self._blocks(self._body)).rstrip("\n")
        notes = "\n".join(self._footnotes)
        document = Document(f"{text}\n\n{notes}" if notes else text, self._findings.describe())
        return require_text(document, self._findings)

    def _paragraph(self, paragraph: Element, prefix: str = "") -> Iterator[str]:
        boxes: list[Element] = []
        yield f"{prefix}{''.join(self._inline(paragraph, boxes))}\n"
        for box in boxes:
            yield from self._box(box)

    def _blocks(self, parent: Element) -> Iterator[str]:
        for element in parent.children:
            if element.tag in _PARAGRAPHS:
                yield from self._paragraph(element)
            elif element.tag == "text:list":
                yield from self._list(element)
            elif element.tag == "table:table-row":
                yield self._row(element)
            elif element.tag == "draw:text-box":
                yield from self._box(element)
            elif self._is_read(element):
                yield from self._blocks(element)

    def _row(self, row: Element) -> str:
        cells = ["".join(self._blocks(cell)).strip() for cell in row.children]
        return "\t".join(cells) + "\n"

    def _box(self, box: Element) -> Iterator[str]:
        self._findings.n_text_boxes += 1
        yield from self._blocks(box)

    def _list(self, element: Element, level: int = 1, style: str | None = None) -> Iterator[str]:
        style = element.get_attribute_string("text:style-name") or style
        is_numbered = (style, str(level)) in self._numbered
        n_items = 0
        for item in element.children:
            n_items += item.tag == "text:list-item"
            label = f"{n_items}. " if is_numbered else "- "
            for part in item.children:
                if part.tag == "text:list":
                    yield from self._list(part, level + 1, style)
                    continue
                yield from self._paragraph(part, f"{'  ' * (level - 1)}{label}")
                label = " " * len(label)

    def _inline(self, parent: Element, boxes: list[Element]) -> Iterator[str]:
        yield _WHITE_SPACE.sub(" ", parent.text or "")
        for element in parent.children:
            if element.tag in _SIGNS:
                yield _SIGNS[element.tag]
            elif element.tag == "text:s":
                yield _blanks(element)
            elif element.tag == "draw:text-box":
                boxes.append(element)
            elif self._is_read(element):
                yield from self._inline(element, boxes)
            yield _WHITE_SPACE.sub(" ", element.tail or "")

    def _is_read(self, element: Element) -> bool:
        """Whether an element's content is part of the running text; counts what is not."""
        tag = element.tag
        if tag == "text:tracked-changes":
            self._findings.n_tracked_changes += len(element.get_elements("text:changed-region"))
        elif tag == "office:annotation":
            self._findings.n_comments += 1
        elif tag in _HIDDEN:
            self._findings.n_hidden += 1
        elif tag == "text:note":
            self._read_note(element)
        elif tag == "draw:image":
            self._findings.n_pictures += 1
        else:
            return tag not in _SILENT
        return False

    def _read_note(self, note: Element) -> None:
        self._findings.n_footnotes += 1
        number = self._findings.n_footnotes
        for body in note.get_elements("text:note-body"):
            self._footnotes.append(f"[{number}] {''.join(self._blocks(body)).strip()}")


def _blanks(element: Element) -> str:
    count = element.get_attribute_string("text:c") or "1"
    return " " * min(int(count) if count.isdecimal() else 1, _MAX_BLANKS)
