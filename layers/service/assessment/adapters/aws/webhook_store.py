"""Webhooks in the table, their secrets in Secrets Manager, and their queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.errors import error_code, wrap_client
from assessment.adapters.aws.secrets import SigningSecret
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.item_table import ItemTable
from assessment.domain.webhook import Attempt, Webhook

_AT_ONCE = 10
_HIDDEN_SECONDS = 120
"""Longer than a whole look takes: a message that stays must not be met again in the same look."""


class DynamoDBWebhookStore:
    """One item for each webhook, in one partition of its organisation."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def put_webhook(self, webhook: Webhook) -> None:
        """The webhook as a document; what changes later has attributes of its own.

        One that is there already is this one: the client repeats a write without an answer, and
        ids are random.
        """
        with suppress(ConditionFailedError):
            self._table.put_new({**keys.webhook(webhook.webhook_id), "webhook": webhook})

    def find_webhook(self, webhook_id: str) -> Webhook | None:
        """By a strongly consistent read."""
        item = self._table.get(keys.webhook(webhook_id))
        return None if item is None else _read(item)

    def list_webhooks(self) -> list[Webhook]:
        """There are few, so they are sorted here."""
        webhooks = [_read(item) for item in self._table.query(keys.WEBHOOKS)]
        return sorted(webhooks, key=lambda webhook: (webhook.created_at, webhook.webhook_id))

    def delete_webhook(self, webhook_id: str) -> None:
        """Remove the item."""
        self._table.delete(keys.webhook(webhook_id))

    def note_attempt(self, webhook_id: str, attempt: Attempt, *, disable: bool) -> None:
        """On condition that the item is still there."""
        changes: dict[str, Any] = {"last_attempt": attempt}
        if disable:
            changes["disabled_at"] = attempt.moment
        with suppress(ConditionFailedError):
            self._table.update(
                keys.webhook(webhook_id), ItemUpdate(changes, condition="attribute_exists(PK)")
            )


def _read(item: Item) -> Webhook:
    webhook = Webhook.model_validate_json(item["webhook"])
    attempt = item.get("last_attempt")
    later = {
        "disabled_at": item.get("disabled_at"),
        "last_attempt": None if attempt is None else Attempt.model_validate_json(attempt),
    }
    return Webhook.model_validate({**webhook.model_dump(), **later})


class StoredWebhookSecrets:
    """One secret for each webhook, below the stack's prefix and the organisation."""

    def __init__(self, client: Any, prefix: str, organisation: str) -> None:
        self._client = wrap_client(client)
        self._prefix = f"{prefix}{organisation}/"
        self._known: dict[str, SigningSecret] = {}

    def keep(self, webhook_id: str, secret: str) -> None:
        """Create the secret."""
        self._client.create_secret(
            Name=self._prefix + webhook_id,
            Description="Signs what is sent to a webhook.",
            SecretString=secret,
        )

    def replace(self, webhook_id: str, secret: str) -> None:
        """Put a new version; Secrets Manager calls the one before it the previous one."""
        self._client.put_secret_value(SecretId=self._prefix + webhook_id, SecretString=secret)

    def get_versions(self, webhook_id: str) -> Sequence[str]:
        """Both versions, from the cache if they are there."""
        if webhook_id not in self._known:
            self._known[webhook_id] = SigningSecret(self._client, self._prefix + webhook_id)
        return self._known[webhook_id].versions()

    def forget(self, webhook_id: str) -> None:
        """Delete it at once, without the days in which it could be restored."""
        try:
            self._client.delete_secret(
                SecretId=self._prefix + webhook_id, ForceDeleteWithoutRecovery=True
            )
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise


class SQSWebhookDeadLetters:
    """Messages of the dead-letter queue go back to the webhook queue; the others stay."""

    def __init__(self, client: Any, url: str, target_url: str) -> None:
        self._client = wrap_client(client)
        self._url = url
        self._target_url = target_url

    def replay(
        self, is_about: Callable[[str], bool], *, has_time: Callable[[], bool]
    ) -> tuple[int, bool]:
        """Send each before it is deleted: at worst it is sent twice, under one id."""
        others: list[dict[str, Any]] = []
        n_replayed, is_complete = 0, False
        while not is_complete and has_time():
            messages = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HIDDEN_SECONDS,
                # Without waiting only some of the queue's servers are asked.
                WaitTimeSeconds=1,
            ).get("Messages", [])
            is_complete = not messages
            ours = [message for message in messages if is_about(message["Body"])]
            others += [message for message in messages if message not in ours]
            for message in ours:
                self._move(message)
            n_replayed += len(ours)
        self._show_again(others)
        return n_replayed, is_complete

    def _move(self, message: dict[str, Any]) -> None:
        self._client.send_message(QueueUrl=self._target_url, MessageBody=message["Body"])
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _show_again(self, messages: Sequence[dict[str, Any]]) -> None:
        """Those of other webhooks must be found by the next look."""
        for start in range(0, len(messages), _AT_ONCE):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {
                        "Id": str(number),
                        "ReceiptHandle": message["ReceiptHandle"],
                        "VisibilityTimeout": 0,
                    }
                    for number, message in enumerate(messages[start : start + _AT_ONCE])
                ],
            )
