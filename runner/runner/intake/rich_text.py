"""Rich text (.rtf): the text as it reads when every tracked change is accepted."""

import re
from collections.abc import Iterator

from striprtf.striprtf import rtf_to_text

from runner.intake.document import Document, Findings, UnreadableDocumentError, require_text

# Rich Text Format Specification 1.9.1: groups, control words with a number, other characters.
_TOKEN = re.compile(
    r"[{}]|\\[a-z]{1,32}-?\d{0,10} ?|\\'[0-9a-f]{2}|\\.|[^\\{}]+|\\", re.IGNORECASE | re.DOTALL
)
_WORD = re.compile(r"\\([a-z]+)(-?\d+)?", re.IGNORECASE)
# The parts of a drawing that are not its text, and its copy for old readers.
_DRAWING_SETTINGS = frozenset({"sp", "shprslt"})
_BOX = "shptxt"
_SHAPES = frozenset({"shp", "shpinst", _BOX})


def read_rich_text(content: bytes) -> Document:
    """The text of an RTF document; text boxes stand where they are anchored.

    Raises
    ------
    UnreadableDocumentError
    """
    findings = Findings()
    # RTF is ASCII; what is not stands for itself in the document's code page, most often this one.
    source = "".join(_prepare(content.decode("cp1252", errors="replace"), findings))
    try:
        text: str = rtf_to_text(source, errors="replace")
    except (ValueError, LookupError, TypeError) as error:
        message = f"is a damaged RTF document ({type(error).__name__}); save it again"
        raise UnreadableDocumentError(message) from None
    return require_text(Document(text.strip(), findings.describe()), findings)


def _prepare(source: str, findings: Findings) -> Iterator[str]:
    """The source without deleted and hidden text, and with text boxes as running text."""
    groups: list[_Group] = [_Group()]
    for match in _TOKEN.finditer(source):
        part = match.group()
        if part == "{":
            groups.append(_Group(is_left_out=groups[-1].is_unread))
        yield groups[-1].read(part, findings)
        if part == "}" and len(groups) > 1:
            groups.pop()


class _Group:
    """What holds between two braces."""

    def __init__(self, *, is_left_out: bool = False) -> None:
        self.is_left_out = is_left_out
        self.is_silent = False
        self.stars = 0

    @property
    def is_unread(self) -> bool:
        """Whether what follows in it is no part of the text."""
        return self.is_left_out or self.is_silent

    def read(self, part: str, findings: Findings) -> str:
        """What stays of a part of the source; its mark is held back until the next part."""
        word = _WORD.fullmatch(part.rstrip())
        if word is not None:
            self._meet(word[1].lower(), word[2], findings)
        if part == r"\*":
            self.stars += 1
            return ""
        if self.is_unread:
            return part if part in "{}" else ""
        if word is not None and word[1].lower() in _SHAPES:
            return ""
        stars, self.stars = self.stars, 0
        return r"\*" * stars + part

    def _meet(self, word: str, number: str | None, findings: Findings) -> None:
        """A control word's effect on the rest of its group."""
        if word in _SHAPES:
            self.stars = 0
            findings.n_text_boxes += word == _BOX
        elif word in _DRAWING_SETTINGS:
            self.is_left_out = True
        elif word in ("deleted", "v"):
            self._switch(word, is_on=number != "0", findings=findings)
        elif word == "plain":
            self.is_silent = False
        else:
            _count(word, number, findings)

    def _switch(self, word: str, *, is_on: bool, findings: Findings) -> None:
        if is_on and not self.is_silent:
            findings.n_tracked_changes += word == "deleted"
            findings.n_hidden += word == "v"
        self.is_silent = is_on


def _count(word: str, number: str | None, findings: Findings) -> None:
    findings.n_tracked_changes += word == "revised" and number != "0"
    findings.n_comments += word == "annotation"
    findings.n_pictures += word == "pict"
    findings.n_footnotes_left_out += word == "footnote"
