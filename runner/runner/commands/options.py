"""Options that several commands share, and the connection that they describe."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from assessment.domain.access import Role
from runner.client import ApiClient
from runner.errors import NotAuthorisedError
from runner.essays import NameSource
from runner.stack import (
    DEFAULT_STACK,
    Aws,
    Stack,
    find_stack,
    mint_token,
    read_secret,
)

StackName = Annotated[
    str,
    typer.Option("--stack", envvar="CJ_STACK", help="Stack whose outputs say where the API is."),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local", help="The laptop cloud: AWS at 127.0.0.1, port CJ_PORT (4566), no credentials."
    ),
]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api-url", help="The API's base address, instead of --stack; the token is in CJ_TOKEN."
    ),
]
Admin = Annotated[
    bool,
    typer.Option(
        "--admin", help="Ask with administrator rights (not with CJ_TOKEN, which has its own)."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for another program; the same as --format json.")
]
BatchId = Annotated[str, typer.Argument(help="The batch's id.", metavar="BATCH_ID")]
Assignment = Annotated[
    str | None,
    typer.Option("--assignment", help="Assignment id; without one it is made of the anchors."),
]
Scale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        help="Grade scale: a name (swedish_8_anchor unless the assignment has one), or the "
        "labels from worst to best with commas between.",
    ),
]
Instructions = Annotated[
    list[Path] | None,
    typer.Option("--instructions", help="File that tells the judge the task; may be repeated."),
]
StudentPrompt = Annotated[
    Path | None, typer.Option("--student-prompt", help="File with the prompt the students had.")
]
Names = Annotated[
    Path | None,
    typer.Option("--names", help="CSV with file and essay_id: ids that are not the files' names."),
]
NamedAfter = Annotated[
    NameSource,
    typer.Option(
        "--named-after", help="What gives the essays their ids: file, folder, or path (both)."
    ),
]
Rubric = Annotated[
    Path | None, typer.Option("--rubric", help="File that says what the judge is to look for.")
]


def connect(
    *,
    stack: str = DEFAULT_STACK,
    local: bool = False,
    api_url: str | None = None,
    admin: bool = False,
) -> ApiClient:
    """A client of the stack that the options name.

    The token is that of CJ_TOKEN, or one minted with the stack's secret.

    Raises
    ------
    StackNotReachableError, NotAuthorisedError
    """
    token = os.environ.get("CJ_TOKEN", "").strip() or None
    if api_url is not None:
        if token is None:
            raise NotAuthorisedError(
                "--api-url needs a token in CJ_TOKEN; whoever may read the stack's secret "
                "gets one from `cj token`"
            )
        return ApiClient(api_url, token)
    aws = Aws.local() if local else Aws.from_environment()
    return connect_to(find_stack(stack, aws), aws, admin=admin)


def connect_to(stack: Stack, aws: Aws, *, admin: bool = False) -> ApiClient:
    """A client of a stack.

    Raises
    ------
    StackNotReachableError, NotAuthorisedError
    """
    token = os.environ.get("CJ_TOKEN", "").strip() or None
    if token is None:
        token = mint_token(
            read_secret(stack.api_secret_arn, aws),
            now=datetime.now(UTC),
            role=Role.ADMIN if admin else Role.ASSESSOR,
        )
    return ApiClient(stack.api_url, token)


def describe_connection(*, stack: str, local: bool, api_url: str | None) -> str:
    """The options that lead another command to the same stack."""
    if api_url is not None:
        return f" --api-url {api_url}"
    return f"{' --local' if local else ''}{f' --stack {stack}' if stack != DEFAULT_STACK else ''}"
