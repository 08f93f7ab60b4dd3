"""Invitations over the API, and what asking for a comparison and for progress costs."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.client
import pytest

from assessment.domain.comparison import Comparison
from assessment.domain.wave import Wave
from tests.handlers.api_calls import call
from tests.handlers.conftest import BATCH_ID, Stack, adapters, event, invoke

READS = {"GetItem", "Query", "BatchGetItem", "Scan"}


def authorise(token: str) -> dict[str, Any]:
    """What the gateway's authorizer answers to a token."""
    given = event("authorize_request/bearer.json") | {"authorizationToken": f"Bearer {token}"}
    answered: dict[str, Any] = invoke("authorize_request", given)
    return answered


def ask_as(token: str, name: str = "next_comparison") -> tuple[int, dict[str, Any]]:
    """The answer to an event that comes with this token, past the authorizer."""
    allowed = authorise(token)
    given = event(f"handle_api/{name}.json")
    given["requestContext"]["authorizer"] = {
        "principalId": allowed["principalId"], **allowed["context"],
    }  # fmt: skip
    answered = invoke("handle_api", given)
    return answered["statusCode"], json.loads(answered["body"])


def test_an_invitation_opens_its_batch_until_it_is_taken_back(stack: Stack) -> None:
    stack.submitted(judge={"provider": "person"})
    status, made, _ = call("invite_judges")
    assert status == 201
    ann, bo = made["invitations"]
    assert (ann["name"], bo["name"], ann["quota"]) == ("Ann Åberg", "Bo", 3)
    assert ann["link"].endswith(f"/app/#invitation={ann['token']}")
    offers = [ask_as(one["token"]) for one in (ann, bo)]
    assert [status for status, _ in offers] == [200, 200]
    ids = {body["comparison"]["comparison_id"] for _, body in offers}
    assert len(ids) == 2
    assert call("list_invitations")[1]["invitations"][0]["state"] == "open"
    given = event("handle_api/revoke_invitation.json")
    given["path"] = given["path"].replace("0123456789abcdef", ann["invitation_id"])
    assert invoke("handle_api", given)["statusCode"] == 200
    assert authorise(ann["token"])["context"], "the authorizer may have it in its cache"
    status, refused = ask_as(ann["token"])
    assert (status, refused["type"].rpartition(":")[2]) == (403, "invitation-ended")
    assert ask_as(bo["token"])[0] == 200


def test_the_time_that_people_have_moves_with_an_answer_that_says_what_it_needs(
    stack: Stack,
) -> None:
    stack.inviting()
    until = datetime.now(UTC) + timedelta(days=30)
    given = event("handle_api/move_judging_deadline_too_late.json")
    given["body"] = json.dumps({"judging_deadline": until.isoformat()})
    answered = invoke("handle_api", given)
    assert answered["statusCode"] == 200
    body = json.loads(answered["body"])
    assert datetime.fromisoformat(body["judging_deadline"]) == until
    assert body["n_invitations_ending_before"] == 1
    assert stack.batch().config.judging_deadline == until
    wave = adapters().batches.get_wave(BATCH_ID, 1)
    assert wave is not None
    assert wave.deadline == until


def test_an_invitation_is_made_once_with_one_key(stack: Stack) -> None:
    stack.submitted(judge={"provider": "person"})
    first = call("invite_judges")
    assert call("invite_judges") == first
    assert len(call("list_invitations")[1]["invitations"]) == 2


def test_an_invitation_opens_nothing_else(stack: Stack) -> None:
    stack.submitted(judge={"provider": "person"})
    token = call("invite_judges")[1]["invitations"][0]["token"]
    for name in ("get_batch", "get_results", "list_batches", "list_invitations", "cancel_batch"):
        assert ask_as(token, name)[0] == 403, name


def test_progress_and_quota_are_by_invitation(stack: Stack) -> None:
    stack.inviting()
    comparison = call("next_comparison")[1]["comparison"]
    given = event("handle_api/judge_verdict.json")
    body = {"comparison_id": comparison["comparison_id"], "winner": "B"}
    answered = invoke("handle_api", given | {"body": json.dumps(body)})
    assert answered["statusCode"] == 202
    (listed,) = call("list_invitations")[1]["invitations"]
    assert (listed["n_judged"], listed["judge"]) == (1, "person/invited:0123456789abcdef")
    (message,) = [m for m in stack.messages("callbacks") if "winner" in m]
    assert message["request_metadata"]["judge"] == "person/invited:0123456789abcdef"
    assert "Ann" not in json.dumps(message)


def test_the_answer_to_a_verdict_has_the_next_comparison(stack: Stack) -> None:
    stack.inviting()
    first = call("next_comparison")[1]["comparison"]["comparison_id"]
    given = event("handle_api/judge_verdict.json")

    def send(**query: str) -> dict[str, Any]:
        body = json.dumps({"comparison_id": first, "winner": "B"})
        answered = invoke(
            "handle_api", given | {"body": body, "queryStringParameters": query or None}
        )
        assert answered["statusCode"] == 202
        accepted: dict[str, Any] = json.loads(answered["body"])
        return accepted

    accepted = send(offer="true")
    offer = accepted["offer"]
    assert offer["comparison"]["comparison_id"] != first
    assert offer["n_judged"] == 1
    # A page that lost the answer sends the verdict again, and gets the same.
    again = send(offer="true")
    assert again["correlation_id"] == accepted["correlation_id"]
    assert again["offer"]["comparison"].pop("lease_until") >= offer["comparison"].pop("lease_until")
    assert again["offer"] == offer
    assert send().keys() == {"status", "correlation_id"}
    # A page that has it before it already asks for one more.
    another = send(offer="true", kept=offer["comparison"]["comparison_id"])["offer"]["comparison"]
    assert another["comparison_id"] not in {first, offer["comparison"]["comparison_id"]}
    messages = [m for m in stack.messages("callbacks") if "winner" in m]
    assert {m["correlation_id"] for m in messages} == {accepted["correlation_id"]}


def test_an_expired_invitation_opens_nothing_and_is_told_so(stack: Stack) -> None:
    from assessment.contracts.tokens import sign_invitation
    from tests.handlers.conftest import INVITATION_SECRET, SECRET

    stack.inviting()
    (person,) = adapters().people.list_people(BATCH_ID)
    invitation = person.invitation
    assert invitation is not None
    past = datetime.now(UTC) - timedelta(days=2)
    expired = invitation.model_copy(
        update={"invitation_id": "f" * 16, "created_at": past, "expires_at": past}
    )
    adapters().people.put_invitation(expired)
    ended = sign_invitation(expired, organisation="default", secret=INVITATION_SECRET)
    forged = sign_invitation(invitation, organisation="default", secret=SECRET)
    valid = sign_invitation(invitation, organisation="default", secret=INVITATION_SECRET)
    effects = [
        authorise(token)["policyDocument"]["Statement"][0]["Effect"]
        for token in (ended, forged, valid)
    ]
    # The door lets it in to be told apart from a token that is none: no route opens to it.
    assert effects == ["Allow", "Deny", "Allow"]
    for name in ("next_comparison", "judge_verdict"):
        status, refused = ask_as(ended, name)
        assert (status, refused["type"].rpartition(":")[2]) == (403, "invitation-ended"), name
        assert "expired" in refused["detail"]
    for name in ("get_batch", "get_results", "list_batches", "list_invitations", "cancel_batch"):
        assert ask_as(ended, name)[0] == 403, name
    assert not [m for m in stack.messages("callbacks") if "winner" in m]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The calls of AWS operations, by name."""
    made: Counter[str] = Counter()
    client: Any = botocore.client.BaseClient
    real = client._make_api_call

    def counted(self: Any, operation: str, parameters: Any) -> Any:
        made[operation] += 1
        return real(self, operation, parameters)

    monkeypatch.setattr(client, "_make_api_call", counted)
    return made


def count_reads(calls: Counter[str], name: str) -> int:
    """How often the table is read for one event, after everything is in memory that stays there."""
    calls.clear()
    assert call(name)[0] == 200
    return sum(number for operation, number in calls.items() if operation in READS)


def test_progress_and_the_next_comparison_cost_three_reads_at_any_size(
    stack: Stack, calls: Counter[str]
) -> None:
    stack.inviting()
    names = ("get_batch", "next_comparison")
    # The first call of a process about a batch, and a later one.
    reads = [[count_reads(calls, name) for name in names] for _ in range(2)]
    store = adapters()
    for number in range(2, 30):
        store.batches.put_wave(BATCH_ID, Wave(wave=number, new_pairs=500))
    many = [
        Comparison(comparison_id=f"w001-{n:05d}", wave=1, submitted_wave=1, first="a", second="b")
        for n in range(100, 400)
    ]
    store.comparisons.put_comparisons(BATCH_ID, many)
    store.comparisons.offer(BATCH_ID, 1, many)
    reads += [[count_reads(calls, name) for name in names]]
    assert max(max(each) for each in reads) <= 3, reads


def test_a_jury_costs_no_read_for_each_judge(stack: Stack, calls: Counter[str]) -> None:
    models = [
        {"provider": "callback_endpoint", "model": f"m{n}", "name": f"judge {n}"} for n in range(4)
    ]
    stack.submitted(judge=[{"provider": "person"}, *models])
    assert count_reads(calls, "get_batch") <= 3
