"""Assignments over the API: instructions, student prompts, anchors, and what a batch takes."""

from __future__ import annotations

import json
from typing import Any

from assessment.usecases.prepare_batch import prepare_batch
from tests.handlers.api_calls import call
from tests.handlers.conftest import Stack, adapters, event, invoke

ASSIGNMENT = "plastic-bottles"


def test_an_assignment_is_put_read_listed_and_deleted(stack: Stack) -> None:
    put = call("put_instructions")
    assert put[0] == 200
    assert call("put_instructions") == put
    status, read, _ = call("get_instructions")
    assert (status, read) == (200, put[1])
    assert (read["judge_rubric"], read["n_anchors"]) == ("Prefer the better argued text.", 0)
    (listed,) = call("list_instructions")[1]["assignments"]
    assert (listed["assignment_id"], listed["has_judge_rubric"]) == (ASSIGNMENT, True)
    assert listed["has_student_prompt"] is False
    assert call("delete_instructions")[:2] == (200, {"deleted": ASSIGNMENT})
    assert call("get_instructions")[0] == call("delete_instructions")[0] == 404
    assert call("list_instructions")[1] == {"assignments": [], "cursor": None}


def test_a_student_prompt_is_refused_until_its_assignment_exists(stack: Stack) -> None:
    assert call("post_student_prompt")[0] == call("get_student_prompt")[0] == 404
    call("put_instructions")
    assert call("post_student_prompt")[0] == 201
    # Put again, the instructions leave the prompt as it is.
    assert call("put_instructions")[1]["student_prompt"].startswith("Should plastic")
    status, body, _ = call("get_student_prompt")
    assert (status, body["student_prompt"]) == (200, "Should plastic water bottles cost more?")


def test_anchors_are_listed_and_removed(stack: Stack) -> None:
    stack.registered()
    listed = call("list_anchors")[1]["anchors"]
    assert [(one["anchor_ref"], one["grade"]) for one in listed] == [
        ("high", "A"), ("low", "E"), ("middle", "C"),
    ]  # fmt: skip
    assert call("remove_anchor")[:2] == (200, {"deleted": "middle"})
    assert call("remove_anchor")[0] == 404
    assert [one["anchor_ref"] for one in call("list_anchors")[1]["anchors"]] == ["high", "low"]


def test_every_wrong_anchor_of_a_registration_is_named_and_none_is_stored(stack: Stack) -> None:
    given = event("handle_api/register_anchors.json")
    body = json.loads(given["body"])
    body["anchors"][0]["grade"], body["anchors"][2]["grade"] = "Z", "Y"
    answered = invoke("handle_api", given | {"body": json.dumps(body)})
    fields = [error["field"] for error in json.loads(answered["body"])["errors"]]
    assert fields == ["anchors[0].grade", "anchors[2].grade"]
    assert call("list_anchors")[0] == 404


def request_spec(texts: dict[str, str]) -> dict[str, Any]:
    """The spec of a batch whose request brings these texts."""
    given = event("handle_api/create_batch_own_rubric.json")
    body = json.loads(given["body"])
    del body["judge_rubric"]
    answered = invoke("handle_api", given | {"body": json.dumps(body | texts)})
    batch_id = json.loads(answered["body"])["batch_id"]
    ports = adapters().prepare_ports
    batch = prepare_batch(
        batch_id, ports=ports, now=adapters().batches.get_batch(batch_id).created_at
    )
    spec = json.loads(adapters().content.get_frozen_document(f"batches/{batch_id}/spec.json"))
    return {"own": batch.own_texts, **spec["instructions"]}


def test_a_batch_takes_the_texts_of_its_assignment_or_its_own(stack: Stack) -> None:
    stack.registered()
    without = request_spec({})
    assert without["own"] == ()
    assert without["judge_rubric"] == "Prefer the better argued text."
    own = request_spec({"judge_rubric": "Another rubric."})
    assert own["own"] == ("judge_rubric",)
    assert own["judge_rubric"] == "Another rubric."
    assert own["student_prompt"] == without["student_prompt"] != ""


def test_the_same_key_with_another_rubric_is_a_conflict(stack: Stack) -> None:
    stack.registered()
    given = event("handle_api/create_batch_own_rubric.json")
    given["headers"] |= {"Idempotency-Key": "one key"}
    assert invoke("handle_api", given)["statusCode"] == 202
    body = json.loads(given["body"]) | {"judge_rubric": "Another rubric."}
    refused = invoke("handle_api", given | {"body": json.dumps(body)})
    assert (refused["statusCode"], json.loads(refused["body"])["type"].rpartition(":")[2]) == (
        409, "idempotency-conflict",
    )  # fmt: skip
