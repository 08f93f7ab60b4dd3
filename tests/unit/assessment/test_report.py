"""The report: one page that nothing in it can break open, small, and without names when asked."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from assessment.contracts.essay_fields import BY_ESSAY
from assessment.contracts.report import (
    MOST_REASONS_BYTES,
    ReportData,
    pack_comparisons,
    report_result,
    write_report,
)
from assessment.contracts.result import ResultDocument
from assessment.domain.grading_result import GradeProjections
from assessment.domain.masking import MaskingReport, MaskKind
from assessment.domain.note import Note
from assessment.domain.verdict import Gap, ListVerdict
from tests.fakes.results import HOSTILE, make_comparisons, make_result

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def read_data(page: str) -> dict:
    found = _DATA.search(page)
    assert found is not None
    return json.loads(found[1])


def test_the_data_are_the_result_and_what_needs_a_person():
    result = make_result(8)
    written = read_data(write_report(report_result(result)))
    assert written["result"] == result.model_dump(mode="json")
    needing = {each["essay_id"] for each in written["attention"]}
    assert "essay-0001" in needing, "its text is flagged"
    assert written["comparisons"] is None


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_ends_the_element_that_it_stands_in(name: str):
    result = make_result(3, name=lambda i: name if i == 0 else f"{name}{i}")
    plain = write_report(report_result(make_result(3)))
    page = write_report(report_result(result))
    assert page.count("<script") == plain.count("<script")
    assert page.count("</script") == plain.count("</script")
    assert "<img src=x" not in page
    assert name in {each["essay_id"] for each in read_data(page)["result"]["rankings"]}


def test_the_policy_lets_in_only_the_pages_own_script_and_style():
    page = write_report(report_result(make_result(3)))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    style = page.partition("<style>")[2].partition("</style>")[0]
    for kind, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}';" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.replace(script, ""))


def test_a_thousand_essays_fit_in_five_megabytes():
    result = make_result(1000)
    comparisons = make_comparisons(result, n_each=12)
    page = write_report(report_result(result, comparisons=comparisons))
    assert len(page.encode()) < 5_000_000
    assert len(read_data(page)["comparisons"]["rows"]) == len(comparisons)


def test_comparisons_are_packed_by_place():
    result = make_result(4, n_anchors_each=0)
    comparisons = make_comparisons(result)
    packed = pack_comparisons(comparisons)
    for one, row in zip(comparisons, packed.rows, strict=True):
        assert one.pair_verdict is not None
        assert (packed.essays[row[0]], packed.essays[row[1]]) == (one.first, one.second)
        assert packed.judges[row[2]] == one.pair_verdict.judge
        assert (row[3] > 0) is (one.pair_verdict.winner == "first")
        assert abs(row[3]) == {"slight": 1, "clear": 2, "decisive": 3}[str(one.pair_verdict.degree)]
        assert row[-1] == one.pair_verdict.justification


def test_more_justifications_than_a_page_may_have_are_left_out():
    result = make_result(4, n_anchors_each=0)
    (one, *_) = make_comparisons(result)
    assert one.verdict is not None
    wordy = one.model_copy(
        update={"verdict": one.verdict.model_copy(update={"justification": "é" * 500})}
    )
    fitting = MOST_REASONS_BYTES // 1000
    assert pack_comparisons([wordy] * fitting).rows[0][-1] == "é" * 500
    assert pack_comparisons([wordy] * (fitting + 1)).rows[0][-1] is None


def test_without_names_no_name_is_left():
    people = ("openai/m", "person/anna.berg", "person/bo")
    result = make_result(
        12, name=lambda i: f"pupil{i}-lastname", judges=people, groups=("class 7A", "class 7B")
    )
    told = result.model_copy(
        update={
            "notes": [
                Note(
                    code="x",
                    message="pupil3-lastname was judged twice by person/bo",
                    values={"judge": "person/bo"},
                )
            ]
        }
    )
    comparisons = make_comparisons(result)
    page = write_report(report_result(told, comparisons=comparisons), without_names=True)
    hidden = read_data(page)
    for name in ("lastname", "anna", "person/bo", "class 7"):
        assert name not in json.dumps(hidden)
    assert hidden["names_hidden"] is True
    students = [each for each in hidden["result"]["rankings"] if not each["is_anchor"]]
    assert [each["essay_id"] for each in students] == [f"#{k:03d}" for k in range(1, 13)]
    assert hidden["result"]["grade_projections"]["primary_grades"].keys() == {
        each["essay_id"] for each in students
    }
    assert {row[-1] for row in hidden["comparisons"]["rows"]} == {None}
    order = [each.essay_id for each in result.rankings if not each.is_anchor]
    number = 1 + order.index("pupil3-lastname")
    assert hidden["result"]["notes"] == [
        {
            "code": "x",
            "message": f"#{number:03d} was judged twice by person/2",
            "values": {"judge": "person/2"},
        }
    ]


def test_an_essay_may_be_called_as_a_grade_or_a_field():
    result = make_result(6, name=lambda i: ["A", "rank", "COMPLETED", "status", "F", "C"][i])
    plain = json.loads(report_result(result).model_dump_json())["result"]
    hidden = read_data(write_report(report_result(result), without_names=True))["result"]
    assert hidden["status"] == "COMPLETED"
    assert hidden.keys() == plain.keys()
    grades = plain["grade_projections"]["primary_grades"]
    assert sorted(hidden["grade_projections"]["primary_grades"].values()) == sorted(grades.values())
    assert set(hidden["grade_projections"]["grade_probabilities"]["#001"]) == set("ABCDEF")


NOT_BY_ESSAY = {
    "decision", "failure", "config", "config_sources", "text_sources", "versions", "values",
    "boundaries", "boundary_se", "grade_centres", "shares",
}  # fmt: skip
"""Dictionaries whose keys are words of ours or grades."""


def list_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a declared type is made of, and those of their fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from list_models(field.annotation)
    for part in get_args(getattr(annotation, "__value__", annotation)):
        yield from list_models(part)


def test_every_field_of_a_result_that_is_by_essay_is_known():
    """A new dictionary is found by its declaration: it belongs to one of the two sets."""
    dictionaries = {
        name
        for model in set(list_models(ReportData))
        for name, field in model.model_fields.items()
        if "dict[" in str(field.annotation)
    }
    assert dictionaries - NOT_BY_ESSAY == BY_ESSAY
    assert dictionaries >= NOT_BY_ESSAY


def test_a_masked_batch_shows_no_name_of_an_essay():
    """Nor does any other dictionary that is by essay."""
    result = make_result(2)
    masking = MaskingReport(
        kinds=[MaskKind.NAME], n_names=1, masked_passages={"essay-0000": {MaskKind.NAME: 2}}
    )
    grades = GradeProjections.model_fields.keys() & BY_ESSAY
    projections = result.grade_projections.model_copy(
        update={name: {"essay-0000": None} for name in grades}
    )
    told = ReportData.model_construct(
        result=result.model_copy(update={"masking": masking, "grade_projections": projections}),
        attention=[],
    )
    page = write_report(told, without_names=True)
    assert "essay-0000" not in page
    (number,) = read_data(page)["result"]["masking"]["masked_passages"]
    assert number in {each["essay_id"] for each in read_data(page)["result"]["rankings"]}


def test_lists_are_packed_by_place_and_lose_their_reasons_with_the_names():
    result = make_result(4, n_anchors_each=0)
    (one, *_) = make_comparisons(result)
    names = sorted(each.essay_id for each in result.rankings)
    order = ListVerdict(
        ranking=(names[2], names[0], names[1]),
        gaps=(Gap.TIE, Gap.DECISIVE),
        justification="The last one breaks off.",
        judge="model",
    )
    listed = one.model_copy(
        update={"first": names[0], "second": names[1], "further_ids": (names[2],), "verdict": order}
    )
    packed = pack_comparisons([one, listed])
    assert len(packed.rows) == 1
    (row,) = packed.lists
    assert [packed.essays[place] for place in row[0]] == list(order.ranking)
    assert (row[1], packed.judges[row[2]], row[-1]) == (["=", ">>>"], "model", order.justification)
    page = write_report(report_result(result, comparisons=[one, listed]), without_names=True)
    assert "The last one breaks off." not in page
    assert read_data(page)["comparisons"]["lists"][0][1] == ["=", ">>>"]
    assert "lists" not in pack_comparisons([one]).model_dump(mode="json")


def test_a_result_whose_notes_were_words_can_be_read_and_reported():
    document = make_result(4, n_anchors_each=0, groups=("a", "b")).model_dump(mode="json")
    document |= {"schema_version": 2, "notes": ["Pairs were judged again."]}
    document["groups"]["notes"] = ["One judge."]
    del document["grade_projections"]["reason_code"]
    for group in document["groups"]["groups"]:
        del group["reason_code"]
    result = ResultDocument.model_validate(document)
    assert result.schema_version == 2
    assert result.notes == [Note(message="Pairs were judged again.")]
    written = read_data(write_report(report_result(result)))
    assert written["result"]["groups"]["notes"][0]["message"] == "One judge."
    assert written["attention"][0]["causes"][0]["codes"] == []
