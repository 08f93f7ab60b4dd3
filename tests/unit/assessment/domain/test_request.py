"""Requests: each error names its field, and no error repeats what an essay says."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from assessment.contracts.parsing import parse
from assessment.contracts.request import MAX_ESSAYS, AnchorRegistration, BatchRequest
from assessment.contracts.requested import read_requested_batch
from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError
from assessment.domain.essay import MAX_ESSAY_CHARACTERS
from assessment.domain.identifiers import EssayId
from assessment.domain.plain_text import is_blank

SECRET = "the quick brown essay jumps over the lazy rubric"


def essay(essay_id: Any = "one", text: Any = SECRET) -> dict[str, Any]:
    return {"essay_id": essay_id, "text": text}


def anchor(ref: Any = "a1", grade: Any = "A", text: Any = SECRET) -> dict[str, Any]:
    return {"anchor_ref": ref, "grade": grade, "text": text}


def problems(model: Any, data: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as refused:
        parse(model, data)
    error = refused.value
    assert SECRET not in str(error)
    if isinstance(error, ManyInvalidFieldsError):
        return dict(error.problems)
    return {error.field: error.message}


BAD_BATCHES: list[tuple[str, Any, str]] = [
    ("no essays", {}, "essays"),
    ("one essay", {"essays": [essay()]}, "essays"),
    ("empty list", {"essays": []}, "essays"),
    ("no list", {"essays": SECRET}, "essays"),
    ("duplicate ids", {"essays": [essay(), essay()]}, "body"),
    ("empty text", {"essays": [essay(), essay("two", "  \n ")]}, "essays[1].text"),
    (
        "long text",
        {"essays": [essay("x", SECRET * 2000), essay("two")]},
        "essays[0].text",
    ),
    ("NUL", {"essays": [essay("x", f"{SECRET}\x00"), essay("two")]}, "essays[0].text"),
    ("text missing", {"essays": [{"essay_id": "x"}, essay("two")]}, "essays[0].text"),
    ("text no string", {"essays": [essay("x", [SECRET]), essay("two")]}, "essays[0].text"),
    ("id missing", {"essays": [{"text": SECRET}, essay("two")]}, "essays[0].essay_id"),
    ("id empty", {"essays": [essay(""), essay("two")]}, "essays[0].essay_id"),
    ("id with a space at its end", {"essays": [essay("a "), essay("two")]}, "essays[0].essay_id"),
    ("id with two spaces", {"essays": [essay("a  b"), essay("two")]}, "essays[0].essay_id"),
    ("id with a tab", {"essays": [essay("a\tb"), essay("two")]}, "essays[0].essay_id"),
    ("id with a zero-width", {"essays": [essay("a\u200bb"), essay("two")]}, "essays[0].essay_id"),
    ("id of fillers", {"essays": [essay("\u3164\u3164"), essay("two")]}, "essays[0].essay_id"),
    ("id with a key's sign", {"essays": [essay("a#b"), essay("two")]}, "essays[0].essay_id"),
    ("id that turns the line", {"essays": [essay("a\u202eb"), essay("two")]}, "essays[0].essay_id"),
    ("ids alike", {"essays": [essay("anna"), essay("\u0430nna")]}, "body"),
    ("ids alike by spaces", {"essays": [essay("fi 1"), essay("\ufb01 1")]}, "body"),
    ("one id in two spellings", {"essays": [essay("\u00c5sa"), essay("A\u030asa")]}, "body"),
    (
        "invisible text",
        {"essays": [essay("one", "\u200b\ufeff\u00ad"), essay("two")]},
        "essays[0].text",
    ),
    ("id with a newline", {"essays": [essay("a\n"), essay("two")]}, "essays[0].essay_id"),
    ("id with a slash", {"essays": [essay("a/../b"), essay("two")]}, "essays[0].essay_id"),
    ("id too long", {"essays": [essay("x" * 129), essay("two")]}, "essays[0].essay_id"),
    ("id of an anchor", {"essays": [essay("ANCHOR_x"), essay("two")]}, "body"),
    (
        "unknown field",
        {"essays": [essay(), {**essay("two"), "grade": "A"}]},
        "essays[1].grade",
    ),
    (
        "anchors in a request",
        {"essays": [essay(), essay("two")], "anchors": [anchor()]},
        "anchors",
    ),
    ("config no object", {"essays": [essay(), essay("two")], "config": 7}, "config"),
    (
        "correlation no uuid",
        {"essays": [essay(), essay("two")], "correlation_id": "seven"},
        "correlation_id",
    ),
    (
        "assignment with a space",
        {"essays": [essay(), essay("two")], "assignment_id": "a b"},
        "assignment_id",
    ),
    ("no object", [SECRET], "body"),
    ("nothing", None, "body"),
    ("half a character", {"essays": [essay(), essay("x", f"{SECRET}\ud800")]}, "essays[1].text"),
]


@pytest.mark.parametrize(
    ("data", "field"), [case[1:] for case in BAD_BATCHES], ids=[case[0] for case in BAD_BATCHES]
)
def test_bad_batch_request_names_its_field(data: Any, field: str) -> None:
    assert field in problems(BatchRequest, data)


BAD_REGISTRATIONS: list[tuple[str, Any, str]] = [
    ("nothing to register", {"assignment_id": "x", "anchors": []}, "anchors"),
    ("no assignment", {"anchors": [anchor()]}, "assignment_id"),
    ("duplicate refs", {"assignment_id": "x", "anchors": [anchor(), anchor()]}, "body"),
    ("ref with a colon", {"assignment_id": "x", "anchors": [anchor("a:b")]},
     "anchors[0].anchor_ref"),
    ("grade missing", {"assignment_id": "x", "anchors": [{"anchor_ref": "a", "text": SECRET}]},
     "anchors[0].grade"),
    ("empty text", {"assignment_id": "x", "anchors": [anchor(text=" ")]}, "anchors[0].text"),
    ("long rubric", {"assignment_id": "x", "anchors": [anchor()], "judge_rubric": SECRET * 1000},
     "judge_rubric"),
    ("half a character", {"assignment_id": "x", "anchors": [anchor()], "judge_rubric": "\udc00"},
     "judge_rubric"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "field"),
    [case[1:] for case in BAD_REGISTRATIONS],
    ids=[case[0] for case in BAD_REGISTRATIONS],
)
def test_bad_registration_names_its_field(data: Any, field: str) -> None:
    assert any(name.startswith(field) for name in problems(AnchorRegistration, data))


def test_several_errors_are_told_at_once() -> None:
    found = problems(BatchRequest, {"essays": [essay("a/b", ""), {"text": 5}], "extra": 1})
    assert set(found) == {
        "essays[0].essay_id", "essays[0].text", "essays[1].essay_id", "essays[1].text", "extra",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "Åsa Öberg",
        "Lars Svensson (7B)",
        "O’Brien",
        "Ελένη",
        "നീന",
        "محمد",
        "می\u200cخواهم",
        "李小龍",
    ],
)
def test_letters_of_any_script_are_letters(name: str) -> None:
    spelt = unicodedata.normalize("NFD", name)
    request = parse(BatchRequest, {"essays": [essay(spelt), essay("two")]})
    assert request.essays[0].essay_id == unicodedata.normalize("NFC", name)


def test_alike_ids_are_named_with_what_tells_them_apart() -> None:
    with pytest.raises(ManyInvalidFieldsError) as refusal:
        parse(BatchRequest, {"essays": [essay("anna"), essay("\u0430nna")]})
    assert "(anna) and" in str(refusal.value)
    assert "(<U+0430>nna) print alike" in str(refusal.value)


@given(st.text(min_size=1, max_size=12))
def test_an_id_is_refused_or_kept_in_one_spelling_that_shows(name: str) -> None:
    try:
        kept = TypeAdapter(EssayId).validate_python(name)
    except ValidationError:
        return
    assert kept == unicodedata.normalize("NFC", name)
    assert TypeAdapter(EssayId).validate_python(kept) == kept
    assert not is_blank(kept)
    assert not {"#", "/", "\\", "<", ">", '"', "\n"} & set(kept)


def test_a_rubric_is_registered_without_anchors() -> None:
    registration = parse(AnchorRegistration, {"assignment_id": "x", "judge_rubric": "Look."})
    assert registration.anchors == []


def test_the_limits_themselves_are_allowed() -> None:
    longest = "x" * MAX_ESSAY_CHARACTERS
    request = parse(BatchRequest, {"essays": [essay("x" * 128, longest), essay("two")]})
    assert len(request.essays[0].text) == MAX_ESSAY_CHARACTERS
    most = [essay(f"e{i}", "short") for i in range(MAX_ESSAYS)]
    assert len(parse(BatchRequest, {"essays": most}).essays) == MAX_ESSAYS


@given(st.text(min_size=12, max_size=40), st.sampled_from(["id", "text", "config", "extra"]))
def test_no_error_repeats_a_value(value: str, where: str) -> None:
    bad: dict[str, Any] = {"essays": [essay(), essay("one")]}
    if where == "id":
        bad["essays"][0]["essay_id"] = f"!{value}"
    elif where == "text":
        bad["essays"][0]["text"] = {"nested": value}
    elif where == "config":
        bad["config"] = value
    else:
        bad["surplus"] = value
    with pytest.raises(InvalidRequestError) as refused:
        parse(BatchRequest, bad)
    assert value not in str(refused.value)
    assert value not in json.dumps(getattr(refused.value, "problems", []), ensure_ascii=False)


def test_representation_of_a_request_hides_the_texts() -> None:
    request = parse(BatchRequest, {"essays": [essay(), essay("two")]})
    registration = parse(AnchorRegistration, {"assignment_id": "x", "anchors": [anchor()]})
    assert SECRET not in repr(request)
    assert SECRET not in repr(registration)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "detail.data"),
        ({"detail": None}, "detail.data"),
        ({"detail": {"data": "text"}}, "detail.data"),
        ({"detail": {"data": {}}}, "detail.event_id"),
    ],
)
def test_bad_event_names_its_field(event: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_requested_batch(event)
    assert refused.value.field == field


def test_event_key_is_the_producers_own_id_before_the_bus_id() -> None:
    detail = {"event_id": "mine", "correlation_id": "c", "data": {"essays": []}}
    assert read_requested_batch({"id": "bus", "detail": detail}) == (
        {"essays": [], "correlation_id": "c"},
        '["bus","mine"]',
    )
    del detail["event_id"]
    assert read_requested_batch({"id": "bus", "detail": detail})[1] == '["bus","bus"]'
