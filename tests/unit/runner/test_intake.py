"""Documents of every format as texts, what is said of each, and what hostile ones end in."""

import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runner.cli import app
from runner.errors import BadInputError
from runner.essays import Folder, NameSource, read_folder
from runner.intake import archive
from runner.intake.document import UnreadableDocumentError
from runner.intake.documents import DocumentReader
from runner.intake.reading import read_document
from tests.unit.runner import office_files
from tests.unit.runner.api_server import FakeStack


def read_one(folder: Path, name: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a document, and the notes on it."""
    (folder / name).write_bytes(content)
    document = read_document(folder / name)
    return document.text, document.notes


def find_refusal(folder: Path, name: str, content: bytes) -> str:
    """Why a document cannot be read."""
    (folder / name).write_bytes(content)
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_document(folder / name)
    return str(refusal.value)


def find_folder_refusal(folder: Path, name: str, content: bytes) -> str:
    """What is said of a folder with a file that cannot be read; it names the file."""
    (folder / name).write_bytes(content)
    with pytest.raises(BadInputError) as refusal:
        read_folder(folder)
    (problem,) = refusal.value.problems
    assert problem.file == str(folder / name)
    return problem.message


def ids(read: Folder) -> list[str]:
    return [essay.essay_id for essay in read.essays]


def test_a_word_document_reads_as_if_its_changes_were_accepted(folder: Path):
    document = office_files.word("Last.", xml=office_files.TRACKED)
    text, notes = read_one(folder, "cy.docx", document)
    assert text == "Bees dance home\nLast."
    assert notes == ("4 tracked changes accepted", "1 hidden part left out")


def test_paragraphs_whose_mark_is_deleted_are_one(folder: Path):
    text, _ = read_one(folder, "cy.docx", office_files.word("Two.", xml=office_files.JOINED))
    assert text == "One Two."


def test_a_text_box_is_read_once(folder: Path):
    text, notes = read_one(folder, "cy.docx", office_files.word("Last.", xml=office_files.BOX))
    assert text == "Anchor.\nIn a box.\nLast."
    assert notes == ("1 text box read",)


def test_lists_keep_their_numbers_and_comments_are_left_out(folder: Path):
    document = office_files.word("First.", comment="Well put!", items=["bees", "ants"])
    text, notes = read_one(folder, "cy.docx", document)
    assert text == "First.\nRemarked.\n1. bees\n2. ants\n- bees\n- ants"
    assert notes == ("1 comment left out",)


def test_an_opendocument_text(folder: Path):
    styles = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1"/>'
        "</text:list-style>"
    )
    body = """<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p>
</text:deletion></text:changed-region></text:tracked-changes><text:p>Bees<text:s text:c="2"/>dance
<office:annotation><text:p>Well put!</text:p></office:annotation>home.<draw:frame><draw:text-box>
<text:p>In a box.</text:p></draw:text-box></draw:frame></text:p>
<text:list text:style-name="L1"><text:list-item><text:p>one</text:p><text:list text:style-name="L2">
<text:list-item><text:p>deep</text:p></text:list-item></text:list></text:list-item>
<text:list-item><text:p>two</text:p></text:list-item></text:list>
<text:p>End<text:note><text:note-citation>1</text:note-citation><text:note-body>
<text:p>A source.</text:p></text:note-body></text:note>.</text:p>"""
    text, notes = read_one(
        folder, "cy.odt", office_files.opendocument(body.replace("\n", ""), styles=styles)
    )
    lines = ["Bees  dancehome.", "In a box.", "1. one", "  - deep", "2. two", "End.", ""]
    assert text.split("\n") == [*lines, "[1] A source."]
    assert notes == (
        "1 tracked change accepted",
        "1 comment left out",
        "1 text box read",
        "1 footnote at the end",
    )


def test_a_pdf_names_its_scanned_pages(folder: Path):
    text, notes = read_one(folder, "cy.pdf", office_files.pdf("Tides rise.", None, "", "Bees."))
    assert text == "Tides rise.\n\nBees."
    assert "SCANNED, NO TEXT: page 2" in notes
    assert "no text: a scan" in find_refusal(folder, "cy.pdf", office_files.pdf(None, None))


def test_rich_text(folder: Path):
    text, notes = read_one(folder, "cy.rtf", office_files.RICH_TEXT.encode())
    assert text == "Blåbär and tea.\nIn a box.\n“End”"
    assert notes[:4] == (
        "2 tracked changes accepted",
        "1 comment left out",
        "1 hidden part left out",
        "1 text box read",
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cy.pdf", office_files.make_locked_pdf(user_password="pw"), "locked with a password"),
        ("cy.docx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "locked with"),
        ("cy.docx", b"\xd0\xcf\x11\xe0", "old Word document"),
        (
            "cy.odt",
            office_files.opendocument("", manifest="<manifest:encryption-data/>"),
            "locked with a password",
        ),
        ("cy.docx", b"", "is empty"),
        ("cy.docx", b"Just text", "no docx document"),
        ("cy.odt", b"PK\x03\x04", "damaged"),
        ("cy.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("cy.rtf", b"%PDF-1.7\nnothing", "no rtf document"),
        ("cy.docx", office_files.pack({"a.xml": "<a/>"}), "no Word document"),
        ("cy.odt", office_files.pack({"a.xml": "<a/>"}), "no OpenDocument text"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(
    folder: Path, name: str, content: bytes, message: str
):
    assert message in find_refusal(folder, name, content)


def test_a_pdf_that_only_forbids_changes_is_read(folder: Path):
    text, _ = read_one(folder, "cy.pdf", office_files.make_locked_pdf(user_password=""))
    assert text == "Locked text."


ENTITIES = b"""<!DOCTYPE a [<!ENTITY b "aaaaaaaaaa"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>"""
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (ENTITIES, "with a document type"),
        (OUTSIDE, "with a document type"),
        (b"<a>" * 100_000, "damaged part"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "damaged part"),
        (b"<a>", "damaged part"),
    ],
)
@pytest.mark.parametrize(
    ("name", "member"), [("cy.docx", "word/document.xml"), ("cy.odt", "content.xml")]
)
def test_xml_that_expands_or_is_deep_is_refused(
    folder: Path, name: str, member: str, part: bytes, message: str
):
    document = office_files.word() if name == "cy.docx" else office_files.opendocument("")
    said = find_refusal(folder, name, office_files.repack(document, {member: part}))
    assert message in said
    assert member in said


@pytest.mark.parametrize("name", ["cy.docx", "cy.odt", "class.zip"])
def test_a_zip_bomb_is_refused_without_unpacking_it(folder: Path, name: str):
    bomb = office_files.pack({"content.xml": b" " * 50_000_000})
    started = time.process_time()
    assert "zip bomb" in find_folder_refusal(folder, name, bomb)
    assert time.process_time() - started < 5


def test_what_an_archive_unpacks_to_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1000)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(UnreadableDocumentError, match="unpacks to"):
        archive.open_archive(office_files.pack({"a": "x" * 600, "b": "y" * 600}))
    with pytest.raises(UnreadableDocumentError, match="4 members"):
        archive.open_archive(office_files.pack(dict.fromkeys("abcd", "x")))


@pytest.mark.parametrize("member", ["../ada.txt", "/etc/ada.txt", "C:\\ada.txt", "a/../../b.txt"])
def test_an_archive_with_members_outside_itself_is_refused(folder: Path, member: str):
    said = find_folder_refusal(folder, "class.zip", office_files.pack({member: "text"}))
    assert "a member outside itself" in said
    assert sorted(path.name for path in folder.parent.iterdir()) == [
        "anchors.csv",
        "good.txt",
        "unit essays",
    ]


def test_an_archive_is_read_like_a_folder(folder: Path):
    members: dict[str, str | bytes] = {
        "Åsa.txt": "Åsa writes.",
        "group 2/Di.docx": office_files.word("Di writes."),
        "README.txt": "About.",
        "__MACOSX/._Di.docx": b"leftover",
        "photo.jpg": b"picture",
        "inner.zip": office_files.pack({"fi.txt": "text"}),
    }
    (folder / "class.zip").write_bytes(office_files.pack(members))
    with pytest.raises(BadInputError) as refusal:
        read_folder(folder)
    assert [Path(p.file or "").name for p in refusal.value.problems] == ["inner.zip", "photo.jpg"]
    read = read_folder(folder, ignore_others=True)
    assert ids(read) == ["Di", "ada", "ben", "Åsa"]
    assert read.left_out == ["class.zip/README.txt"]
    assert ids(read_folder(folder / "class.zip", ignore_others=True)) == ["Di", "Åsa"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp850"])
def test_names_in_an_archive_without_their_encoding(folder: Path, encoding: str):
    """As macOS and Windows pack them: without the flag that says UTF-8."""
    name = "Søren Åberg.txt"
    raw = name.encode(encoding)
    content = office_files.pack({"x" * len(raw): "text"})
    (folder / "class.zip").write_bytes(content.replace(b"x" * len(raw), raw))
    with zipfile.ZipFile(folder / "class.zip") as packed:
        names = list(archive.list_members(packed))
    assert names == [name]


def test_an_encrypted_member_is_named(folder: Path):
    content = bytearray(office_files.pack({"cy.txt": "text"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    (folder / "class.zip").write_bytes(content)
    with pytest.raises(BadInputError, match=r"class.zip/cy.txt: is locked with a password"):
        read_folder(folder)


def test_wrong_encodings_are_said_wherever_they_are(folder: Path):
    packed = office_files.pack({"cy.txt": "Blåbär på ön".encode("cp1252")})
    (folder / "class.zip").write_bytes(packed)
    read = read_folder(folder)
    assert read.essays[-1].text == "Blåbär på ön"
    assert read.readings[-1].notes == ("read as cp1252",)


@pytest.mark.parametrize(
    ("named_after", "expected"),
    [(NameSource.FOLDER, ["Cy Ek", "Di Ro"]), (NameSource.PATH, ["Cy Ek - text", "Di Ro - text"])],
)
def test_essays_named_after_their_folders(
    tmp_path: Path, named_after: NameSource, expected: list[str]
):
    """As learning platforms hand out a class: a folder or an archive for each student."""
    (tmp_path / "Cy Ek").mkdir()
    (tmp_path / "Cy Ek" / "text.txt").write_text("Cy writes.")
    (tmp_path / "Di Ro.zip").write_bytes(office_files.pack({"text.txt": "Di writes."}))
    with pytest.raises(BadInputError, match="--named-after"):
        read_folder(tmp_path)
    assert ids(read_folder(tmp_path, named_after=named_after)) == expected


def test_essays_named_by_a_table(folder: Path):
    names = folder / "names.csv"
    names.write_text("file,essay_id\nada.txt,pupil 7\n")
    assert ids(read_folder(folder, names=names)) == ["ben", "pupil 7"]
    names.write_text("file,essay_id\nada.txt,\n")
    with pytest.raises(BadInputError, match=r"row 2, essay_id: is empty"):
        read_folder(folder, names=names)
    names.write_text("file,essay_id\nada.txt,a\nada.txt,b\n")
    with pytest.raises(BadInputError, match=r"row 3, file: ada.txt is in row 2 too"):
        read_folder(folder, names=names)
    names.write_text("file,essay_id\nnowhere.txt,a\n")
    with pytest.raises(BadInputError, match=r"row 2, file: there is no file 'nowhere.txt'"):
        read_folder(folder, names=names)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_document_that_needs_much_memory_is_refused():
    """A parser that takes two gigabytes, in a process with the worker's own limit."""
    code = (
        "from runner.intake import worker\n"
        "worker.limit_memory()\n"
        "worker.read_document = lambda *_: bytearray(2_000_000_000)\n"
        "print(worker.answer({'action': 'read', 'path': 'x'}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs more than 1,000 MB to be read" in said.stdout


def test_a_pdf_that_unpacks_to_much_is_refused(folder: Path):
    bomb = zlib.compress(b" " * 300_000_000, 9)
    page = office_files.pdf("a").replace(
        b"<< /Length 32 >>\nstream\nBT /F1 12 Tf 72 700 Td (a) Tj ET",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s" % (len(bomb), bomb),
    )
    assert len(page) > len(bomb)
    assert "page 1 unpacks to more than can be read" in find_folder_refusal(folder, "cy.pdf", page)


def test_a_text_without_end_costs_no_memory(folder: Path):
    with (folder / "cy.txt").open("wb") as file:
        file.truncate(10**12)  # a sparse file: the disk has none of it
    with pytest.raises(BadInputError, match=r"cy.txt: is larger than 10 MB"):
        read_folder(folder)


def test_a_parser_that_does_not_end_is_ended_and_the_next_document_is_read(folder: Path):
    """300,000 pieces of text in one page."""
    endless = b"q 1 0 0 1 0 0 cm BT (a) Tj ET Q\n" * 300_000
    (folder / "cy.pdf").write_bytes(office_files.pdf(endless.decode()))
    (folder / "di.docx").write_bytes(office_files.word("Di writes."))
    with DocumentReader(seconds=0.0) as reader:
        assert reader.read(folder / "di.docx", name="di.docx").text == "Di writes."
        with pytest.raises(BadInputError, match=r"cy\.pdf: takes too long to read"):
            reader.read(folder / "cy.pdf", name="cy.pdf")
        assert reader.read(folder / "di.docx", name="di.docx").text == "Di writes."


def test_a_parser_that_dies_is_told_of(folder: Path):
    (folder / "cy.docx").write_bytes(office_files.word("Cy writes."))
    with DocumentReader() as reader:
        reader.read(folder / "cy.docx", name="cy.docx")
        assert reader._process is not None
        reader._process.kill()
        with pytest.raises(BadInputError, match=r"cy.docx: cannot be read: its parser ended"):
            reader.read(folder / "cy.docx", name="cy.docx")
        assert reader.read(folder / "cy.docx", name="cy.docx").text == "Cy writes."


def test_nearly_the_same_text_is_said_before_anything_is_sent(stack: FakeStack, folder: Path):
    text = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" * 3)
    (folder / "cy.txt").write_text(text)
    (folder / "di.docx").write_bytes(office_files.word(f"{text} and more"))
    told = CliRunner(env={"COLUMNS": "140"}).invoke(
        app, ["execute", str(folder), "--api-url", "http://127.0.0.1:9", "--no-wait"]
    )
    assert "Nearly the same text: cy.txt, di.docx" in told.stderr


def test_a_table_says_what_was_read_before_anything_is_sent(stack: FakeStack, folder: Path):
    (folder / "cy.docx").write_bytes(office_files.word("Cy writes.", comment="Well put!"))
    (folder / "late").mkdir()
    (folder / "late" / "di.pdf").write_bytes(office_files.pdf("Di writes.", None))
    refused = CliRunner(env={"COLUMNS": "140"}).invoke(
        app, ["execute", str(folder), "--api-url", "http://127.0.0.1:9", "--no-wait"]
    )
    lines = [line.split() for line in refused.stderr.splitlines()]
    assert ["ada", "ada.txt", "txt", "4"] in lines
    assert ["cy", "cy.docx", "docx", "3", "1", "comment", "left", "out"] in lines
    assert any(
        line[:4] == ["di", "late/di.pdf", "pdf", "2"] and "SCANNED," in line for line in lines
    )


def test_a_document_whose_reader_is_not_installed_says_which_extra_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "odfdo", None)
    monkeypatch.delitem(sys.modules, "runner.intake.opendocument", raising=False)
    assert "cj-runner[intake]" in find_refusal(tmp_path, "letter.odt", b"PK")
