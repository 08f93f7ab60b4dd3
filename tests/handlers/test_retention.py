"""Batches that expire are erased by themselves, through the real handlers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assessment.contracts.erasure import EraseRequestV1
from assessment.domain.erasure import CHECK_AFTER
from assessment.domain.errors import ErasedBatchError, TransientError
from assessment.ports.erasure import ErasureRequestPorts
from assessment.usecases import expire_batches as module
from assessment.usecases.erase_data import go_on_erasing
from assessment.usecases.expire_batches import ExpiryReport, expire_batches
from tests.fakes.event_loop import run_async
from tests.handlers.conftest import Stack, adapters, event, invoke

ESSAYS = [{"essay_id": name, "text": f"The text of {name} is about tides."} for name in "ab"]


def request(days: int | None, organisation: str = "default") -> tuple[int, dict[str, Any]]:
    given = event("handle_api/create_batch.json")
    body = {"essays": ESSAYS} | ({"retention_days": days} if days is not None else {})
    given["body"] = json.dumps(body)
    given["headers"]["Idempotency-Key"] = f"days-{days}"
    given["multiValueHeaders"]["Idempotency-Key"] = [f"days-{days}"]
    given["requestContext"]["authorizer"]["organisation"] = organisation
    answered = invoke("handle_api", given)
    return answered["statusCode"], json.loads(answered["body"])


def open_own(batch_id: str) -> ErasureRequestPorts:
    return adapters().select_batch(batch_id).erasure_request_ports


def expire(
    days: float, open_ports: Callable[[str], ErasureRequestPorts] = open_own
) -> ExpiryReport:
    """The watchdog's round so many days from now."""
    return expire_batches(
        listing=adapters().erasures,
        ports_of=open_ports,
        make_id=lambda: f"erasure-{days}",
        now=datetime.now(UTC) + timedelta(days=days),
    )


def list_batches(stack: Stack) -> list[str]:
    items = stack.client("dynamodb").query(
        TableName="cj-table",
        KeyConditionExpression="PK = :pk",
        ExpressionAttributeValues={":pk": {"S": "RETENTION"}},
    )["Items"]
    return [item["SK"]["S"].partition("#")[2] for item in items]


def test_a_batch_is_erased_when_its_days_are_over_and_not_before(stack: Stack) -> None:
    short, other = (
        request(30)[1]["batch_id"],
        request(31, organisation="north")[1]["batch_id"],
    )
    kept = request(None)[1]["batch_id"]
    assert set(list_batches(stack)) == {short, other, kept}
    assert expire(29.9) == ExpiryReport()
    assert expire(30.1).expired == [short]
    assert expire(30.2) == ExpiryReport()
    with pytest.raises(ErasedBatchError):
        adapters().batches.get_batch(short)
    assert expire(399.9).expired == [other]
    assert list_batches(stack) == [kept]
    sent = [EraseRequestV1.model_validate(message) for message in stack.messages("erasures")]
    assert {message.batch_id for message in sent} == {short, other}
    message = next(each for each in sent if each.batch_id == short)
    own = adapters()
    ports = own.erasure_ports(own.dead_letters([stack.queues["dead"]]))
    for moment in (datetime.now(UTC), datetime.now(UTC) + CHECK_AFTER):
        erasure = run_async(go_on_erasing(message, ports=ports, now=moment))
    assert erasure is not None
    assert erasure.is_closed


def test_a_round_is_bounded_and_the_next_one_goes_on(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = request(1)[1]["batch_id"], request(2)[1]["batch_id"]
    monkeypatch.setattr(module, "MOST_AT_ONCE", 1)
    assert expire(5).expired == [first]
    assert expire(5.1).expired == [second]
    assert list_batches(stack) == []


def test_a_batch_that_was_deleted_is_no_longer_listed(stack: Stack) -> None:
    batch_id = request(1)[1]["batch_id"]
    adapters().erasures.mark_batch(batch_id, now=datetime.now(UTC))
    assert list_batches(stack) == []


def test_a_batch_that_cannot_be_erased_keeps_nobody_and_stays_listed(stack: Stack) -> None:
    first, second = request(1)[1]["batch_id"], request(2)[1]["batch_id"]

    def open_ports(batch_id: str) -> ErasureRequestPorts:
        if batch_id == first:
            raise TransientError("the table is busy")
        return adapters().erasure_request_ports

    report = expire(5, open_ports)
    assert report == ExpiryReport(expired=[second], errors={first: "TransientError"})
    assert list_batches(stack) == [first]


@pytest.mark.parametrize(("days", "status"), [(401, 403), (0, 400), (4000, 400), (400, 202)])
def test_the_stacks_days_are_the_most(stack: Stack, days: int, status: int) -> None:
    code, answered = request(days)
    assert code == status
    assert status == 202 or "retention_days" in json.dumps(answered)


def test_the_watchdog_asks_for_what_has_expired(stack: Stack) -> None:
    batch_id = request(30)[1]["batch_id"]
    own = adapters()
    (expired,) = own.erasures.list_expired(now=datetime.now(UTC) + timedelta(days=31), limit=5)
    assert expired.batch_id == batch_id
    past = {"PK": "RETENTION", "SK": f"2020-01-01T00:00:00.000000Z#{batch_id}"}
    own.table.put(past)
    invoke("watch_batches", event("watch_batches/schedule.json"))
    assert [message["batch_id"] for message in stack.messages("erasures")] == [batch_id]


def test_an_organisation_keeps_its_batches_for_its_own_days(stack: Stack) -> None:
    for name, days in (("get", None), ("change", 30), ("get", 30)):
        answered = invoke("handle_api", event(f"handle_api/{name}_retention_policy.json"))
        assert json.loads(answered["body"]) == {"retention_days": days}
    own, other = request(None)[1]["batch_id"], request(None, "north")[1]["batch_id"]
    assert set(list_batches(stack)) == {own, other}
    assert expire(30.1).expired == [own]
    # Whoever is no administrator asks for fewer days, and not for more.
    assert request(29)[0] == 202
    status, problem = request(31)
    assert (status, problem["errors"][0]["field"]) == (403, "retention_days")


def test_an_event_from_the_bus_has_the_days_of_its_organisation(stack: Stack) -> None:
    invoke("handle_api", event("handle_api/change_retention_policy.json"))
    stack.registered()
    accepted = invoke("accept_request", event("accept_request/requested.json"))
    assert expire(30.1).expired == [accepted["batch_id"]]
