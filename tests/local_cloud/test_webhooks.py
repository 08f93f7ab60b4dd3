"""Webhooks on the laptop cloud: bus, rule, queue, function and its permissions, to a receiver."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.contracts.events import EventType, envelope
from assessment.contracts.webhooks import WebhookDelivery
from assessment.domain.access import Role
from runner.stack import mint_token, read_secret
from tests.fakes.webhooks import receiving

BATCH_ID = "55555555-7a3f-4a0c-9f3c-6a54f3f3c0de"
INFO = {"code": "judge_at_chance", "what": "it failed", "why": "a coin", "what_to_do": "mend"}
PATIENCE_SECONDS = 300
pytestmark = pytest.mark.local_cloud


@pytest.fixture
def call(deployed):
    """The stack's API, for an administrator."""
    on, _ = deployed
    secret = read_secret(on.outputs["ApiSecretArn"], on.cloud.aws)
    token = mint_token(secret, role=Role.ADMIN, now=datetime.now(UTC))

    def call_api(method, path="", body=None):
        answer = httpx.request(
            method,
            f"{on.outputs['ApiUrl']}/admin/v1/webhooks{path}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=35,
        )
        return answer.status_code, answer.json()

    return call_api


def await_messages(receiver, n_messages):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(receiver.received) < n_messages:
        assert time.monotonic() < deadline, "nothing came within five minutes"
        time.sleep(0.2)


def test_an_event_reaches_its_receiver_and_a_dead_letter_is_sent_again(deployed, call):
    on, _ = deployed
    client = lambda service: on.cloud.session().client(service, endpoint_url=on.cloud.url)  # noqa: E731
    event = envelope(
        EventType.FAILED,
        batch_id=BATCH_ID,
        correlation_id=BATCH_ID,
        organisation="default",
        data={"assignment_id": None, "status": "FAILED", "error_info": INFO},
        now=datetime.now(UTC),
    )
    with receiving() as receiver:
        status, made = call("POST", body={"url": receiver.url, "event_types": [event.event_type]})
        assert status == 201, made
        EventBridgePublisher(client("events"), on.outputs["EventBusName"]).publish([event])
        await_messages(receiver, 1)
        webhook = Webhook(made["secret"])
        first = webhook.verify(receiver.received[0][1], receiver.received[0][0])
        delivery = WebhookDelivery(
            organisation="default", webhook_id=made["webhook_id"], event=event
        )
        sqs = client("sqs")
        (dead,) = [url for url in sqs.list_queues()["QueueUrls"] if "WebhookDeadLetterQueue" in url]
        other = delivery.model_copy(update={"webhook_id": "0" * 16})
        for letter in (other, delivery):
            sqs.send_message(QueueUrl=dead, MessageBody=letter.model_dump_json(by_alias=True))
        status, replayed = call("POST", f"/{made['webhook_id']}/replay")
        assert (status, replayed["n_replayed"]) == (202, 1), replayed
        await_messages(receiver, 2)
        headers, body = receiver.received[-1]
        assert webhook.verify(body, headers) == first
        assert call("DELETE", f"/{made['webhook_id']}")[0] == 200
    assert first["data"] == json.loads(event.model_dump_json())["data"]
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
