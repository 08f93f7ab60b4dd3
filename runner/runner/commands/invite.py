"""`cj invite`, `cj deadline`: links by which people judge a batch, and until when they may."""

import uuid
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from assessment.contracts.invitations import InvitationList, InvitationRequest
from assessment.contracts.parsing import parse
from assessment.contracts.people import JudgingDeadline
from assessment.domain.invitation import LONGEST_DAYS
from runner.commands import options
from runner.commands.place import StackOptions
from runner.console import OUT, emit, note
from runner.errors import BadInputError, Problem
from runner.files import to_json


def invite(
    batch_id: options.BatchId,
    names: Annotated[
        list[str] | None, typer.Argument(help="Whom to invite; without names, list who is.")
    ] = None,
    *,
    quota: Annotated[
        int | None, typer.Option("--quota", min=1, help="Most verdicts of each; else the batch's.")
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(
            "--days",
            min=0.01,
            max=LONGEST_DAYS,
            help="How long the links open; 14, or until judging_deadline.",
        ),
    ] = None,
    revoke: Annotated[
        list[str] | None,
        typer.Option("--revoke", help="Id of an invitation to take back; may be repeated."),
    ] = None,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """Invite people to judge a batch: prints a link for each name, this once.

    A link is like a key: whoever has it judges the batch under that invitation. Results name
    judges by their invitations' ids, not by these names.
    """
    if names and revoke:
        raise BadInputError(Problem("invite or take back, not both at once", field="--revoke"))
    with stack.connect() as client:
        if names:
            request = parse(InvitationRequest, {"names": names, "quota": quota, "days": days})
            invitations = client.invite(batch_id, request, idempotency_key=str(uuid.uuid4()))
            for one in invitations.invitations:
                # Of the address by which we came: the API may know itself by another one.
                emit(f"{client.api_url}/app/#invitation={one.token}  {one.name}\n")
            note(f"{len(invitations.invitations)} invited; the links are not shown again")
            return
        for invitation_id in revoke or ():
            client.revoke_invitation(batch_id, invitation_id)
        listed = client.list_invitations(batch_id)
    if as_json:
        emit(to_json(listed.model_dump(mode="json")))
        return
    OUT.print(invitations_table(listed))


def move_deadline(
    batch_id: options.BatchId,
    until: Annotated[
        datetime,
        typer.Argument(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="The new time; a day alone means its end, and a time without zone this machine's.",
        ),
    ],
    *,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """Move the time until which people may judge a batch, earlier or later.

    Reminders begin anew: halfway to the new time, and a day before it. Links end when they did.
    """
    deadline = JudgingDeadline(judging_deadline=options.read_local(until))
    with stack.connect() as client:
        moved = client.move_deadline(batch_id, deadline)
    if as_json:
        emit(to_json(moved.model_dump(mode="json")))
    note(f"people may judge until {moved.judging_deadline:%Y-%m-%d %H:%M %Z}")
    if moved.n_invitations_ending_before:
        note(
            f"{moved.n_invitations_ending_before} open invitations end before that; invite these "
            "people again by cj invite"
        )


def invitations_table(listed: InvitationList) -> Table:
    """One row for each invitation; names of others are shown as they are, without markup."""
    table = Table("invitation", "name", "state", "verdicts", "last verdict", "opens until")
    for one in listed.invitations:
        verdicts = f"{one.n_judged}" + (f" of {one.quota}" if one.quota else "")
        cells = (
            one.invitation_id, one.name, one.state, verdicts,
            _show(one.last_verdict_at), _show(one.expires_at),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def _show(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
