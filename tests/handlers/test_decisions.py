"""People's decisions over the API: routes, events, what may be seen, and what each call reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from assessment.contracts.decisions import DecisionRequest
from assessment.domain.document_keys import result_key
from assessment.domain.identifiers import content_sha256
from assessment.usecases.decide_grade import decide_grade
from tests.handlers.conftest import BATCH_ID, STUDENTS, Stack, adapters, event, invoke


def call(name: str, *, subject: str = "teacher", **changes: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to an event; `body` and `essay_id` may be others."""
    given = event(f"handle_api/{name}.json")
    given["requestContext"]["authorizer"]["principalId"] = subject
    if "body" in changes:
        given["body"] = json.dumps(changes["body"])
    if "essay_id" in changes:
        given["path"] = given["path"].replace("/anna/", f"/{changes['essay_id']}/")
    response = invoke("handle_api", given)
    return response["statusCode"], json.loads(response["body"])


def test_a_decision_is_kept_under_the_name_of_its_assessor(stack: Stack) -> None:
    stack.completed()
    status, body = call("decide_grade")
    assert (status, body["state"], body["grade"]) == (200, "decided", "C")
    [decision] = body["decisions"]
    assert (decision["assessor"], decision["number"]) == ("teacher", 1)
    assert decision["result_sha256"] == body["result_sha256"] == stack.batch().result_sha256
    assert call("get_decision") == (status, body)


def test_deciding_again_replaces_ones_own_decision_and_keeps_it(stack: Stack) -> None:
    stack.completed()
    call("decide_grade")
    assert call("decide_grade")[1]["decisions"][-1]["number"] == 1  # the same again adds nothing
    _, body = call("decide_grade", body={"grade": "B", "reason": "Read again"})
    assert [decision["grade"] for decision in body["decisions"]] == ["C", "B"]
    assert body["grade"] == "B"


def test_an_essay_of_any_name_is_found_in_the_path(stack: Stack) -> None:
    stack.completed()
    # A gateway may hand the path on as it came or decoded.
    for essay_id in ("Åsa Öberg", "o'neil, pat (2)", "x’y", "\u0627\u062d", "\u0939\u093f"):
        for part in (essay_id, quote(essay_id)):
            status, body = call("decide_grade", essay_id=part)
            assert (status, body["type"].rpartition(":")[2]) == (404, "unknown-essay"), part
            assert repr(essay_id) in body["detail"]


def test_a_release_names_what_it_waits_for(stack: Stack) -> None:
    stack.completed()
    call("decide_grade")
    status, body = call("release_batch_open")
    assert (status, body["type"]) == (409, "urn:cj-assessment:problem:open-decisions")
    assert [e["field"] for e in body["errors"]] == [f"essays[{name}]" for name in STUDENTS[1:]]
    assert "3 of 4" in body["detail"]
    assert stack.batch().release is None
    assert call("get_decisions")[1]["n_waiting"] == 3


def test_a_release_publishes_its_event_and_keeps_the_result(stack: Stack) -> None:
    stack.decided()
    before = adapters().content.get_document(result_key(BATCH_ID))
    status, body = call("release_batch")
    assert (status, body["released_by"], body["is_published"]) == (200, "teacher", True)
    assert adapters().content.get_document(result_key(BATCH_ID)) == before
    detail = stack.published()["AssessmentReleased.v1"]
    assert detail["data"]["grades"] == dict.fromkeys(STUDENTS, "C")
    assert detail["data"]["decisions_sha256"] == body["decisions_sha256"]
    response = invoke("handle_api", event("handle_api/get_release.json"))
    assert content_sha256(response["body"]) == body["decisions_sha256"]
    document = json.loads(response["body"])
    assert document["result_sha256"] == stack.batch().result_sha256
    assert [essay["essay_id"] for essay in document["essays"]] == list(STUDENTS)


def test_what_needs_a_person_is_listed(stack: Stack) -> None:
    stack.completed()
    status, body = call("get_attention")
    # Nothing is proven in this class, so no grade is proposed for any of the four.
    assert (status, body["n_essays"], len(body["essays"])) == (200, 4, 2)
    assert {essay["causes"][0]["reason"] for essay in body["essays"]} == {"abstained"}
    assert {essay["state"] for essay in body["essays"]} == {"open"}


def test_an_administrator_forbids_releases_without_decisions(stack: Stack) -> None:
    assert call("get_release_policy")[1] == {"decisions_required": False}
    assert call("change_release_policy")[1] == {"decisions_required": True}
    assert call("get_release_policy")[1] == {"decisions_required": True}


def test_nothing_proposed_is_not_released_without_a_decision(stack: Stack) -> None:
    stack.completed()
    status, body = call("release_batch", body={"without_decisions": True})
    assert (status, body["type"].rpartition(":")[2]) == (409, "open-decisions")


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The calls to services that are made meanwhile, by name."""
    seen: Counter[str] = Counter()
    found: Any = adapters()
    clients = [found.table._client, found.content._client]

    def note(event_name: str, **_: Any) -> None:
        seen[event_name.rpartition(".")[2]] += 1

    for client in clients:
        client.meta.events.register("before-call", note)
    try:
        yield seen
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", note)


def test_a_decision_reads_the_same_however_much_was_decided(stack: Stack) -> None:
    stack.completed()
    call("decide_grade", body={"grade": "A"})
    with counted() as first:
        call("decide_grade", body={"grade": "B"})
    for number in range(40):
        decide_grade(
            BATCH_ID,
            STUDENTS[number % 4],
            DecisionRequest(grade="A" if number % 8 < 4 else "C"),
            assessor=f"assessor-{number}",
            ports=adapters().decision_ports,
            now=datetime.now(UTC),
        )
    with counted() as later:
        assert call("decide_grade", body={"grade": "E"})[0] == 200
    assert first == later
    # The batch twice (the log line's and the rule's), twice for the trail's hashes; the result and
    # the specification, unless they are cached; the essay's decisions.
    assert first["Query"] == 1
    assert first["GetItem"] <= 5
    assert first["GetObject"] <= 2


@pytest.mark.parametrize("body", [{"grade": 3}, {"grade": "C", "reason": "x" * 2001}, {"x": 1}])
def test_a_body_that_is_no_decision_names_its_field(stack: Stack, body: dict[str, Any]) -> None:
    stack.completed()
    status, answered = call("decide_grade", body=body)
    assert status == 400
    assert answered["errors"]
    assert stack.batch().n_decisions == 0
