"""`cj local`: the laptop cloud of a checkout, started, looked at and stopped."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from runner.commands import options
from runner.console import emit
from runner.errors import BadInputError, ExitCode, Problem
from runner.files import to_json

_MARK = Path("local") / "stack" / "cloud.py"

app = typer.Typer(
    no_args_is_help=True,
    help="The laptop cloud: the whole stack on this machine, from a checkout of the project.",
)


def _run(*modules: tuple[str, ...], as_json: bool) -> None:
    """Run modules of the checkout that the working folder is in; as JSON, what they printed.

    Raises
    ------
    BadInputError
        If it is in none.
    """
    here = Path.cwd()
    checkout = next((each for each in (here, *here.parents) if (each / _MARK).is_file()), None)
    if checkout is None:
        message = "the laptop cloud runs from a checkout of the project: change into one"
        raise BadInputError(Problem(message, file=str(here)))
    lines: list[str] = []
    for module in modules:
        ended = subprocess.run(  # noqa: S603 - our own modules
            [sys.executable, "-m", *module],
            cwd=checkout,
            check=False,
            text=True,
            stdout=subprocess.PIPE if as_json else None,
        )
        lines += ended.stdout.splitlines() if as_json else []
        if ended.returncode:
            break
    if as_json:
        emit(to_json({"is_done": not ended.returncode, "lines": lines}))
    if ended.returncode:
        raise typer.Exit(ExitCode.NO_STACK)


@app.command()
def up(*, as_json: options.AsJson = False) -> None:
    """Start the cloud, and deploy the stack to it; what runs already is kept."""
    _run(("local.stack.cloud", "up"), ("local.stack.deploy", "deploy"), as_json=as_json)


@app.command()
def down(*, as_json: options.AsJson = False) -> None:
    """Stop everything that was started in the checkout."""
    _run(("local.stack.stop",), as_json=as_json)


@app.command()
def status(*, as_json: options.AsJson = False) -> None:
    """Say whether it runs, and where."""
    _run(("local.stack.cloud", "status"), as_json=as_json)


@app.command()
def logs(
    function: Annotated[str, typer.Argument(help="A function: score_batch, call_judge, ...")],
    *,
    as_json: options.AsJson = False,
) -> None:
    """Show what one function logged."""
    _run(("local.stack.look", "logs", function), as_json=as_json)
