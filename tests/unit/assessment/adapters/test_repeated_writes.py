"""Writes that the client repeats because their answer did not come: the second finds the first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assessment.adapters.aws.audit_trail import DynamoDBAuditTrail
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.webhook_store import DynamoDBWebhookStore
from assessment.adapters.item_table import ItemTable
from assessment.domain.access import Action
from assessment.domain.audit import AuditEntry, Phase
from assessment.domain.webhook import Webhook

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)
ENTRY = AuditEntry(
    change_id="c",
    phase=Phase.BEGUN,
    moment=MOMENT,
    subject="teacher",
    roles=(),
    action=Action.REQUEST_BATCH,
    route="POST /v1/batches",
    request_sha256="0",
)


@pytest.mark.parametrize("batch_id", [None, "b"])
def test_an_entry_of_the_trail_is_there_once(table: ItemTable, batch_id: str | None) -> None:
    trail = DynamoDBAuditTrail(table)
    entry = ENTRY.model_copy(update={"batch_id": batch_id})
    trail.append(entry)
    trail.append(entry)
    assert trail.list_entries(limit=10, cursor=None).entries == [entry]


def test_no_entry_replaces_another(table: ItemTable) -> None:
    trail = DynamoDBAuditTrail(table)
    trail.append(ENTRY)
    with pytest.raises(ConditionFailedError):
        trail.append(ENTRY.model_copy(update={"subject": "somebody else"}))
    assert trail.list_entries(limit=10, cursor=None).entries == [ENTRY]


def test_a_webhook_is_there_once(table: ItemTable) -> None:
    store = DynamoDBWebhookStore(table)
    webhook = Webhook(
        webhook_id="0123456789abcdef",
        url="https://school.example/events",
        event_types=(),
        created_at=MOMENT,
        created_by="admin",
    )
    store.put_webhook(webhook)
    store.put_webhook(webhook)
    assert store.list_webhooks() == [webhook]
