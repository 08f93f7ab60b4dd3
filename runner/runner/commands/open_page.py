"""`cj open`: the report of a batch in the browser."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from runner.commands import options
from runner.commands.report import report
from runner.console import note
from runner.stack import DEFAULT_STACK


def open_page(
    source: Annotated[
        str, typer.Argument(help="A result.json, or a batch's id.", metavar="RESULT")
    ],
    *,
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="Number essays, people and groups.")
    ] = False,
    stack: options.StackName = DEFAULT_STACK,
    local: options.Local = False,
    api_url: options.ApiUrl = None,
    offline: options.Offline = False,
    workspace: options.WorkspaceFolder = options.DEFAULT_WORKSPACE,
) -> None:
    """Write the report of a batch where nobody else can read it, and open it in the browser.

    Where there is no browser, its address is printed.
    """
    folder = Path(tempfile.mkdtemp(prefix="cj-report-"))
    page = folder / "report.html"
    report(
        source,
        output=page,
        hide_names=hide_names,
        stack=stack,
        local=local,
        api_url=api_url,
        offline=offline,
        workspace=workspace,
    )
    if not webbrowser.open(page.as_uri()):
        note(f"Open it: {page.as_uri()}")
