"""Folders and anchors files: what is read, and what is refused with file, row and field."""

from pathlib import Path

import pytest

from assessment.domain.errors import (
    InvalidRequestError,
    ManyInvalidFieldsError,
    UnknownGradeError,
)
from assessment.domain.grade_scale import SCALES
from runner.errors import BadInputError, Problem
from runner.essays import read_anchors, read_folder

SCALE = SCALES["swedish_8_anchor"]
PRIVATE = "a sentence nobody else may read"


def problems_of(refusal: pytest.ExceptionInfo[BadInputError]) -> list[tuple[object, ...]]:
    """Where each problem is: name of the file, row and field."""
    return [(Path(p.file or "").name, p.row, p.field) for p in refusal.value.problems]


def test_a_folder_gives_its_texts_by_the_names_of_the_files(folder: Path):
    (folder / "notes.pdf").write_bytes(b"%PDF")
    (folder / ".hidden.txt").write_text("no essay")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "cy.txt").write_text("not read")
    read = read_folder(folder)
    assert [essay.essay_id for essay in read.essays] == ["ada", "ben"]
    assert read.essays[0].text == "Ada writes about tides.\n"
    assert read.left_out == []


def test_a_readme_and_anchors_are_left_out_and_said_so(folder: Path):
    (folder / "README.md").write_text("About the folder")
    (folder / "model.txt").write_text("An anchor among the essays")
    read = read_folder(folder, anchor_files=[folder / ".." / folder.name / "model.txt"])
    assert [essay.essay_id for essay in read.essays] == ["ada", "ben"]
    assert read.left_out == ["README.md", "model.txt"]


def test_a_byte_order_mark_is_not_part_of_a_text(folder: Path):
    (folder / "ada.txt").write_bytes(b"\xef\xbb\xbfTides")
    assert read_folder(folder).essays[0].text == "Tides"


def test_every_file_that_cannot_be_an_essay_is_named_at_once(folder: Path):
    (folder / "empty.txt").write_text(" \n")
    (folder / "long.txt").write_text(PRIVATE * 2000)
    (folder / "latin.txt").write_bytes("blåbär".encode("latin-1"))
    (folder / "my essay.txt").write_text(PRIVATE)
    (folder / "ANCHOR_x.txt").write_text(PRIVATE)
    (folder / "ada.md").write_text(PRIVATE)
    with pytest.raises(BadInputError) as refusal:
        read_folder(folder)
    assert sorted(problems_of(refusal), key=str) == [
        ("ANCHOR_x.txt", None, None),
        ("ada.txt", None, None),
        ("empty.txt", None, "text"),
        ("latin.txt", None, None),
        ("long.txt", None, "text"),
        ("my essay.txt", None, "file name"),
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
    assert problems_of(refusal) == [("anchors.csv", 4, "grade")]


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
    assert problems_of(refusal) == [
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
    located = read.located(refusal)
    assert isinstance(located, BadInputError)
    assert located.problems == (
        Problem("'C' is not on the scale", file=read.name, row=3, field="grade"),
    )
    elsewhere: list[InvalidRequestError] = [
        InvalidRequestError("unknown", field="grade_scale"),
        ManyInvalidFieldsError([("anchors[0].grade", "wrong"), ("grade_scale", "unknown")]),
        InvalidRequestError("wrong", field="anchors[9].grade"),
    ]
    assert [read.located(error) for error in elsewhere] == elsewhere
