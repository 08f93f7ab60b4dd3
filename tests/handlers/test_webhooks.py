"""Webhooks through the handlers: added, sent, refused, replayed, and another's that is none."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from assessment import bootstrap
from tests.fakes.webhooks import Receiver, receiving
from tests.handlers.conftest import Stack, adapters, event, invoke

SEEDED = "fedcba9876543210"
"""What the event files call the webhook."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def call(
    name: str, *, webhook_id: str = "", url: str = "", organisation: str = "default"
) -> tuple[int, dict[str, Any]]:
    """The answer to an event file about this webhook, or with this URL."""
    given = json.loads(json.dumps(event(f"handle_api/{name}.json")).replace(SEEDED, webhook_id))
    given["requestContext"]["authorizer"]["organisation"] = organisation
    if url:
        given["body"] = json.dumps({"url": url})
    answered = invoke("handle_api", given)
    return answered["statusCode"], json.loads(answered["body"])


def add_by_api(receiver: Receiver, organisation: str = "default") -> dict[str, Any]:
    status, made = call("add_webhook", url=receiver.url, organisation=organisation)
    assert status == 201, made
    return made


def publish(organisation: str = "default") -> None:
    """An event as the bus hands it over; deliveries are in the queue then."""
    given = event("send_webhooks/published.json")
    body = json.loads(given["Records"][0]["body"])
    body["detail"]["organisation"] = organisation
    given["Records"][0]["body"] = json.dumps(body)
    assert invoke("send_webhooks", given) == {"batchItemFailures": []}


def deliver(stack: Stack) -> list[str]:
    """Work on all messages that the queue shows; the ids of those that come back."""
    sqs, url = stack.client("sqs"), stack.queues["webhooks"]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    given = event("send_webhooks/delivery.json")
    (record,) = given["Records"]
    given["Records"] = [
        {
            **copy.deepcopy(record),
            "messageId": one["MessageId"],
            "receiptHandle": one["ReceiptHandle"],
            "body": one["Body"],
        }
        for one in received
    ]
    failures = invoke("send_webhooks", given)["batchItemFailures"]
    returned = [failure["itemIdentifier"] for failure in failures]
    for one in received:
        if one["MessageId"] not in returned:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return returned


def test_an_event_reaches_its_organisation_signed_and_under_one_id(
    stack: Stack, receiver: Receiver
) -> None:
    made = add_by_api(receiver)
    for _ in range(2):  # as queues may deliver twice
        publish()
        assert deliver(stack) == []
    assert len(receiver.received) == 2
    verified = [Webhook(made["secret"]).verify(body, head) for head, body in receiver.received]
    published = json.loads(event("send_webhooks/published.json")["Records"][0]["body"])["detail"]
    assert verified[0] == verified[1]
    assert (verified[0]["type"], verified[0]["data"]) == (
        published["event_type"], published["data"],
    )  # fmt: skip
    assert verified[0]["event_id"] == published["event_id"]
    assert len({head["webhook-id"] for head, _ in receiver.received}) == 1
    attempt = call("get_webhook", webhook_id=made["webhook_id"])[1]["last_attempt"]
    assert (attempt["outcome"], attempt["status"]) == ("delivered", 204)


def test_an_event_of_another_type_or_organisation_is_not_sent(
    stack: Stack, receiver: Receiver
) -> None:
    body = json.loads(event("handle_api/add_webhook.json")["body"])
    given = event("handle_api/add_webhook.json")
    given["body"] = json.dumps({**body, "url": receiver.url})
    assert invoke("handle_api", given)["statusCode"] == 201
    publish()
    add_by_api(receiver, organisation="south")
    publish("north")
    assert stack.messages("webhooks") == []


def test_one_receiver_that_fails_repeats_no_other(stack: Stack, receiver: Receiver) -> None:
    with receiving() as broken:
        broken.status, broken.headers = 503, {"Retry-After": "3600"}
        good, bad = add_by_api(receiver), add_by_api(broken)
        publish()
        (returned,) = deliver(stack)
        assert returned
        assert deliver(stack) == []
        assert len(receiver.received) == len(broken.received) == 1
    attempts = {
        one["webhook_id"]: (one["last_attempt"]["outcome"], one["last_attempt"]["status"])
        for one in call("list_webhooks")[1]["webhooks"]
    }
    assert attempts == {
        good["webhook_id"]: ("delivered", 204), bad["webhook_id"]: ("failed", 503),
    }  # fmt: skip


def test_a_receiver_that_is_gone_is_asked_no_more(stack: Stack, receiver: Receiver) -> None:
    made, receiver.status = add_by_api(receiver), 410
    for _ in range(2):
        publish()
        assert deliver(stack) == []
    assert len(receiver.received) == 1
    assert call("get_webhook", webhook_id=made["webhook_id"])[1]["disabled_at"] is not None
    status, body = call("replay_webhook", webhook_id=made["webhook_id"])
    assert (status, "disabled" in body["detail"]) == (409, True)


def test_dead_letters_of_one_webhook_are_sent_again(stack: Stack, receiver: Receiver) -> None:
    made = add_by_api(receiver)
    publish()
    (letter,) = stack.messages("webhooks")
    others = [{**letter, "webhook_id": SEEDED}, {**letter, "organisation": "south"}]
    for body in (*others, letter, {"no": "message"}):
        stack.client("sqs").send_message(
            QueueUrl=stack.queues["webhooks_dead"], MessageBody=json.dumps(body)
        )
    status, body = call("replay_webhook", webhook_id=made["webhook_id"])
    assert (status, body["n_replayed"], body["is_complete"]) == (202, 1, True)
    assert deliver(stack) == []
    assert len(receiver.received) == 1
    left = stack.messages("webhooks_dead")
    assert [one for one in left if one in others] == others
    assert len(left) == 3


def test_a_webhook_of_another_organisation_is_none(stack: Stack, receiver: Receiver) -> None:
    webhook_id = add_by_api(receiver)["webhook_id"]
    for name in ("get_webhook", "replay_webhook", "remove_webhook"):
        status, body = call(name, webhook_id=webhook_id, organisation="south")
        assert (status, body["type"].rpartition(":")[2]) == (404, "unknown-webhook"), name
    assert call("list_webhooks", organisation="south") == (200, {"webhooks": []})
    assert call("get_webhook", webhook_id=webhook_id)[0] == 200


def test_a_removed_webhook_leaves_no_secret_and_gets_nothing(
    stack: Stack, receiver: Receiver
) -> None:
    webhook_id = add_by_api(receiver)["webhook_id"]
    publish()
    assert call("remove_webhook", webhook_id=webhook_id) == (200, {"deleted": webhook_id})
    assert deliver(stack) == []
    assert receiver.received == []
    names = [one["Name"] for one in stack.client("secretsmanager").list_secrets()["SecretList"]]
    assert not [name for name in names if "webhook" in name]
    assert call("remove_webhook", webhook_id=webhook_id)[0] == 404


def test_messages_are_signed_with_two_secrets_after_a_rotation(
    stack: Stack, receiver: Receiver
) -> None:
    made = add_by_api(receiver)
    about = {"webhook_id": made["webhook_id"]}
    (first, second, third) = (made, *(call("rotate_webhook_secret", **about)[1] for _ in range(2)))
    assert len({each["secret"] for each in (first, second, third)}) == 3
    bootstrap.process.cache_clear()
    publish()
    assert deliver(stack) == []
    ((headers, body),) = receiver.received
    for each in (second, third):
        assert Webhook(each["secret"]).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first["secret"]).verify(body, headers)
    assert call("rotate_webhook_secret", organisation="south", **about)[0] == 404
    assert second["secret"] not in json.dumps(call("get_webhook", **about)[1])


def test_what_waits_is_not_sent_of_a_batch_that_was_erased_meanwhile(
    stack: Stack, receiver: Receiver
) -> None:
    add_by_api(receiver)
    stack.completed()
    publish()
    assert invoke("handle_api", event("handle_api/erase_batch.json"))["statusCode"] == 202
    assert deliver(stack) == []
    assert receiver.received == []


def test_one_url_has_one_webhook_and_an_organisation_a_bounded_number(
    stack: Stack, receiver: Receiver
) -> None:
    add_by_api(receiver)
    assert call("add_webhook", url=receiver.url)[0] == 409
    for number in range(19):
        assert call("add_webhook", url=f"{receiver.url}/{number}")[0] == 201
    status, body = call("add_webhook", url=f"{receiver.url}/last")
    assert (status, "remove one" in body["detail"]) == (409, True)


def test_the_secret_is_in_one_answer_and_in_nothing_else(
    stack: Stack, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    made = add_by_api(receiver)
    secret = made["secret"].removeprefix("whsec_")
    publish()
    (letter,) = stack.messages("webhooks")
    stack.client("sqs").send_message(
        QueueUrl=stack.queues["webhooks"], MessageBody=json.dumps(letter)
    )
    receiver.status = 500
    assert len(deliver(stack)) == 1
    kept = stack.client("dynamodb").scan(TableName="cj-table")["Items"]
    shown = [call("list_webhooks")[1], call("get_webhook", webhook_id=made["webhook_id"])[1]]
    for place in (kept, shown, letter, caplog.text, receiver.received):
        assert secret not in json.dumps(place, default=str)


def test_the_trail_says_which_webhook_was_changed(stack: Stack, receiver: Receiver) -> None:
    webhook_id = add_by_api(receiver)["webhook_id"]
    assert call("remove_webhook", webhook_id=webhook_id)[0] == 200
    entries = adapters().audit_ports.trail.list_entries(limit=10, cursor=None).entries
    removed, made = (one for one in entries if one.phase == "ended")
    assert [(one.action, one.webhook_id) for one in (removed, made)] == [
        ("change_webhooks", webhook_id)
    ] * 2
    assert made.before_sha256 is removed.after_sha256 is None
    assert made.after_sha256 == removed.before_sha256 is not None


def test_this_machine_is_a_receiver_only_where_the_stack_says_so(
    stack: Stack, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = add_by_api(receiver)["webhook_id"]
    publish()
    monkeypatch.setenv("WEBHOOK_LOOPBACK", "false")
    bootstrap.process.cache_clear()
    status, body = call("add_webhook", url="https://127.0.0.1/events")
    assert (status, body["type"].rpartition(":")[2]) == (400, "address-refused")
    # What was registered before is checked again before every attempt.
    assert len(deliver(stack)) == 1
    assert receiver.received == []
    attempt = call("get_webhook", webhook_id=webhook_id)[1]["last_attempt"]
    assert (attempt["outcome"], attempt["status"]) == ("failed", None)
