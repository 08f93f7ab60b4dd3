"""Webhooks: where an organisation's events are sent."""

from __future__ import annotations

import base64
import secrets
import time
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import own_adapters
from assessment.api.responses import answer, json_body
from assessment.contracts.parsing import parse
from assessment.contracts.webhooks import WebhookRequest
from assessment.domain.access import Action
from assessment.observability import count
from assessment.usecases.change_webhooks import (
    add_webhook,
    get_webhook,
    list_webhooks,
    remove_webhook,
    replay_dead_letters,
    rotate_secret,
)

router = Router()

_WEBHOOKS = "/admin/v1/webhooks"
_WEBHOOK = f"{_WEBHOOKS}/<webhook_id>"
_SECRET_BYTES = 32
"""The scheme asks for 24 to 64."""

_REPLAY_SECONDS = 15.0
"""Of the 29 that a request may take."""


@guard_route(router, "POST", _WEBHOOKS, Action.CHANGE_WEBHOOKS)
def post_webhook() -> Response[str]:
    """Add a webhook; its secret is in this answer and in no other."""
    event, own = router.current_event, own_adapters(router)
    webhook = add_webhook(
        parse(WebhookRequest, json_body(event.body)),
        webhook_id=secrets.token_hex(8),
        secret=_draw_secret(),
        subject=read_caller(event.raw_event).subject,
        ports=own.webhook_ports,
        now=datetime.now(UTC),
    )
    count("webhooks_added")
    return answer(201, webhook)


def _draw_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


@guard_route(router, "POST", f"{_WEBHOOK}/secret", Action.CHANGE_WEBHOOKS)
def post_secret(webhook_id: str) -> Response[str]:
    """Give a webhook another secret, which is in this answer and in no other."""
    ports = own_adapters(router).webhook_ports
    return answer(200, rotate_secret(webhook_id, secret=_draw_secret(), ports=ports))


@guard_route(router, "GET", _WEBHOOKS, Action.READ_WEBHOOKS)
def get_webhooks() -> Response[str]:
    """All webhooks of the organisation."""
    return answer(200, list_webhooks(webhooks=own_adapters(router).webhooks))


@guard_route(router, "GET", _WEBHOOK, Action.READ_WEBHOOKS)
def get_one(webhook_id: str) -> Response[str]:
    """A webhook, with its last attempt."""
    return answer(200, get_webhook(webhook_id, webhooks=own_adapters(router).webhooks))


@guard_route(router, "DELETE", _WEBHOOK, Action.CHANGE_WEBHOOKS)
def delete_webhook(webhook_id: str) -> Response[str]:
    """Remove a webhook."""
    return answer(200, remove_webhook(webhook_id, ports=own_adapters(router).webhook_ports))


@guard_route(router, "POST", f"{_WEBHOOK}/replay", Action.CHANGE_WEBHOOKS)
def post_replay(webhook_id: str) -> Response[str]:
    """Send again what the webhook did not take."""
    own = own_adapters(router)
    end = time.monotonic() + _REPLAY_SECONDS
    replayed = replay_dead_letters(
        webhook_id,
        organisation=own.organisation,
        webhooks=own.webhooks,
        dead_letters=own.webhook_dead_letters,
        has_time=lambda: time.monotonic() < end,
    )
    return answer(202, replayed)
