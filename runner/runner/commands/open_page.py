"""`cj open`: the rooms for people, or the report of a result, in the browser."""

import tempfile
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from assessment.domain.access import DEFAULT_ORGANISATION, Role
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.commands.report import report
from runner.console import note
from runner.errors import BadInputError, Problem
from runner.stack import (
    TOKEN_LIFETIME,
    find_stack,
    mint_token,
    read_secret,
)
from runner.writing import emit_in_format


def open_page(
    source: Annotated[
        str | None, typer.Argument(help="A result.json, or a batch's id.", metavar="[RESULT]")
    ] = None,
    *,
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="In a report: number essays, people and groups.")
    ] = False,
    subject: Annotated[
        str, typer.Option("--subject", help="Name of whoever uses the rooms: decisions bear it.")
    ] = "cj",
    admin: options.Admin = False,
    organisation: Annotated[
        str, typer.Option("--organisation", help="Whose batches and assignments the rooms show.")
    ] = DEFAULT_ORGANISATION,
    browser: Annotated[
        bool, typer.Option("--browser/--print", help="Open a browser, or only print the link.")
    ] = True,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Open the rooms of a stack in the browser, at a batch if one is named; or a result's report.

    The link to the rooms holds a token that is good for an hour: pass it on to nobody who should
    not come in. Making it needs the right to read the stack's secret. A file, a batch of --offline
    and one of --api-url are opened as a report, which is written where nobody else can read it.
    """
    is_file = source is not None and source.lower().endswith(".json")
    if is_file or place.offline or place.api_url is not None:
        page = _write_page(source, place, hide_names=hide_names)
        _open(page.as_uri(), wanted=browser, as_json=as_json)
        return
    aws = place.aws
    deployed = find_stack(place.stack, aws)
    token = mint_token(
        read_secret(deployed.api_secret_arn, aws),
        now=datetime.now(UTC),
        subject=subject,
        role=Role.ADMIN if admin else Role.ASSESSOR,
        organisation=organisation,
        lifetime=TOKEN_LIFETIME,
    )
    room = f"/batch/{source}" if source else "/"
    # In the fragment: it reaches no server, so it is in no log.
    address = f"{deployed.api_url.rstrip('/')}/app/#token={token}&open={room}"
    _open(address, wanted=browser, as_json=as_json)


def _write_page(source: str | None, place: PlaceOptions, *, hide_names: bool) -> Path:
    if source is None:
        message = "name a result.json or a batch's id to open its report"
        raise BadInputError(Problem(message, field="RESULT"))
    page = Path(tempfile.mkdtemp(prefix="cj-report-")) / "report.html"
    report(
        source,
        output=page,
        hide_names=hide_names,
        place=place,
    )
    return page


def _open(address: str, *, wanted: bool, as_json: bool) -> None:
    emit_in_format({"link": address}, address, as_json=as_json)
    if wanted and not webbrowser.open(address):
        note(f"Open it: {address}")
