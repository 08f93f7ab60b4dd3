"""What callers send by mistake or on purpose: a problem document each, and nothing half done."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.handlers.conftest import Stack, adapters, event, invoke
from tests.handlers.test_content import MANIFEST_ID, sha256, upload

DEEP = 200_000
FOREIGN = "a text of another organisation"


def essays(*changes: dict[str, Any]) -> dict[str, Any]:
    """A body with essays, the first of them with these changes."""
    plain = [{"essay_id": f"pupil-{k}", "text": f"Text number {k}, long enough."} for k in range(3)]
    return {
        "essays": [
            {**essay, **change}
            for essay, change in zip(plain, [*changes, {}, {}, {}], strict=False)
        ]
    }


def request(body: str) -> tuple[int, dict[str, Any]]:
    given = event("handle_api/create_batch.json")
    given["body"] = body
    answered = invoke("handle_api", given)
    assert answered["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]
    return answered["statusCode"], json.loads(answered["body"])


def list_places(stack: Stack) -> set[str]:
    """Where anything is kept of a batch."""
    items = stack.client("dynamodb").scan(TableName="cj-table")["Items"]
    partitions = {item["PK"]["S"] for item in items}
    listed = stack.client("s3").list_objects_v2(Bucket="cj-bucket").get("Contents", [])
    kept = {name for name in partitions if "#AUDIT" not in name} | {each["Key"] for each in listed}
    return {place for place in kept if "south" not in place and "content/" not in place}


BODIES: dict[str, tuple[str, str]] = {
    "six megabytes": (json.dumps(essays({"text": "x" * 6_000_000})), "essays[0].text"),
    "deep JSON": ("[" * DEEP, "body"),
    "a deep setting": ('{"config": ' + '{"a":' * 900 + "1" + "}" * 901, "essays"),
    "NUL in a text": (json.dumps(essays({"text": "a\x00b"})), "essays[0].text"),
    "NUL in an id": (json.dumps(essays({"essay_id": "a\x00b"})), "essays[0].essay_id"),
    "a lone surrogate in a text": (json.dumps(essays({"text": "a \ud800 b"})), "essays[0].text"),
    "a lone surrogate in an id": (json.dumps(essays({"essay_id": "\ud800"})), "essays[0].essay_id"),
    "ids of one shape": (
        json.dumps(essays({"essay_id": "anna"}, {"essay_id": "\u0430nna"})),
        "body",
    ),
    "an id like a path": (json.dumps(essays({"essay_id": "../../x"})), "essays[0].essay_id"),
    "an id like a Windows path": (json.dumps(essays({"essay_id": "a\\b"})), "essays[0].essay_id"),
    "an id with a direction": (json.dumps(essays({"essay_id": "a\u202eb"})), "essays[0].essay_id"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_bad_request_names_its_field_and_leaves_nothing(stack: Stack, case: str) -> None:
    body, field = BODIES[case]
    status, problem = request(body)
    assert (status, problem["status"]) == (400, 400)
    assert problem["type"].endswith(":invalid-request")
    assert field in [each["field"] for each in problem["errors"]]
    assert list_places(stack) == set()
    assert stack.executions("RUNNING") == []


def test_a_broken_line_of_a_manifest_is_named_by_its_number(stack: Stack) -> None:
    lines = ['{"essay_id": "a", "text": "Bottles are bad."}', '{"essay_id": "b", "text":', "{}"]
    upload(stack, f"content/manifests/{MANIFEST_ID}.jsonl", "\n".join(lines).encode())
    status, problem = request(json.dumps({"manifest_id": MANIFEST_ID}))
    fields = [each["field"] for each in problem["errors"]]
    assert status == 400
    assert fields[:2] == ["manifest line 2", "manifest line 3.essay_id"]
    assert list_places(stack) == set()
    assert stack.executions("RUNNING") == []


def test_a_text_of_another_organisation_is_none(stack: Stack) -> None:
    upload(stack, f"content/texts/{sha256(FOREIGN)}.txt", FOREIGN.encode(), organisation="south")
    given = event("handle_api/store_content.json")
    given["requestContext"]["authorizer"]["organisation"] = "south"
    given["body"] = json.dumps({"text": FOREIGN})
    assert invoke("handle_api", given)["statusCode"] == 201
    named = [{"essay_id": name, "content_id": sha256(FOREIGN)} for name in ("a", "b")]
    status, problem = request(json.dumps({"contents": named}))
    assert (status, problem["type"].rpartition(":")[2]) == (404, "unknown-content")
    assert stack.executions("RUNNING") == []


def test_a_path_with_such_an_id_finds_no_essay(stack: Stack) -> None:
    stack.completed()
    for essay_id in ("../anna", "anna\x00", "\u0430nna", "anna/../ben", "%2e%2e"):
        given = event("handle_api/decide_grade.json")
        given["path"] = given["path"].replace("anna", quote(essay_id, safe=""))
        assert invoke("handle_api", given)["statusCode"] == 404, essay_id
    decided = adapters().decision_ports.decisions.list_of_batch(stack.batch().batch_id)
    assert decided == []
