"""Invitations of judges."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import open_batch, own_adapters
from assessment.api.responses import answer, find_base_url, idempotency_key, json_body
from assessment.contracts.invitations import InvitationRequest
from assessment.contracts.parsing import parse
from assessment.contracts.tokens import sign_invitation
from assessment.domain.access import Action
from assessment.domain.identifiers import content_sha256, join_key
from assessment.domain.invitation import Invitation
from assessment.observability import count
from assessment.usecases.invite_judges import (
    InviteCommand,
    invite_judges,
    list_invitations,
    revoke_invitation,
)

router = Router()

_INVITATIONS = "/v1/batches/<batch_id>/invitations"


@guard_route(router, "POST", _INVITATIONS, Action.INVITE_JUDGES)
def invite(batch_id: str) -> Response[str]:
    """Invite people to judge a batch."""
    event = router.current_event
    caller, own = read_caller(event.raw_event), own_adapters(router)
    request = parse(InvitationRequest, json_body(event.body))

    def sign(invitation: Invitation, organisation: str) -> str:
        secret = own.invitation_secret.versions()[0]
        return sign_invitation(invitation, organisation=organisation, secret=secret)

    command = InviteCommand(
        request=request,
        organisation=caller.organisation,
        inviter=caller.subject,
        ids=[_choose_id(idempotency_key(event, caller), name) for name in request.names],
        link_base=f"{find_base_url(event.raw_event)}/app/",
        sign=sign,
    )
    new_invitations = invite_judges(
        open_batch(batch_id, own), command, ports=own.invitation_ports, now=datetime.now(UTC)
    )
    count("judges_invited")
    return answer(201, new_invitations)


@guard_route(router, "GET", _INVITATIONS, Action.INVITE_JUDGES)
def invitations(batch_id: str) -> Response[str]:
    """The invitations of a batch with their progress."""
    own = own_adapters(router)
    listed = list_invitations(
        open_batch(batch_id, own), ports=own.invitation_ports, now=datetime.now(UTC)
    )
    return answer(200, listed)


@guard_route(router, "DELETE", f"{_INVITATIONS}/<invitation_id>", Action.INVITE_JUDGES)
def revoke(batch_id: str, invitation_id: str) -> Response[str]:
    """Take an invitation back."""
    own = own_adapters(router)
    view = revoke_invitation(
        open_batch(batch_id, own),
        invitation_id,
        ports=own.invitation_ports,
        now=datetime.now(UTC),
    )
    return answer(200, view)


def _choose_id(key: str | None, name: str) -> str:
    """A random id; under an idempotency key the same one for the same name."""
    return secrets.token_hex(8) if key is None else content_sha256(join_key(key, name))[:16]
