"""`cj local`: the laptop cloud of a checkout, started, looked at and stopped."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from runner.errors import BadInputError, ExitCode, Problem

_MARK = Path("local") / "stack" / "cloud.py"

app = typer.Typer(
    no_args_is_help=True,
    help="The laptop cloud: the whole stack on this machine, from a checkout of the project.",
)


def _run(*module: str) -> None:
    """Run a module of the checkout that the working folder is in.

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
    ended = subprocess.run([sys.executable, "-m", *module], cwd=checkout, check=False)  # noqa: S603 - our own modules
    if ended.returncode:
        raise typer.Exit(ExitCode.NO_STACK)


@app.command()
def up() -> None:
    """Start the cloud, and deploy the stack to it; what runs already is kept."""
    _run("local.stack.cloud", "up")
    _run("local.stack.deploy", "deploy")


@app.command()
def down() -> None:
    """Stop everything that was started in the checkout."""
    _run("local.stack.stop")


@app.command()
def status() -> None:
    """Say whether it runs, and where."""
    _run("local.stack.cloud", "status")


@app.command()
def logs(
    function: Annotated[str, typer.Argument(help="A function: score_batch, call_judge, ...")],
) -> None:
    """Show what one function logged."""
    _run("local.stack.look", "logs", function)
