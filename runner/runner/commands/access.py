"""`cj register-anchors` and `cj token`: preparing an assignment and its callers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from assessment.domain.access import DEFAULT_ORGANISATION, Role
from runner.commands import options
from runner.commands.assessment_options import MaskOptions, TextOptions
from runner.commands.execute import register
from runner.commands.place import PlaceOptions
from runner.inputs import read_registration
from runner.stack import (
    DEFAULT_STACK,
    TOKEN_LIFETIME,
    Aws,
    find_stack,
    mint_token,
    read_secret,
)
from runner.writing import emit_in_format

_DEFAULT_HOURS = TOKEN_LIFETIME.total_seconds() / 3600


def register_anchors(
    file: Annotated[Path, typer.Argument(help="CSV: anchor_ref, grade, and file or text.")],
    *,
    assignment: options.Assignment = None,
    scale: options.Scale = None,
    texts: TextOptions,
    masking: MaskOptions,
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config", help="Setting of the assignment's batches as name=value; may be repeated."
        ),
    ] = None,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Register the anchors of an assignment; print the assignment's id.

    Anchors that the assignment has already stay, unless the file names them again.
    """
    registration = read_registration(
        file,
        assignment=assignment,
        scale=scale,
        texts=texts.files,
        title=file.stem,
        settings=config or (),
        roster=masking.roster,
        mask=masking.mask,
    )
    with place.open() as client:
        registered = register(client, registration)
    emit_in_format(registered.model_dump(mode="json"), registered.assignment_id, as_json=as_json)


def token(
    *,
    secret_arn: Annotated[
        str | None,
        typer.Option("--secret-arn", help="The stack's secret; else its output ApiSecretArn."),
    ] = None,
    subject: Annotated[
        str, typer.Option("--subject", help="Who the token is for: its claim sub.")
    ] = "cj",
    hours: Annotated[
        float,
        typer.Option(
            "--hours",
            min=0.01,
            max=720,
            help="How long it is valid; stacks take 24 hours unless MaxTokenHours says more.",
        ),
    ] = _DEFAULT_HOURS,
    role: Annotated[
        Role, typer.Option("--role", help="What it may do; a judge judges one --batch.")
    ] = Role.ASSESSOR,
    admin: Annotated[bool, typer.Option("--admin", help="The same as --role admin.")] = False,
    organisation: Annotated[
        str, typer.Option("--organisation", help="Whose batches and assignments it reaches.")
    ] = DEFAULT_ORGANISATION,
    batch: Annotated[
        str | None, typer.Option("--batch", help="The one batch that a judge may judge.")
    ] = None,
    stack: options.StackName = DEFAULT_STACK,
    local: options.Local = False,
    as_json: options.AsJson = False,
) -> None:
    """Print a token for the API, signed with the stack's secret.

    It needs the right to read that secret. Use it as: export CJ_TOKEN="$(cj token)"
    """
    if (role is Role.JUDGE and not admin) != (batch is not None):
        raise typer.BadParameter("--role judge and --batch go together", param_hint="--batch")
    aws = Aws.local() if local else Aws.from_environment()
    secret = read_secret(secret_arn or find_stack(stack, aws).api_secret_arn, aws)
    now, lifetime = datetime.now(UTC), timedelta(hours=hours)
    minted = mint_token(
        secret,
        now=now,
        subject=subject,
        role=Role.ADMIN if admin else role,
        organisation=organisation,
        batch_id=batch,
        lifetime=lifetime,
    )
    expires_at = (now + lifetime).isoformat(timespec="seconds")
    emit_in_format({"token": minted, "expires_at": expires_at}, minted, as_json=as_json)
