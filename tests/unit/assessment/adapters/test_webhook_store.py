"""One contract for webhooks and their secrets in memory and on AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from assessment.adapters.aws.webhook_store import DynamoDBWebhookStore, StoredWebhookSecrets
from assessment.domain.webhook import Attempt, Outcome, Webhook
from assessment.ports.webhooks import WebhookSecrets, WebhookStore
from tests.fakes.aws import client
from tests.fakes.webhooks import InMemoryWebhooks
from tests.unit.assessment.adapters.conftest import get_table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ID, OTHER_ID = "0123456789abcdef", "00000000000000ff"


def make_webhook(webhook_id: str = ID, *, created_at: datetime = NOW) -> Webhook:
    return Webhook(
        webhook_id=webhook_id,
        url=f"https://example.org/{webhook_id}",
        event_types=("CJAssessmentCompleted",),
        created_at=created_at,
        created_by="admin",
    )


@pytest.fixture(params=["memory", "dynamodb", "sqlite"])
def store(request: pytest.FixtureRequest) -> WebhookStore:
    if request.param == "memory":
        return InMemoryWebhooks()
    return DynamoDBWebhookStore(get_table(request.param, request))


def test_webhooks_are_listed_from_the_oldest(store: WebhookStore) -> None:
    newer, older = make_webhook(), make_webhook(OTHER_ID, created_at=NOW - timedelta(days=1))
    store.put_webhook(newer)
    store.put_webhook(older)
    assert store.list_webhooks() == [older, newer]
    assert store.find_webhook(ID) == newer


def test_a_webhook_that_is_stored_again_stays_as_it_is(store: WebhookStore) -> None:
    store.put_webhook(make_webhook())
    store.put_webhook(make_webhook(created_at=NOW + timedelta(days=1)))
    assert store.find_webhook(ID) == make_webhook()


def test_the_last_attempt_is_kept_and_disables_if_it_is_to(store: WebhookStore) -> None:
    store.put_webhook(make_webhook())
    failed = Attempt(moment=NOW, outcome=Outcome.FAILED, status=500)
    store.note_attempt(ID, failed, disable=False)
    assert store.find_webhook(ID) == make_webhook().model_copy(update={"last_attempt": failed})
    gone = Attempt(moment=NOW + timedelta(hours=1), outcome=Outcome.GONE, status=410)
    store.note_attempt(ID, gone, disable=True)
    disabled = {"last_attempt": gone, "disabled_at": gone.moment}
    assert store.find_webhook(ID) == make_webhook().model_copy(update=disabled)


def test_a_removed_webhook_stays_removed(store: WebhookStore) -> None:
    store.put_webhook(make_webhook())
    store.delete_webhook(ID)
    store.delete_webhook(ID)
    store.note_attempt(ID, Attempt(moment=NOW, outcome=Outcome.DELIVERED), disable=False)
    assert store.find_webhook(ID) is None
    assert store.list_webhooks() == []


@pytest.fixture(params=["memory", "aws"])
def open_secrets(request: pytest.FixtureRequest) -> Callable[[], WebhookSecrets]:
    """The secrets as a process that starts finds them."""
    if request.param == "memory":
        secrets = InMemoryWebhooks()
        return lambda: secrets
    request.getfixturevalue("aws")
    manager = client("secretsmanager")
    return lambda: StoredWebhookSecrets(manager, "cj/webhooks/", "school")


def test_the_secret_before_signs_until_it_is_replaced_again(
    open_secrets: Callable[[], WebhookSecrets],
) -> None:
    open_secrets().keep(ID, "one")
    assert tuple(open_secrets().get_versions(ID)) == ("one",)
    open_secrets().replace(ID, "two")
    assert tuple(open_secrets().get_versions(ID)) == ("two", "one")
    open_secrets().replace(ID, "three")
    assert tuple(open_secrets().get_versions(ID)) == ("three", "two")


def test_a_secret_may_be_forgotten_twice_and_kept_anew(
    open_secrets: Callable[[], WebhookSecrets],
) -> None:
    open_secrets().keep(ID, "one")
    open_secrets().forget(ID)
    open_secrets().forget(ID)
    open_secrets().keep(ID, "another")
    assert tuple(open_secrets().get_versions(ID)) == ("another",)
