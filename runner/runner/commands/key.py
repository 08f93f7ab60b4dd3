"""`cj key set`: giving a stack the key of a provider."""

import sys
from typing import Annotated

import typer

from runner.commands import options
from runner.console import note
from runner.errors import BadInputError, Problem
from runner.keys import KEY_VARIABLES, key_of_environment, secret_id, store_key
from runner.stack import DEFAULT_STACK, Aws, find_stack
from runner.writing import emit_or_note

app = typer.Typer(help="Keys of the providers whose models judge.", no_args_is_help=True)


@app.command("set")
def set_key(
    name: Annotated[
        str,
        typer.Argument(help="openai, anthropic, or the api_key_secret of a judge.", metavar="NAME"),
    ],
    *,
    stack: options.StackName = DEFAULT_STACK,
    local: options.Local = False,
    as_json: options.AsJson = False,
) -> None:
    """Store a provider's key in the stack's Secrets Manager, for every later batch.

    The key is that of OPENAI_API_KEY or ANTHROPIC_API_KEY if it is set, else it is read from
    standard input or asked for. It is never shown and never an argument.
    """
    aws = Aws.local() if local else Aws.from_environment()
    find_stack(stack, aws)
    key = key_of_environment(name)
    if key:
        note(f"The key is that of {KEY_VARIABLES[name]}")
    elif sys.stdin.isatty():
        key = typer.prompt(f"Key of {name}", hide_input=True, err=True).strip()
    else:
        key = sys.stdin.readline().strip()
    if not key:
        raise BadInputError(Problem("is empty; give it on standard input", field="key"))
    store_key(name, key, stack=stack, aws=aws)
    stored = secret_id(stack, name)
    emit_or_note({"secret": stored}, f"Stored: {stored}", as_json=as_json)
