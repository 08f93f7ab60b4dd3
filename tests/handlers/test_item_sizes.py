"""The largest input that is accepted makes no item of the table larger than 100 KB."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assessment.domain.essay import MAX_ESSAY_CHARACTERS
from assessment.domain.grade_scale import MAX_GRADE_CHARACTERS
from assessment.domain.jury import MAX_JUDGES
from tests.handlers.conftest import Stack, event, invoke

LARGEST_BYTES = 100_000
# Four bytes in UTF-8, and no letter that an id could have.
WIDE = "\U0001f600"
# A letter of four bytes, for ids.
LETTER = "\U00020000"
FORM = (
    "{% block system %}{{ verdict_schema }}{% endblock %}{% block user %}{% for c in comparisons %}"
    "{{ c.comparison_id }}{{ c.essay_a }}{{ c.essay_b }}{% endfor %}"
)


def send(name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    given = event(f"handle_api/{name}.json")
    response = invoke("handle_api", {**given, "body": json.dumps(body)})
    return response["statusCode"], json.loads(response["body"])


def largest_item(stack: Stack) -> int:
    """Bytes of the largest item, by DynamoDB's own rule: names and values in UTF-8."""
    items = stack.client("dynamodb").scan(TableName="cj-table")["Items"]
    return max(sum(len(f"{name}{value}".encode()) for name, value in i.items()) for i in items)


def judges(characters: int) -> list[dict[str, Any]]:
    source = FORM + WIDE * characters + "{% endblock %}"
    return [
        {"provider": "person", "name": f"{n}" + "n" * 70, "template_source": source}
        if n == 0
        else {"provider": "callback_endpoint", "name": f"{n}" + "n" * 70, "template_source": source}
        for n in range(MAX_JUDGES)
    ]


def grades() -> list[str]:
    return [f"{n:02d}" + WIDE * (MAX_GRADE_CHARACTERS - 2) for n in range(40)]


def registration(characters: int) -> dict[str, Any]:
    text = WIDE * characters
    return {
        "assignment_id": LETTER * 128,
        "grade_scale": grades(),
        "population": {"shares": dict.fromkeys(grades(), 1 / 40)},
        "instructions": text,
        "student_prompt": text,
        "judge_rubric": text,
        "anchors": [
            {"anchor_ref": LETTER * 64, "grade": grades()[0], "text": WIDE * MAX_ESSAY_CHARACTERS}
        ],
    }


def test_the_largest_registration_is_small_enough(stack: Stack) -> None:
    assert send("register_anchors", registration(6_500))[0] == 201
    assert largest_item(stack) < LARGEST_BYTES


def test_instructions_that_would_not_fit_are_refused_by_name(stack: Stack) -> None:
    status, body = send("register_anchors", registration(7_000))
    assert status == 400
    assert body["errors"][0]["field"] in {"instructions", "student_prompt", "judge_rubric"}


def test_later_registrations_cannot_add_up_beyond_it(stack: Stack) -> None:
    for name in ("instructions", "student_prompt", "judge_rubric"):
        statuses = send("register_anchors", {"assignment_id": "a", name: WIDE * 9_000})[0]
    assert statuses == 400
    assert largest_item(stack) < LARGEST_BYTES


def request(characters: int) -> dict[str, Any]:
    essays = [{"essay_id": LETTER * 127 + f"{n}", "text": f"{n} one two three"} for n in range(3)]
    return {"essays": essays, "judge": judges(characters)}


def test_the_largest_jury_is_small_enough(stack: Stack) -> None:
    assert send("create_batch_without_anchors", request(850))[0] == 202
    assert largest_item(stack) < LARGEST_BYTES


def test_a_jury_that_would_not_fit_is_refused(stack: Stack) -> None:
    status, body = send("create_batch_without_anchors", request(1_500))
    assert (status, body["errors"][0]["field"]) == (400, "judge")


@pytest.mark.parametrize(
    ("grade_scale", "field"),
    [(["A", "B" * 250_000], "grade_scale"), ("S" * 250_000, "grade_scale")],
)
def test_a_long_label_is_refused(stack: Stack, grade_scale: Any, field: str) -> None:
    body = {"assignment_id": "a", "instructions": "Judge.", "grade_scale": grade_scale}
    status, answered = send("register_anchors", body)
    assert (status, answered["errors"][0]["field"]) == (400, field)
    assert len(json.dumps(answered)) < 10_000
