"""CSV that a spreadsheet can open without running a cell."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.contracts.result import ResultDocument
from assessment.contracts.result_csv import disarm_formula, result_csv, to_csv
from tests.unit.runner import documents

CELLS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "plain"]),
)


@given(st.lists(CELLS, min_size=1, max_size=4))
def test_no_text_cell_begins_like_a_formula(cells: list[str]):
    back = next(csv.reader(io.StringIO(to_csv(cells, []), newline="")), [""])
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in back)
    # What the quote mark protects is still there, whole.
    assert [cell.removeprefix("'") for cell in back] == [cell.removeprefix("'") for cell in cells]


def test_a_negative_number_stays_a_number():
    assert to_csv(["x"], [[-1.5]]).splitlines() == ["x", "-1.5"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_cell_is_a_formula(text):
    assert disarm_formula(text) == f"'{text}"


def test_a_result_without_grades_has_its_ranks():
    document = documents.result()
    document["grade_projections"] = {"projections_available": False, "reason": "no anchors"}
    result = ResultDocument.model_validate(document)
    rows = list(csv.DictReader(io.StringIO(result_csv(result))))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert {row["primary_grade"] for row in rows} == {""}
    assert {row["needs_more_evidence"] for row in rows} == {""}


def test_a_result_as_rows():
    result = ResultDocument.model_validate(documents.result())
    rows = list(csv.DictReader(io.StringIO(result_csv(result))))
    assert [row["essay_id"] for row in rows] == [r.essay_id for r in result.rankings]
    ada, one, ben, _ = rows
    assert (ada["kind"], ada["primary_grade"], ada["p_A"]) == ("student", "A", "0.997")
    assert float(ben["bradley_terry_score"]) == -0.75
    assert (ben["needs_more_evidence"], ada["needs_more_evidence"]) == ("true", "false")
    assert (one["kind"], one["anchor_grade"], one["p_A"]) == ("anchor", "'=B", "")
    assert "p_=B" in ada
    # Labels of a scale are the callers' own; only numbers may begin with a sign.
    text = [cell for row in rows for name, cell in row.items() if name != "bradley_terry_score"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in text)
