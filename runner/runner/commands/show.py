"""`cj show`: what the judge of a comparison was told."""

from typing import Annotated

import typer

from assessment.contracts.views import PromptView
from assessment.domain.verdict import ListVerdict, describe_order
from runner.batch_client import BatchClient
from runner.commands import options
from runner.commands.place import PlaceOptions
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
    place: PlaceOptions,
) -> None:
    """Print the prompt of a comparison, word by word, and what its judge answered.

    The prompt is about the comparison alone; where comparisons were asked about together, the
    others stood beside it. It has the essays in it.

    For example:

      cj show 5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10 w001-00003 --offline
    """
    with place.open() as client:
        shown = client.prompt(batch_id, comparison_id or _find_first(client, batch_id))
    if as_json:
        emit(to_json(shown.model_dump(mode="json")))
        return
    _print(shown)


def _find_first(client: BatchClient, batch_id: str) -> str:
    """The id of the batch's first comparison."""
    first = next(iter(client.list_comparisons(batch_id)), None)
    if first is None:
        message = f"batch {batch_id} has no comparisons yet"
        raise BadInputError(Problem(message, field="COMPARISON"))
    return first.comparison_id


def _print(shown: PromptView) -> None:
    note(f"comparison {shown.comparison.comparison_id}")
    for block in shown.prompt:
        OUT.rule(block.role)
        OUT.print(block.content, markup=False, soft_wrap=True)
    OUT.rule(f"answer of {shown.judge}")
    for line in describe_answer(shown):
        OUT.print(line, markup=False, soft_wrap=True)


def describe_answer(shown: PromptView) -> list[str]:
    """What the judge answered, in lines."""
    verdict, failure = shown.comparison.verdict, shown.comparison.failure
    if verdict is None:
        return [failure.message if failure else "none yet"]
    if isinstance(verdict, ListVerdict):
        return [describe_order(verdict), *filter(None, [verdict.justification])]
    degree = f", {verdict.degree}" if verdict.degree else ""
    return [f"{verdict.winner}{degree}", *filter(None, [verdict.justification])]
