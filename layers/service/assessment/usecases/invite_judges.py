"""Invite people to judge a batch, list them with their progress, and take invitations back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assessment.contracts.invitations import (
    InvitationList,
    InvitationRequest,
    InvitationView,
    NewInvitation,
    NewInvitations,
)
from assessment.domain.access import OrganisationId
from assessment.domain.batch import Batch
from assessment.domain.errors import (
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    UnknownInvitationError,
)
from assessment.domain.invitation import Invitation
from assessment.domain.judge import Provider
from assessment.domain.judging_time import USUAL_DAYS
from assessment.ports.groups import InvitationPorts
from assessment.ports.people import People
from assessment.ports.stores import BatchStore


@dataclass(frozen=True, kw_only=True)
class InviteCommand:
    """Whom to invite; `ids` has a random id for each name, and `sign` makes an invitation's token.

    `link_base` is the page that the links open.
    """

    request: InvitationRequest
    organisation: OrganisationId
    inviter: str
    ids: Sequence[str]
    link_base: str
    sign: Callable[[Invitation, OrganisationId], str] = field(repr=False)


def invite_judges(
    batch_id: str, command: InviteCommand, *, ports: InvitationPorts, now: datetime
) -> NewInvitations:
    """Make invitations; each is stored before its link is shown.

    Raises
    ------
    UnknownBatchError
    InvalidRequestError
        If no person judges the batch.
    ConflictError
        If the batch has ended.
    IdempotencyConflictError
        If the key was used for other invitations.
    """
    batch = _open_batch(batch_id, ports.batches)
    request = command.request
    invitations = [
        Invitation(
            invitation_id=invitation_id,
            batch_id=batch.batch_id,
            name=name,
            quota=request.quota,
            created_at=now,
            created_by=command.inviter,
            expires_at=_find_expiry(request.days, batch, now),
        )
        for invitation_id, name in zip(command.ids, request.names, strict=True)
    ]
    stored = [ports.people.put_invitation(invitation) for invitation in invitations]
    if any(one.quota != request.quota for one in stored):
        raise IdempotencyConflictError(
            "this key was used before for other invitations; use a new key or send the same ones",
            field="Idempotency-Key",
        )
    return NewInvitations(
        batch_id=batch_id,
        invitations=[_show_once(invitation, command) for invitation in stored],
    )


def _find_expiry(days: float | None, batch: Batch, now: datetime) -> datetime:
    """When an invitation ends; who invites for a time means that time."""
    if days is not None:
        return now + timedelta(days=days)
    usual = now + timedelta(days=USUAL_DAYS)
    return max(usual, batch.config.judging_deadline or usual)


def _show_once(invitation: Invitation, command: InviteCommand) -> NewInvitation:
    token = command.sign(invitation, command.organisation)
    shown = invitation.model_dump(include={"invitation_id", "name", "quota", "expires_at"})
    # In the fragment: it reaches no server, so it is in no log.
    return NewInvitation(**shown, token=token, link=f"{command.link_base}#invitation={token}")


def list_invitations(batch_id: str, *, ports: InvitationPorts, now: datetime) -> InvitationList:
    """All invitations of a batch with the verdicts that each has given.

    Raises
    ------
    UnknownBatchError
    """
    ports.batches.get_batch(batch_id)
    return InvitationList(batch_id=batch_id, invitations=_list_views(batch_id, ports.people, now))


def _list_views(batch_id: str, people: People, now: datetime) -> list[InvitationView]:
    views = [InvitationView.from_person(one, now=now) for one in people.list_people(batch_id)]
    present = [view for view in views if view is not None]
    return sorted(present, key=lambda view: (view.created_at, view.invitation_id))


def revoke_invitation(
    batch_id: str, invitation_id: str, *, ports: InvitationPorts, now: datetime
) -> InvitationView:
    """Take an invitation back, at once; the verdicts that came by it stay.

    Raises
    ------
    UnknownBatchError, UnknownInvitationError
    """
    ports.batches.get_batch(batch_id)
    person = ports.people.revoke(batch_id, invitation_id, now=now)
    view = None if person is None else InvitationView.from_person(person, now=now)
    if view is None:
        raise UnknownInvitationError.from_id(batch_id, invitation_id)
    return view


def _open_batch(batch_id: str, batches: BatchStore) -> Batch:
    batch = batches.get_batch(batch_id)
    if batch.is_final:
        raise ConflictError(f"the batch is {batch.status}; it asks for nothing any more")
    if all(judge.provider is not Provider.PERSON for judge in batch.judges):
        raise InvalidRequestError(
            'no person judges this batch; request one with judge {"provider": "person"}',
            field="batch_id",
        )
    return batch
