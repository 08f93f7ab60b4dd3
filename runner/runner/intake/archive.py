"""Zip archives, and documents that are one, opened only when what they unpack to is bounded."""

import stat
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from runner.intake.document import MEGABYTE, UnreadableDocumentError

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 300 * MEGABYTE
# A parsed part takes some twenty times its size; 60,000 characters in runs of their own are 10 MB.
MAX_XML_BYTES = 16 * MEGABYTE
# Deflate reaches 1:1032 on equal bytes; text compresses to a twentieth at the best.
_MAX_RATIO = 200
_SMALL_BYTES = MEGABYTE
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_XML_ENDINGS = (".xml", ".rels")


def open_archive(content: bytes | Path) -> zipfile.ZipFile:
    """A zip archive whose members are within bounds; nothing is unpacked to disk.

    Raises
    ------
    UnreadableDocumentError
        If it is damaged, unpacks to too much, or names members outside itself.
    """
    try:
        source: IO[bytes] | Path = BytesIO(content) if isinstance(content, bytes) else content
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        message = "is a damaged zip archive; save or download it again"
        raise UnreadableDocumentError(message) from None
    _check_bounds(archive.infolist())
    return archive


def _check_bounds(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise UnreadableDocumentError(
            f"has {len(members):,} members; at most {MAX_MEMBERS:,} are read"
        )
    n_bytes = sum(member.file_size for member in members)
    if n_bytes > MAX_UNPACKED_BYTES:
        raise UnreadableDocumentError(
            f"unpacks to {n_bytes / MEGABYTE:,.0f} MB; at most "
            f"{MAX_UNPACKED_BYTES / MEGABYTE:.0f} MB are read"
        )
    for member in members:
        _check_member(member)


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or ":" in name.split("/")[0] or ".." in PurePosixPath(name).parts:
        message = f"has a member outside itself ({member.filename[:80]!r}); it is not read"
        raise UnreadableDocumentError(message)
    is_large = member.file_size > _SMALL_BYTES
    if is_large and member.file_size > _MAX_RATIO * max(member.compress_size, 1):
        raise UnreadableDocumentError(
            f"has a member ({member.filename[:80]!r}) that unpacks to more than {_MAX_RATIO} "
            "times its size: a zip bomb; it is not read"
        )


def list_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their names, folders left out.

    Names without the flag for UTF-8 are UTF-8 all the same where they can be (macOS), else those
    of Windows in Western Europe (code page 850).
    """
    return {_decode_name(member): member for member in archive.infolist() if not member.is_dir()}


def _decode_name(member: zipfile.ZipInfo) -> str:
    name = member.filename.replace("\\", "/")
    if member.flag_bits & _UTF8_NAME:
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp850")


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member; the archive's bounds hold for it.

    Raises
    ------
    UnreadableDocumentError
    """
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableDocumentError("is locked with a password; save it without one")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnreadableDocumentError("is a link to another file; put the file itself there")
    if member.compress_type not in _COMPRESSIONS:
        raise UnreadableDocumentError("is packed in an unusual way; pack it as a plain zip")
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError):
        message = "is damaged in its archive; save or download it again"
        raise UnreadableDocumentError(message) from None
    except Exception as error:
        # zlib's own error is not named by zipfile.
        if type(error).__name__ != "error":
            raise
        raise UnreadableDocumentError("is damaged in its archive; download it again") from None


def check_xml(archive: zipfile.ZipFile, names: Iterable[str] | None = None) -> None:
    """Hold the XML parts of a document to bounds before a library reads them.

    Office documents have no document type, so entities and their expansion are refused as a whole.

    Raises
    ------
    UnreadableDocumentError
    """
    members = [archive.getinfo(name) for name in names] if names else archive.infolist()
    for member in members:
        if member.filename.lower().endswith(_XML_ENDINGS):
            _check_part(archive, member)


def _check_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if member.file_size > MAX_XML_BYTES:
        raise UnreadableDocumentError(
            f"has a part ({member.filename[:80]}) of {member.file_size / MEGABYTE:.0f} MB; no "
            "essay is so long"
        )
    from lxml import etree  # part of an extra: zip archives of plain texts need none

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(read_member(archive, member), parser)
    except etree.XMLSyntaxError as error:
        message = f"has a damaged part ({member.filename[:80]}, line {error.lineno}); save it again"
        raise UnreadableDocumentError(message) from None
    if root.getroottree().docinfo.doctype:
        raise UnreadableDocumentError(
            f"has a part ({member.filename[:80]}) with a document type, as no office program "
            "writes; it is not read"
        )
