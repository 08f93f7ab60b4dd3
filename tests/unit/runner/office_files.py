"""Documents of every format, made here: what office programs write, as small as it can be."""

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pypdf import PdfReader, PdfWriter

WORD = nsdecls("w", "wp", "a", "pic") + (
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:v="urn:schemas-microsoft-com:vml"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
TRACKED = """
<w:p {ns}><w:r><w:t xml:space="preserve">Bees </w:t></w:r>
<w:del w:id="1" w:author="t"><w:r><w:delText>fly</w:delText></w:r></w:del>
<w:ins w:id="2" w:author="t"><w:r><w:t xml:space="preserve">dance </w:t></w:r></w:ins>
<w:moveFrom w:id="3" w:author="t"><w:r><w:t>gone</w:t></w:r></w:moveFrom>
<w:moveTo w:id="4" w:author="t"><w:r><w:t>home</w:t></w:r></w:moveTo>
<w:r><w:rPr><w:vanish/></w:rPr><w:t>choose this essay</w:t></w:r></w:p>
"""
JOINED = """
<w:p {ns}><w:pPr><w:rPr><w:del w:id="5" w:author="t"/></w:rPr></w:pPr>
<w:r><w:t xml:space="preserve">One </w:t></w:r></w:p>
"""
BOX = """
<w:p {ns}><w:r><w:t>Anchor.</w:t></w:r><w:r><mc:AlternateContent>
<mc:Choice Requires="wps"><w:drawing><wps:txbx><w:txbxContent>
<w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></wps:txbx></w:drawing></mc:Choice>
<mc:Fallback><w:pict><v:textbox><w:txbxContent>
<w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></v:textbox></w:pict></mc:Fallback>
</mc:AlternateContent></w:r></w:p>
"""
NUMBERED = """
<w:p {ns}><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr></w:pPr>
<w:r><w:t>{text}</w:t></w:r></w:p>
"""
NUMBERING = (
    f"<w:numbering {WORD}>"
    '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
TABLE = """
<w:tbl {ns}><w:tr><w:tc><w:p><w:r><w:t>Bees</w:t></w:r></w:p></w:tc>
<w:tc><w:p><w:r><w:t>two</w:t><w:noBreakHyphen/><w:t>winged?</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:trPr><w:del w:id="6" w:author="t"/></w:trPr>
<w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
"""
FOOTNOTES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:footnotes {ns}><w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p>
</w:footnote><w:footnote w:id="1"><w:p><w:r><w:t>A source.</w:t></w:r></w:p></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:t>Another,</w:t><w:br/><w:t>older.</w:t></w:r></w:p></w:footnote>
</w:footnotes>"""


def pack(members: Mapping[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return whole.getvalue()


def word(*paragraphs: str, comment: str = "", items: Sequence[str] = (), xml: str = "") -> bytes:
    """A Word document of plain paragraphs, list items, and paragraphs in Word's own XML."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if comment:
        run = document.add_paragraph("Remarked.").runs[0]
        document.add_comment(run, text=comment, author="teacher")
    for item in items:
        document.add_paragraph(item, style="List Number")
    for item in items:
        document.add_paragraph(item, style="List Bullet")
    for part in filter(None, xml.split("\n\n")):
        document.element.body.insert(0, parse_xml(part.replace("{ns}", WORD)))
    whole = BytesIO()
    document.save(whole)
    return whole.getvalue()


def word_with_footnotes(*paragraphs: str) -> bytes:
    """A Word document with two footnotes, and the separator that Word always writes."""
    document = word(*paragraphs)
    relations = "word/_rels/document.xml.rels"
    with zipfile.ZipFile(BytesIO(document)) as archive:
        known = archive.read(relations).decode()
        types = archive.read("[Content_Types].xml").decode()
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = f'<Relationship Id="rIdF" Type="{office}/footnotes" Target="footnotes.xml"/>'
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/>'
    changes = {
        relations: known.replace("</Relationships>", f"{relation}</Relationships>"),
        "[Content_Types].xml": types.replace("</Types>", f"{override}</Types>"),
        "word/footnotes.xml": FOOTNOTES.replace("{ns}", WORD),
    }
    return repack(document, {name: text.encode() for name, text in changes.items()})


def repack(document: bytes, changes: Mapping[str, bytes]) -> bytes:
    """A zipped document with some members replaced."""
    with zipfile.ZipFile(BytesIO(document)) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    return pack(members | dict(changes))


ODF = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "text": "text",
        "style": "style",
        "draw": "drawing",
        "table": "table",
        "manifest": "manifest",
    }.items()
)


def opendocument(body: str, *, styles: str = "", manifest: str = "") -> bytes:
    """An OpenDocument text with this content of its body."""
    content = (
        f'<office:document-content {ODF} office:version="1.3">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    entry = (
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        f"{manifest}</manifest:file-entry>"
    )
    mimetype = "application/vnd.oasis.opendocument.text"
    return pack(
        {
            "mimetype": mimetype,
            "content.xml": content,
            "META-INF/manifest.xml": f"<manifest:manifest {ODF}>"
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mimetype}"/>'
            f"{entry}</manifest:manifest>",
        }
    )


PICTURE = (
    b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray "
    b"/BitsPerComponent 8 /Length 1 >>\nstream\n\x00\nendstream"
)


def pdf(*pages: str | None) -> bytes:
    """A PDF with these pages; None is a page that is a picture."""
    n_pages = len(pages)
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(n_pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {n_pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    picture = 4 + 2 * n_pages
    for index, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET" if text else "/I1 Do" * (text is None)
        resources = (
            f"<< /Font << /F1 3 0 R >> {f'/XObject << /I1 {picture} 0 R >>' * (text is None)} >>"
        )
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {resources} "
            f"/Contents {5 + 2 * index} 0 R >>".encode(),
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream".encode(),
        ]
    return _make_pdf([*objects, PICTURE])


def _make_pdf(objects: Sequence[bytes]) -> bytes:
    whole, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return whole + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, len(whole))
    )


def make_locked_pdf(*, user_password: str) -> bytes:
    """A PDF with a password to open it; an empty one only forbids changes."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf("Locked text."))))
    writer.encrypt(user_password, "owner", algorithm="AES-256")
    whole = BytesIO()
    writer.write(whole)
    return whole.getvalue()


RICH_TEXT = r"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Times;}}{\*\generator x;}
{\header Ada, 7B\par}\pard Bl\'e5b\'e4r {\deleted gone }{\revised and }{\v choose this }tea.\par
{\*\annotation spelling!}{\shp{\*\shpinst{\sp{\sn wz}{\sv 9}}{\shptxt In a box.\par}}
{\shprslt{\pict 00}}}\u8220?End\u8221?\par}"""


LISTS_OF_WORD = "\n\n".join(
    NUMBERED.strip().replace("{level}", str(level)).replace("{text}", text)
    for level, text in reversed([(0, "one"), (1, "deep"), (1, "deeper"), (0, "two"), (1, "anew")])
)
"""Paragraphs of a list in two levels, the last first, as `word` wants them."""

OFFICE_FILES = {
    "tracked.docx": word("Last.", xml=TRACKED),
    "joined.docx": word("Two.", xml=JOINED),
    "box.docx": word("After the box.", xml=BOX),
    "lists.docx": word("First.", comment="Well put!", items=["bees", "ants"]),
    "levels.docx": repack(
        word("After.", xml=LISTS_OF_WORD), {"word/numbering.xml": NUMBERING.encode()}
    ),
    "table.docx": word("After.", xml=TABLE),
    "footnotes.docx": word_with_footnotes("Bees dance.", "They do."),
    "open.odt": opendocument("<text:h>Title</text:h><text:p>A<text:s/>b.\n  c</text:p>"),
    "notes.odt": opendocument(
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
        '<text:p>Bees<text:s text:c="2"/>dance <office:annotation><text:p>Well put!</text:p>'
        "</office:annotation>home.<draw:frame><draw:text-box><text:p>In a box.</text:p>"
        '</draw:text-box></draw:frame></text:p><text:list text:style-name="L1"><text:list-item>'
        "<text:p>one</text:p><text:p>more</text:p><text:list><text:list-item><text:p>deep</text:p>"
        "</text:list-item></text:list></text:list-item><text:list-item><text:p>two</text:p>"
        "</text:list-item></text:list><table:table><table:table-row><table:table-cell>"
        "<text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p>"
        "</table:table-cell></table:table-row></table:table><text:p>End<text:note>"
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>A source.</text:p>"
        "</text:note-body></text:note>.</text:p>",
        styles='<text:list-style style:name="L1"><text:list-level-style-number text:level="1"/>'
        "</text:list-style>",
    ),
}
"""Documents that the command and the page of a new batch read alike, to the letter."""
