"""Masked batches through the real handlers: no name or number of the roster is in any store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assessment.contracts.erasure import EraseRequestV1
from assessment.contracts.manifest import ManifestLine
from assessment.domain.document_keys import MANIFESTS
from assessment.usecases.erase_data import go_on_erasing
from assessment.usecases.request_erasure import request_batch_erasure
from tests.fakes.event_loop import run_async
from tests.handlers.api_calls import call
from tests.handlers.conftest import Stack, adapters, event, invoke
from tests.handlers.test_content import BO, MANIFEST_ID, prepare, read_texts, sha256, upload
from tests.handlers.test_erasure import everything

ROSTER = ["Alma Quist", "Torvald Quist"]
ANN = "Alma wrote to torvald.quist@skola.se that Quist is a name, and 070-174 06 05 a number."
MASKED = "[name 1] wrote to [e-mail 1] that [name 2] is a name, and [phone 1] a number."
SECRETS = ("Alma", "Quist", "quist", "174 06 05")


def request(name: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Send the request of an event with other fields, and with masking."""
    changed = event(f"handle_api/{name}.json")
    body = json.loads(changed["body"]) | {"masking": {"names": ROSTER}} | changes
    changed["body"] = json.dumps(body)
    answered = invoke("handle_api", changed)
    return answered["statusCode"], json.loads(answered["body"])


def find_secrets(stack: Stack) -> list[str]:
    """Where names and numbers are stored, apart from what was uploaded."""
    return [
        place
        for place, stored in everything(stack).items()
        if not place.startswith("content/") and any(secret in stored for secret in SECRETS)
    ]


def essays(text: str = ANN) -> list[dict[str, str]]:
    return [{"essay_id": "ann", "text": text}, {"essay_id": "bo", "text": BO}]


def test_texts_in_the_request_are_stored_masked_and_the_roster_is_not(stack: Stack) -> None:
    status, accepted = request("create_batch", essays=essays(), assignment_id=None)
    assert status == 202, accepted
    assert request("create_batch", essays=essays(), assignment_id=None)[1] == accepted
    prepare(accepted["batch_id"])
    assert read_texts(accepted["batch_id"]) == {"ann": MASKED, "bo": BO}
    assert find_secrets(stack) == []
    batch = adapters().batches.get_batch(accepted["batch_id"])
    assert batch.masking is not None
    assert batch.masking.n_names == len(ROSTER)


def test_the_sample_event_is_accepted(stack: Stack) -> None:
    stack.registered()
    assert call("create_batch_masked")[0] == 202


def test_the_same_key_without_masking_is_another_request(stack: Stack) -> None:
    request("create_batch", essays=essays(), assignment_id=None)
    status, refused = request("create_batch", essays=essays(), assignment_id=None, masking=None)
    assert (status, refused["type"].rpartition(":")[2]) == (409, "idempotency-conflict")


def test_uploaded_texts_are_masked_before_the_batch_has_them(stack: Stack) -> None:
    named = {"ann": ANN, "bo": BO}
    contents = [{"essay_id": name, "content_id": sha256(text)} for name, text in named.items()]
    for text in (ANN, BO):
        upload(stack, f"content/texts/{sha256(text)}.txt", text.encode())
    assert request("create_batch_contents", contents=contents)[0] == 404
    announced = event("handle_api/announce_texts.json")
    texts = [{"content_id": sha256(text), "n_bytes": len(text)} for text in (ANN, BO)]
    announced["body"] = json.dumps({"texts": texts})
    assert invoke("handle_api", announced)["statusCode"] == 201
    status, accepted = request("create_batch_contents", contents=contents)
    assert status == 202, accepted
    prepare(accepted["batch_id"])
    assert read_texts(accepted["batch_id"]) == {"ann": MASKED, "bo": BO}
    assert find_secrets(stack) == []


def test_a_manifest_leaves_no_copy_of_what_is_masked(stack: Stack) -> None:
    lines = [ManifestLine.model_validate(essay) for essay in essays()]
    body = "\n".join(line.model_dump_json(exclude_none=True) for line in lines)
    upload(stack, f"{MANIFESTS}/{MANIFEST_ID}.jsonl", body.encode())
    status, accepted = request("create_batch_manifest")
    assert status == 202, accepted
    prepare(accepted["batch_id"])
    assert read_texts(accepted["batch_id"]) == {"ann": MASKED, "bo": BO}
    assert find_secrets(stack) == []
    own = adapters()
    request_batch_erasure(
        accepted["batch_id"],
        erasure_id="erasure",
        ports=own.erasure_request_ports,
        now=datetime.now(UTC),
    )
    message = EraseRequestV1(batch_id=accepted["batch_id"], erasure_id="erasure")
    ports = own.erasure_ports(own.dead_letters([stack.queues["dead"]]))
    run_async(go_on_erasing(message, ports=ports, now=datetime.now(UTC)))
    assert not any(secret in each for each in everything(stack).values() for secret in SECRETS)


@pytest.mark.parametrize(
    ("masking", "field"),
    [({"names": ["?"]}, "masking.names[0]"), ({"kinds": ["name"]}, "masking.names")],
)
def test_a_roster_that_cannot_be_used_is_named_by_its_field(
    stack: Stack, masking: dict[str, Any], field: str
) -> None:
    status, refused = request("create_batch", masking=masking)
    assert status == 400
    assert field in json.dumps(refused)


def test_anchors_are_stored_masked_and_the_batch_counts_what_was_masked(stack: Stack) -> None:
    given = event("handle_api/register_anchors.json")
    body = json.loads(given["body"]) | {"masking": {"names": ROSTER}}
    body["anchors"][0]["text"] = ANN
    given["body"] = json.dumps(body)
    assert invoke("handle_api", given)["statusCode"] == 201
    assert find_secrets(stack) == []
    status, accepted = request("create_batch", essays=essays(BO + " It is so."))
    assert status == 202, accepted
    batch_id = prepare(accepted["batch_id"]).batch_id
    assert MASKED in read_texts(batch_id).values()
    spec = json.loads(adapters().content.get_frozen_document(f"batches/{batch_id}/spec.json"))
    counts = {each["anchor_ref"]: each["n_masked"] for each in spec["essays"]}
    assert counts[body["anchors"][0]["anchor_ref"]] == {"name": 2, "email": 1, "phone": 1}
    assert [count for count in counts.values() if count] == [{"name": 2, "email": 1, "phone": 1}]
