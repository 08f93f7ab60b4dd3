"""Groups of options: one parameter of a command, several options of its user."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from runner.commands.command_app import CommandApp


@dataclass(frozen=True, kw_only=True)
class Place:
    town: Annotated[str, typer.Option("--town", help="Where.")]
    number: Annotated[int, typer.Option("--number", "-n", min=1)] = 1


app = CommandApp()


@app.command()
def write(
    to: str,
    *,
    place: Place,
    urgent: Annotated[bool, typer.Option("--urgent")] = False,
) -> None:
    typer.echo(f"{to}: {place} {urgent}")


def test_a_group_arrives_as_one_value_made_of_its_options() -> None:
    result = CliRunner().invoke(app, ["Ada", "--urgent", "--town", "Lund", "-n", "3"])
    assert result.output == f"Ada: {Place(town='Lund', number=3)} True\n"
    assert "number=1" in CliRunner().invoke(app, ["Ada", "--town", "Lund"]).output


def test_the_options_of_a_group_are_checked_each_by_its_own_rule() -> None:
    missing = CliRunner().invoke(app, ["Ada"])
    wrong = CliRunner().invoke(app, ["Ada", "--town", "Lund", "--number", "0"])
    assert (missing.exit_code, wrong.exit_code) == (2, 2)
    assert "--town" in missing.output
    assert "--number" in wrong.output


def test_a_command_can_still_be_called_with_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    write("Ada", place=Place(town="Lund"))
    assert capsys.readouterr().out.startswith("Ada: ")
