"""Calls about webhooks."""

from urllib.parse import quote

from assessment.contracts.assignments import Deleted
from assessment.contracts.webhooks import NewWebhook, WebhookList, WebhookReplay, WebhookRequest
from runner.api.connection import ApiConnection


class WebhookCalls(ApiConnection):
    """The organisation's webhooks."""

    def add_webhook(self, request: WebhookRequest) -> NewWebhook:
        """Add a webhook; one with the same URL is a conflict, so that none is added twice."""
        body = request.model_dump(mode="json")
        return self._call(NewWebhook, "POST", "/admin/v1/webhooks", body=body)

    def rotate_webhook_secret(self, webhook_id: str) -> NewWebhook:
        """Give a webhook another secret; a repeated call draws another one again."""
        return self._call(NewWebhook, "POST", f"{_webhook_path(webhook_id)}/secret")

    def list_webhooks(self) -> WebhookList:
        """The organisation's webhooks."""
        return self._call(WebhookList, "GET", "/admin/v1/webhooks")

    def remove_webhook(self, webhook_id: str) -> Deleted:
        """Remove a webhook."""
        return self._call(Deleted, "DELETE", _webhook_path(webhook_id))

    def replay_webhook(self, webhook_id: str) -> WebhookReplay:
        """Send again what a webhook did not take."""
        return self._call(WebhookReplay, "POST", f"{_webhook_path(webhook_id)}/replay")


def _webhook_path(webhook_id: str) -> str:
    return f"/admin/v1/webhooks/{quote(webhook_id, safe='')}"
