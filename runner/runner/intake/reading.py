"""The parser of each format, by a document's name and by how it begins."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from zipfile import ZipFile

from runner.errors import BadInputError
from runner.intake.archive import list_members, open_archive, read_member
from runner.intake.document import (
    FORMATS,
    MEGABYTE,
    Document,
    DocumentFormat,
    UnreadableDocumentError,
)
from runner.text_files import decode_text

MAX_FILE_BYTES = 100 * MEGABYTE
MAX_PLAIN_BYTES = 10 * MEGABYTE
PLAIN_FORMATS = frozenset({DocumentFormat.TXT, DocumentFormat.MD})
_BEGINNINGS = {
    DocumentFormat.DOCX: b"PK",
    DocumentFormat.ODT: b"PK",
    DocumentFormat.PDF: b"%PDF-",
    DocumentFormat.RTF: b"{\\rtf",
}
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
# Adobe's readers take a PDF whose mark is within the first kilobyte.
_SEARCHED_BYTES = 1024


def read_document(path: Path, member: str | None = None) -> Document:
    """The text of a file, or of a member of a zip archive.

    Raises
    ------
    UnreadableDocumentError
    """
    name = member or path.name
    form = FORMATS[Path(name).suffix.lower()]
    content = read_file(path, form) if member is None else _read_from_archive(path, member)
    if form in PLAIN_FORMATS:
        return read_plain(content)
    _check_beginning(content, form)
    try:
        parse = _find_parser(form)
    except ModuleNotFoundError:
        message = f"is {form}, which needs an extra of the package: pip install 'cj-runner[intake]'"
        raise UnreadableDocumentError(message) from None
    return parse(content)


def read_file(path: Path, form: DocumentFormat) -> bytes:
    """The bytes of a file that is not too large for its format.

    Raises
    ------
    UnreadableDocumentError
    """
    most = MAX_PLAIN_BYTES if form in PLAIN_FORMATS else MAX_FILE_BYTES
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UnreadableDocumentError(f"cannot be read ({error.strerror})") from None
    if len(content) > most:
        message = f"is larger than {most / MEGABYTE:.0f} MB; no essay is so long"
        raise UnreadableDocumentError(message)
    return content


def read_plain(content: bytes) -> Document:
    """A text in any encoding that can be recognised; says which if it is not UTF-8.

    Raises
    ------
    UnreadableDocumentError
    """
    if len(content) > MAX_PLAIN_BYTES:
        message = f"is larger than {MAX_PLAIN_BYTES / MEGABYTE:.0f} MB; no essay is so long"
        raise UnreadableDocumentError(message)
    notes: list[str] = []
    try:
        text = decode_text(content, tell=lambda encoding: notes.append(f"read as {encoding}"))
    except BadInputError as error:
        raise UnreadableDocumentError(error.problems[0].message) from None
    return Document(text, tuple(notes))


def list_archive(path: Path) -> list[str]:
    """The names of the files in a zip archive.

    Raises
    ------
    UnreadableDocumentError
    """
    return list(list_members(_open(path)))


@lru_cache(maxsize=1)
def _open(path: Path) -> ZipFile:
    if path.stat().st_size > 10 * MAX_FILE_BYTES:
        message = f"is larger than {10 * MAX_FILE_BYTES / MEGABYTE:.0f} MB"
        raise UnreadableDocumentError(message)
    return open_archive(path)


def _read_from_archive(path: Path, member: str) -> bytes:
    archive = _open(path)
    return read_member(archive, list_members(archive)[member])


def _check_beginning(content: bytes, form: DocumentFormat) -> None:
    """Refuse a document that is another format than its name says."""
    if content.startswith(_OLE):
        locked = _ENCRYPTED_PACKAGE in content
        raise UnreadableDocumentError(
            "is locked with a password; save it without one"
            if locked
            else f"is an old Word document under the name of .{form}; save it as .docx"
        )
    start = content[:_SEARCHED_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    beginning = _BEGINNINGS[form]
    is_right = beginning in start if form is DocumentFormat.PDF else start.startswith(beginning)
    if not content.strip():
        raise UnreadableDocumentError("is empty; the download or copy may have failed")
    if not is_right:
        message = f"is no {form} document, whatever its name says; save it again"
        raise UnreadableDocumentError(message)


def _find_parser(form: DocumentFormat) -> Callable[[bytes], Document]:
    """The parser of a format, imported when the first such document is met."""
    if form is DocumentFormat.DOCX:
        from runner.intake.word import read_word

        return read_word
    if form is DocumentFormat.ODT:
        from runner.intake.opendocument import read_opendocument

        return read_opendocument
    if form is DocumentFormat.PDF:
        from runner.intake.pdf import read_pdf

        return read_pdf
    from runner.intake.rich_text import read_rich_text

    return read_rich_text
