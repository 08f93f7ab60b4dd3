"""`cj show`: what the judge of a comparison was told."""

from typing import Annotated

import typer

from runner.commands import options
from runner.console import OUT, emit, note
from runner.errors import BadInputError, Problem
from runner.files import to_json


def show(
    batch_id: options.BatchId,
    comparison_id: Annotated[
        str | None,
        typer.Argument(help="The comparison; the first one if left out.", metavar="[COMPARISON]"),
    ] = None,
    *,
    as_json: options.AsJson = False,
    offline: options.Offline = False,
    workspace: options.WorkspaceFolder = options.DEFAULT_WORKSPACE,
) -> None:
    """Print the prompt of a comparison, word by word, and what its judge answered.

    The prompt is about the comparison alone; where comparisons were asked about together, the
    others stood beside it. It has the essays in it. Only a workspace has what it takes: a stack
    keeps the texts to itself.

    For example:

      cj show 5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10 w001-00003 --offline
    """
    if not offline:
        message = "only a workspace can show prompts: give --offline"
        raise BadInputError(Problem(message, field="--offline"))
    from runner.offline.shown_prompts import show_prompt
    from runner.offline.workspace import Workspace

    with Workspace.opened(workspace) as opened:
        shown = show_prompt(opened, batch_id, comparison_id)
    if as_json:
        emit(to_json(shown.document))
        return
    note(f"comparison {shown.comparison.comparison_id}")
    for block in shown.blocks:
        OUT.rule(block.role)
        OUT.print(block.content, markup=False, soft_wrap=True)
    OUT.rule(f"answer of {shown.judge}")
    for line in shown.answer:
        OUT.print(line, markup=False, soft_wrap=True)
