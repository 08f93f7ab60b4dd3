"""The routes of webhooks as the scripted API has them: the product's use cases, in memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from assessment.api.responses import json_body
from assessment.contracts.parsing import parse
from assessment.contracts.webhooks import WebhookRequest
from assessment.ports.webhooks import WebhookPorts
from assessment.usecases.change_webhooks import (
    add_webhook,
    list_webhooks,
    remove_webhook,
    replay_dead_letters,
    rotate_secret,
)
from tests.fakes.webhooks import InMemoryWebhooks


def guard_webhooks(
    guarded: Callable[[int, Callable[[Request, bytes, bool], object]], Any],
    stored: Callable[[], InMemoryWebhooks],
) -> dict[tuple[str, str], Any]:
    """The routes, behind the check of tokens, by method and path."""

    def ports() -> WebhookPorts:
        return WebhookPorts(webhooks=stored(), secrets=stored(), sender=stored())

    def add(_: Request, body: bytes, __: bool) -> Any:  # noqa: FBT001
        return add_webhook(
            parse(WebhookRequest, json_body(body.decode())),
            webhook_id=f"{len(stored().stored) + 1:016x}",
            secret="whsec_c2VjcmV0",
            subject="tests",
            ports=ports(),
            now=datetime.now(UTC),
        ).model_dump(mode="json")

    def listed(*_: Any) -> Any:
        return list_webhooks(webhooks=stored()).model_dump(mode="json")

    def remove(request: Request, _: bytes, __: bool) -> Any:  # noqa: FBT001
        return remove_webhook(request.path_params["webhook_id"], ports=ports()).model_dump()

    def rotate(request: Request, _: bytes, __: bool) -> Any:  # noqa: FBT001
        return rotate_secret(
            request.path_params["webhook_id"], secret="whsec_bmV4dA==", ports=ports()
        ).model_dump(mode="json")

    def replay(request: Request, _: bytes, __: bool) -> Any:  # noqa: FBT001
        return replay_dead_letters(
            request.path_params["webhook_id"],
            organisation="default",
            webhooks=stored(),
            dead_letters=stored(),
            has_time=lambda: True,
        ).model_dump()

    path = "/admin/v1/webhooks"
    return {
        ("POST", path): guarded(201, add),
        ("GET", path): guarded(200, listed),
        ("DELETE", f"{path}/{{webhook_id}}"): guarded(200, remove),
        ("POST", f"{path}/{{webhook_id}}/secret"): guarded(200, rotate),
        ("POST", f"{path}/{{webhook_id}}/replay"): guarded(202, replay),
    }
