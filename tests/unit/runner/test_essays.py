"""Folders and anchors files: what is read, and what is refused with file, row and field."""

import unicodedata
from pathlib import Path

import pytest

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError, UnknownGradeError
from assessment.domain.grade_scale import SCALES
from assessment.domain.plain_text import spell_code_points
from runner.anchors_file import read_anchors
from runner.errors import BadInputError, Problem
from runner.essays import read_folder

SCALE = SCALES["swedish_8_anchor"]
PRIVATE = "a sentence nobody else may read"


def list_problems(refusal: pytest.ExceptionInfo[BadInputError]) -> list[tuple[object, ...]]:
    """Where each problem is: name of the file, row and field."""
    return [(Path(p.file or "").name, p.row, p.field) for p in refusal.value.problems]


def test_a_folder_gives_its_texts_by_the_names_of_the_files(folder: Path):
    (folder / "Cy.TEXT").write_text("Cy writes in capitals.")
    (folder / "DI.TXT").write_text("Di does too.")
    read = read_folder(folder)
    assert [essay.essay_id for essay in read.essays] == ["Cy", "DI", "ada", "ben"]
    assert read.essays[2].text == "Ada writes about tides.\n"
    assert (read.left_out, read.others, read.ignored) == ([], [], [])


def test_nothing_is_left_out_without_a_word(folder: Path):
    """A class as teachers hand it in: other formats, other endings, a folder for a late group."""
    (folder / "cy.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / "di.pages").write_bytes(b"PK")
    (folder / "ed").write_text("no ending")
    (folder / "group 2" / "deeper").mkdir(parents=True)
    (folder / "group 2" / "fi.txt").write_text("in a folder")
    (folder / "group 2" / "deeper" / "gus.txt").write_text("in a folder in a folder")
    (folder / "lost.txt").symlink_to(folder / "nowhere.txt")
    (folder / "elsewhere").symlink_to(folder.parent)
    for dropping in ("~$cy.docx", ".DS_Store", "Thumbs.db", "group 2/.DS_Store"):
        (folder / dropping).write_bytes(b"")
    with pytest.raises(BadInputError) as refusal:
        read_folder(folder)
    others = ["cy.doc", "di.pages", "ed", "elsewhere", "lost.txt"]
    assert sorted(Path(p.file or "").name for p in refusal.value.problems) == others
    assert "--ignore-others" in str(refusal.value)
    read = read_folder(folder, ignore_others=True)
    assert [essay.essay_id for essay in read.essays] == ["ada", "ben", "fi", "gus"]
    assert sorted(Path(name).name for name in read.others) == others
    assert sorted(read.ignored) == [".DS_Store", "Thumbs.db", "group 2/.DS_Store", "~$cy.docx"]


def test_a_readme_and_known_files_are_left_out_and_said_so(folder: Path):
    (folder / "README.md").write_text("About the folder")
    (folder / "model.txt").write_text("An anchor among the essays")
    (folder / "anchors").mkdir()
    (folder / "anchors" / "a.txt").write_text("An anchor in a folder of its own")
    known = [folder / ".." / folder.name / "model.txt", folder / "anchors" / "a.txt"]
    read = read_folder(folder, known_files=known)
    assert [essay.essay_id for essay in read.essays] == ["ada", "ben"]
    assert read.left_out == ["README.md", "anchors/a.txt", "model.txt"]


@pytest.mark.parametrize(
    "name",
    [
        "Åsa Öberg",
        "Lars Svensson (7B)",
        "José_1",
        "O’Brien",
        "Ελένη",
        "ഗീത",
        "محمد",
        "李小龍",
        "นารี",
    ],
)
def test_names_of_any_script_are_ids_and_have_one_spelling(folder: Path, name: str):
    for form in ("NFC", "NFD"):
        path = folder / f"{unicodedata.normalize(form, name)}.txt"
        path.write_text("A text.")
        assert name in [essay.essay_id for essay in read_folder(folder).essays]
        path.unlink()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Åsa", unicodedata.normalize("NFD", "Åsa")),
        ("anna", "ann\u200ba"),
        ("anna", "аnna"),
        ("anna 1", "anna\u00a01"),
        ("file", "\ufb01le"),
        ("essay 1", "essay １"),
    ],
)  # fmt: skip
def test_names_that_print_alike_are_refused_with_both(folder: Path, one: str, other: str):
    (folder / f"{one}.txt").write_text("one")
    (folder / f"{other}.txt").write_text("other")
    with pytest.raises(BadInputError) as refusal:
        read_folder(folder)
    said = str(refusal.value)
    assert f"{one}.txt" in said or spell_code_points(one) in said
    assert "rename one" in said


def test_names_that_differ_in_case_are_two_names(folder: Path):
    (folder / "1a2B.txt").write_text("one")
    (folder / "1a2b.txt").write_text("other")
    assert {"1a2B", "1a2b"} <= {essay.essay_id for essay in read_folder(folder).essays}


@pytest.mark.parametrize("text", ["\u200b\ufeff", "\u00ad\n\u2060", "\u3164 \u2800", "\ufffc"])
def test_a_text_that_does_not_show_is_empty(folder: Path, text: str):
    (folder / "cy.txt").write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"cy\.txt, text: the text is empty"):
        read_folder(folder)


def test_the_same_text_twice_is_said(folder: Path):
    (folder / "cy.txt").write_text("  Ada writes\nabout tides.")
    assert read_folder(folder).same_texts == [["ada.txt", "cy.txt"]]


TEXT = "Åsa skrev om blåbär och “räksmörgås” på ön – inte illa."


@pytest.mark.parametrize(
    "encoding", ["cp1252", "mac-roman", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_other_encodings_are_read_and_said(
    folder: Path, encoding: str, capsys: pytest.CaptureFixture[str]
):
    (folder / "ada.txt").write_bytes(TEXT.encode(encoding))
    assert read_folder(folder).essays[0].text == TEXT
    assert f"it was read as {encoding}" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("text", ["blåbär", "Straße", "déjà vu", "“Hello” she said", "smörgåsbord"])
def test_few_letters_are_enough_for_western_text(folder: Path, text: str):
    (folder / "ada.txt").write_bytes(text.encode("cp1252"))
    assert read_folder(folder).essays[0].text == text


RUSSIAN = "Приливы поднимаются, потому что луна притягивает море. Это сочинение о луне и о рыбах."
POLISH = "Morze się podnosi, ponieważ księżyc przyciąga wodę, a żółta łódź płynie źle. Źdźbło też."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (POLISH, "cp1250"), (POLISH, "iso8859-2"),
        ("月が海を引っ張るので潮が満ちる。とても興味深いです。" * 2, "euc-jp"),
    ],
)  # fmt: skip
def test_short_texts_of_other_languages_are_not_taken_for_others(
    folder: Path, text: str, encoding: str
):
    (folder / "ada.txt").write_bytes(text.encode(encoding))
    assert read_folder(folder).essays[0].text == text


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (rb"{\rtf1\ansi Hello}", "RTF"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04...", "Word"),
        (b"\xd0\xcf\x11\xe0...", "old Word"),
        (b"\n<!DOCTYPE html><p>Hi", "HTML"),
    ],
)
def test_another_format_under_the_name_of_a_text_is_refused(
    folder: Path, content: bytes, name: str
):
    (folder / "cy.txt").write_bytes(content)
    with pytest.raises(BadInputError, match=rf"cy.txt: is .*{name}.* not plain text"):
        read_folder(folder)


def test_a_byte_order_mark_is_not_part_of_a_text(folder: Path):
    (folder / "ada.txt").write_bytes(b"\xef\xbb\xbfTides")
    assert read_folder(folder).essays[0].text == "Tides"


def test_every_file_that_cannot_be_an_essay_is_named_at_once(folder: Path):
    (folder / "empty.txt").write_text(" \n")
    (folder / "long.txt").write_text(PRIVATE * 2000)
    (folder / "bytes.txt").write_bytes(bytes(range(255, 0, -1)))
    (folder / "my#essay.txt").write_text(PRIVATE)
    (folder / "ANCHOR_x.txt").write_text(PRIVATE)
    (folder / "ada.md").write_text(PRIVATE)
    with pytest.raises(BadInputError) as refusal:
        read_folder(folder)
    assert sorted(list_problems(refusal), key=str) == [
        ("ANCHOR_x.txt", None, None),
        ("ada.txt", None, None),
        ("bytes.txt", None, None),
        ("empty.txt", None, "text"),
        ("long.txt", None, "text"),
        ("my#essay.txt", None, "file name"),
    ]
    assert PRIVATE not in str(refusal.value)


@pytest.mark.parametrize("names", [[], ["only.txt"]])
def test_fewer_than_two_texts(tmp_path: Path, names: list[str]):
    for name in names:
        (tmp_path / name).write_text("text")
    with pytest.raises(BadInputError, match="at least two"):
        read_folder(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path):
    with pytest.raises(BadInputError, match="no such folder"):
        read_folder(tmp_path / "absent")


def test_anchors_come_from_files_and_from_cells(folder: Path):
    read = read_anchors(folder.parent / "anchors.csv", scale=SCALE)
    assert [(a.anchor_ref, a.grade, a.text) for a in read.anchors] == [
        ("one", "B", "A good anchor."),
        ("two", "C", "A plain anchor, in the file."),
    ]
    assert read.rows == [2, 3]
    assert {path.name for path in read.files} == {"good.txt"}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_anchors_from_a_spreadsheet_of_another_country(tmp_path: Path, delimiter: str):
    path = tmp_path / "anchors.csv"
    rows = [["anchor_ref", "grade", "text"], ["one", "A", "Ja, nej"], ["two", "E", "Nja"]]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(map(delimiter.join, rows)).encode())
    assert [a.text for a in read_anchors(path, scale=SCALE).anchors] == ["Ja, nej", "Nja"]


def test_a_text_over_several_lines_counts_as_its_last(tmp_path: Path):
    path = tmp_path / "anchors.csv"
    path.write_text('anchor_ref,grade,text\none,A,"two\nlines"\ntwo,Q,short\n')
    with pytest.raises(BadInputError) as refusal:
        read_anchors(path, scale=SCALE)
    assert list_problems(refusal) == [("anchors.csv", 4, "grade")]


def test_every_wrong_anchor_is_named_at_once_by_row_and_field(tmp_path: Path):
    path = tmp_path / "anchors.csv"
    path.write_text(
        "anchor_ref,grade,file,text\n"
        f"ok,A,,{PRIVATE}\n"
        "gone,A,absent.txt,\n"
        f"both,A,absent.txt,{PRIVATE}\n"
        "none,A,,\n"
        f"q,Q,,{PRIVATE}\n"
        f"no grade,,,{PRIVATE}\n"
        f"bad ref,E,,{PRIVATE}\n"
        f"ok,B,,{PRIVATE}\n"
    )
    with pytest.raises(BadInputError) as refusal:
        read_anchors(path, scale=SCALE)
    assert list_problems(refusal) == [
        ("anchors.csv", 3, "file"),
        ("anchors.csv", 4, "file"),
        ("anchors.csv", 5, "file"),
        ("anchors.csv", 6, "grade"),
        ("anchors.csv", 7, "grade"),
        ("anchors.csv", 8, "anchor_ref"),
        ("anchors.csv", 9, "anchor_ref"),
    ]
    assert PRIVATE not in str(refusal.value)
    assert "F E D D+ C C+ B A" in str(refusal.value)


def test_grades_of_a_scale_that_only_the_stack_knows_are_left_to_it(tmp_path: Path):
    path = tmp_path / "anchors.csv"
    path.write_text("anchor_ref,grade,text\none,Distinction,tides\n")
    assert read_anchors(path).anchors[0].grade == "Distinction"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no rows"),
        ("anchor_ref,grade,text\n", "no rows"),
        ("anchor_ref,text\none,tides\n", "row 1, grade: the header has no such column"),
        ("anchor_ref,grade\none,A\n", "row 1: the header needs a column file"),
        ("anchor_ref,grade,text\none,A,tides, and bees\n", "row 2: has more cells"),
        ('anchor_ref,grade,text\none,A,"tides\n', "row 2: not well-formed CSV"),
    ],
)
def test_a_file_that_is_no_anchors_file(tmp_path: Path, content: str, message: str):
    path = tmp_path / "anchors.csv"
    path.write_text(content)
    with pytest.raises(BadInputError, match=message):
        read_anchors(path, scale=SCALE)


def test_what_the_api_objects_to_is_found_in_the_file(folder: Path):
    read = read_anchors(folder.parent / "anchors.csv")
    refusal = UnknownGradeError("'C' is not on the scale", field="anchors[1].grade")
    located = read.locate(refusal)
    assert isinstance(located, BadInputError)
    assert located.problems == (
        Problem("'C' is not on the scale", file=read.name, row=3, field="grade"),
    )
    elsewhere: list[InvalidRequestError] = [
        InvalidRequestError("unknown", field="grade_scale"),
        ManyInvalidFieldsError([("anchors[0].grade", "wrong"), ("grade_scale", "unknown")]),
        InvalidRequestError("wrong", field="anchors[9].grade"),
    ]
    assert [read.locate(error) for error in elsewhere] == elsewhere
