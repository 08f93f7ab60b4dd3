"""The audit trail has every change, with who, what and the hashes."""

from __future__ import annotations

import json

import pytest

from tests.handlers.api_calls import call
from tests.handlers.conftest import Stack


def test_a_change_has_two_entries_with_who_what_and_the_hashes(stack: Stack) -> None:
    stack.submitted()
    call("cancel_batch")
    begun, ended = call("get_batch_audit")[1]["entries"]
    assert begun["change_id"] == ended["change_id"]
    assert [begun["phase"], ended["phase"]] == ["begun", "ended"]
    assert (ended["subject"], ended["roles"]) == ("teacher", ["assessor"])
    assert (ended["action"], ended["status"]) == ("change_batch", 200)
    assert begun["before_sha256"] == ended["before_sha256"] != ended["after_sha256"]


def test_the_trail_has_every_change_and_no_text(stack: Stack) -> None:
    call("register_anchors")
    batch_id = call("create_batch")[1]["batch_id"]
    call("create_batch_one_essay")
    entries = call("get_audit")[1]["entries"]
    told = [(e["phase"], e["action"], e["status"], e["batch_id"]) for e in entries[::-1]]
    assert told == [
        ("begun", "register_assignment", None, None),
        ("ended", "register_assignment", 201, None),
        ("begun", "request_batch", None, None),
        ("ended", "request_batch", 202, batch_id),
        ("begun", "request_batch", None, None),
        ("ended", "request_batch", 400, None),
    ]
    assert entries[-2]["before_sha256"] is None
    assert entries[-2]["after_sha256"]
    assert "water" not in json.dumps(entries)


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("policy", ["release", "retention"])
def test_a_change_of_a_policy_has_the_hashes_before_and_after(policy: str) -> None:
    for _ in range(2):
        assert call(f"change_{policy}_policy")[0] == 200
    entries = call("get_audit")[1]["entries"]
    again, first = (entry for entry in entries if entry["phase"] == "ended")
    assert first["before_sha256"]
    assert first["after_sha256"]
    assert first["before_sha256"] != first["after_sha256"]
    # The same policy is set again.
    assert again["before_sha256"] == again["after_sha256"] == first["after_sha256"]


def test_storing_a_text_has_its_hash_after_it(stack: Stack) -> None:
    stored = call("store_content")[1]
    ended, begun = call("get_audit")[1]["entries"]
    assert (begun["before_sha256"], begun["after_sha256"]) == (None, None)
    assert (ended["before_sha256"], ended["after_sha256"]) == (None, stored["content_id"])


def test_a_change_that_is_broken_off_has_begun(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.submitted()

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr("assessment.api.batches.cancel_batch", dies)
    with pytest.raises(SystemExit):
        call("cancel_batch")
    assert [entry["phase"] for entry in call("get_batch_audit")[1]["entries"]] == ["begun"]
