"""`cj attention`, `cj decide`, `cj release`: a person decides on the grades of a batch."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from assessment.contracts.decisions import AttentionView, DecisionRequest, ReleaseRequest
from assessment.contracts.parsing import parse
from assessment.contracts.request import MAX_ESSAYS
from assessment.domain.grade_decision import DecisionState
from runner.commands import options
from runner.commands.place import PlaceOptions
from runner.console import OUT, emit, note
from runner.errors import BadInputError, Problem
from runner.files import to_json

_STATES = {
    DecisionState.OPEN: "waits for a decision",
    DecisionState.AWAITING_SECOND: "waits for a second assessor",
    DecisionState.DISAGREED: "its assessors disagree: decide again, or let a third decide",
    DecisionState.DECIDED: "decided",
}


def attention(
    batch_id: options.BatchId,
    *,
    limit: Annotated[int, typer.Option(min=1, max=MAX_ESSAYS, help="Essays to show.")] = 30,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """List the essays that need a person, the most urgent first."""
    with place.open() as client:
        listed = client.attention(batch_id, limit=limit)
    if as_json:
        emit(to_json(listed.model_dump(mode="json")))
        return
    OUT.print(attention_table(listed))
    note(f"{len(listed.essays)} of {listed.n_essays} essays that need a person")


def attention_table(listed: AttentionView) -> Table:
    """One row for each essay; texts of others are shown as they are, without markup."""
    table = Table("essay", "proposed", "why", "decision")
    for essay in listed.essays:
        causes = [f"{cause.reason} {cause.size:g}: {cause.detail}" for cause in essay.causes]
        cells = (
            essay.essay_id, essay.proposed_grade or "-", "\n".join(causes), _STATES[essay.state],
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def decide(
    batch_id: options.BatchId,
    essay_id: Annotated[str, typer.Argument(help="The essay's id.", metavar="ESSAY_ID")],
    grade: Annotated[
        str | None, typer.Argument(help="The grade, on the batch's scale.", metavar="[GRADE]")
    ] = None,
    *,
    no_grade: Annotated[
        bool, typer.Option("--no-grade", help="The essay gets no grade; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why the grade is not the proposed one.")
    ] = None,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Confirm or change the grade that is proposed for an essay, under the name in the token.

    A token that the command makes by itself has the name `cj`. With two assessors each needs a
    token of their own in CJ_TOKEN (`cj token --subject NAME`).
    """
    if (grade is None) is not no_grade:
        raise BadInputError(Problem("give a grade or --no-grade, and not both", field="GRADE"))
    request = parse(DecisionRequest, {"grade": grade, "reason": reason})
    with place.open() as client:
        view = client.decide(batch_id, essay_id, request)
    if as_json:
        emit(to_json(view.model_dump(mode="json")))
        return
    proposed = view.proposed_grade or "nothing"
    decided = f"{view.grade or 'no grade'} ({proposed} was proposed)"
    state = decided if view.state is DecisionState.DECIDED else _STATES[view.state]
    OUT.print(f"essay {view.essay_id}: {state}", markup=False, soft_wrap=True)


def release(
    batch_id: options.BatchId,
    *,
    without_decisions: Annotated[
        bool,
        typer.Option(
            "--without-decisions", help="Release proposed grades that nobody decided on, too."
        ),
    ] = False,
    place: PlaceOptions,
    as_json: options.AsJson = False,
) -> None:
    """Release the grades of a batch, once and permanently; names the essays that it waits for."""
    with place.open() as client:
        released = client.release(batch_id, ReleaseRequest(without_decisions=without_decisions))
    if as_json:
        emit(to_json(released.model_dump(mode="json")))
        return
    OUT.print(
        f"batch {batch_id} is released by {released.released_by}; "
        f"its decisions have the SHA-256 {released.decisions_sha256}",
        markup=False,
        soft_wrap=True,
    )
