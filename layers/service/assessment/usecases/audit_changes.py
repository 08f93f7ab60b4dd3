"""Keep the audit trail: an entry before a change begins, and one when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from assessment.contracts.views import AuditPageView, BatchAudit
from assessment.domain.access import Action, Caller
from assessment.domain.audit import AuditEntry, Phase
from assessment.domain.errors import CJError, UnknownBatchError
from assessment.domain.identifiers import canonical_json, content_sha256, derive_uuid
from assessment.domain.webhook import Webhook
from assessment.ports.groups import AuditPorts
from assessment.ports.stores import AuditTrail, BatchStore
from assessment.ports.webhooks import WebhookStore


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that a caller is about to change; `change_id` is new for every attempt."""

    change_id: str
    caller: Caller
    action: Action
    route: str
    request_body: str
    batch_id: str | None = None
    assignment_id: str | None = None
    webhook_id: str | None = None
    content_id: str | None = None
    """The hash of a text that was stored, which is its id."""


def begin_change(change: Change, *, ports: AuditPorts, now: datetime) -> str | None:
    """Add the first entry; the hash of the thing as it is, which `end_change` needs."""
    before = _hash_target(change, ports)
    ports.trail.append(_entry(change, Phase.BEGUN, before=before, now=now))
    return before


def end_change(
    change: Change,
    *,
    before: str | None,
    status: int,
    batch_id: str | None,
    ports: AuditPorts,
    now: datetime,
) -> None:
    """Add the last entry. `batch_id` is that of a batch which the change has made, if any."""
    ended = change if batch_id is None else replace(change, batch_id=batch_id)
    entry = _entry(ended, Phase.ENDED, before=before, now=now)
    after = _hash_target(ended, ports)
    ports.trail.append(entry.model_copy(update={"after_sha256": after, "status": status}))


@contextmanager
def audit_request(
    event: dict[str, Any], organisation: str, *, ports: AuditPorts, now: datetime
) -> Iterator[list[str]]:
    """Keep a request from the bus in the trail, under the source that sent it.

    Yields a list to which the id of the batch is added; a refusal is kept with its status.
    """
    change = Change(
        change_id=derive_uuid("request from the bus", str(event.get("id")), now.isoformat()),
        caller=Caller(subject=f"bus/{event.get('source', '')}"[:255], organisation=organisation),
        action=Action.REQUEST_BATCH,
        route=str(event.get("detail-type", "")),
        request_body=canonical_json(event.get("detail")),
    )
    before = begin_change(change, ports=ports, now=now)
    batch_ids: list[str] = []
    status = HTTPStatus.ACCEPTED.value
    try:
        yield batch_ids
    except CJError as error:
        status = error.status
        raise
    finally:
        batch_id = batch_ids[0] if batch_ids else None
        if batch_id or status != HTTPStatus.ACCEPTED:
            end_change(
                change, before=before, status=status, batch_id=batch_id, ports=ports, now=now
            )


def _entry(change: Change, phase: Phase, *, before: str | None, now: datetime) -> AuditEntry:
    return AuditEntry(
        change_id=change.change_id,
        phase=phase,
        moment=now,
        subject=change.caller.subject,
        roles=tuple(sorted(change.caller.roles)),
        action=change.action,
        route=change.route,
        batch_id=change.batch_id,
        assignment_id=change.assignment_id,
        webhook_id=change.webhook_id,
        request_sha256=content_sha256(change.request_body),
        before_sha256=before,
    )


def _hash_target(change: Change, ports: AuditPorts) -> str | None:
    """The hash of what is changed, as it is stored now; a verdict only adds to its batch."""
    if change.action is Action.JUDGE_BATCH:
        return None
    if change.content_id is not None:
        return change.content_id
    if change.batch_id is not None:
        return _hash_batch(change.batch_id, ports.batches)
    target = _find_target(change, ports)
    return None if target is None else content_sha256(target.model_dump_json())


def _hash_batch(batch_id: str, batches: BatchStore) -> str | None:
    try:
        return content_sha256(batches.get_batch(batch_id).model_dump_json())
    except UnknownBatchError:
        return None


def _find_target(change: Change, ports: AuditPorts) -> BaseModel | None:
    """What is changed where it is no batch."""
    if change.assignment_id is not None:
        return ports.assignments.get_assignment(change.assignment_id)
    if change.webhook_id is not None:
        return _find_webhook(change.webhook_id, ports.webhooks)
    if change.action is Action.CHANGE_RELEASE_POLICY:
        return ports.release_policies.get_policy()
    if change.action is Action.CHANGE_RETENTION_POLICY:
        return ports.retention_policies.get_policy()
    return None


def _find_webhook(webhook_id: str, webhooks: WebhookStore) -> Webhook | None:
    """The webhook without its last attempt, which a delivery at the same time changes."""
    webhook = webhooks.find_webhook(webhook_id)
    return None if webhook is None else webhook.model_copy(update={"last_attempt": None})


def read_trail(trail: AuditTrail, *, limit: int, cursor: str | None) -> AuditPageView:
    """The next entries of the organisation's trail, the newest first."""
    page = trail.list_entries(limit=limit, cursor=cursor)
    return AuditPageView(entries=page.entries, cursor=page.cursor)


def read_batch_trail(batch_id: str, *, ports: AuditPorts) -> BatchAudit:
    """All entries about a batch, the oldest first.

    Raises
    ------
    UnknownBatchError
    """
    ports.batches.get_batch(batch_id)
    return BatchAudit(batch_id=batch_id, entries=ports.trail.list_of_batch(batch_id))
