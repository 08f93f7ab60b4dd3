"""`cj fit`: abilities from a file of judgements, without a stack."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from runner.commands import options
from runner.console import note
from runner.files import require_writable
from runner.writing import Format, choose_format, write_in_format

# As scoring.bradley_terry.Estimator, which is not imported before it is needed.
Estimator = Literal["map", "variational", "mle", "firth", "epsilon", "choix"]


def fit(
    judgements: Annotated[
        Path,
        typer.Argument(
            help="CSV with a winner and a loser (candidate_chosen, candidate_not_chosen; chosen, "
            "notChosen; won, lost), with two texts and a result (text_a, text_b, verdict), or with "
            "two texts and how often each won (player1, player2, win1, win2); .jsonl and .json "
            "with the same names; or a batch's comparisons: its comparisons.jsonl, or what "
            "`cj comparisons` wrote."
        ),
    ],
    *,
    estimator: Annotated[
        Estimator,
        typer.Option(
            "--estimator",
            help=f"One of {', '.join(get_args(Estimator))}; variational is what batches use.",
        ),
    ] = "variational",
    prior_sd: Annotated[
        float | None,
        typer.Option(
            "--prior-sd",
            min=0.01,
            help="Assume this standard deviation of abilities, logits (variational, map). Without "
            "it variational estimates it, as batches do, and map assumes 2.",
        ),
    ] = None,
    order_effect: Annotated[
        bool,
        typer.Option(
            "--order-effect", help="The first text was shown first: estimate what that is worth."
        ),
    ] = False,
    winner_column: Annotated[
        str | None, typer.Option("--winner-column", help="Column with the better text.")
    ] = None,
    loser_column: Annotated[
        str | None, typer.Option("--loser-column", help="Column with the other one.")
    ] = None,
    first_column: Annotated[
        str | None, typer.Option("--first-column", help="Column with one text of the pair.")
    ] = None,
    second_column: Annotated[
        str | None, typer.Option("--second-column", help="Column with the other text.")
    ] = None,
    result_column: Annotated[
        str | None,
        typer.Option(
            "--result-column",
            help="Column that says which is better: a, b, tie; left, right; 1, 2; or its name.",
        ),
    ] = None,
    score_column: Annotated[
        str | None,
        typer.Option("--score-column", help="Column with 1 (the first is better), 0 or 0.5."),
    ] = None,
    judge_column: Annotated[
        str | None, typer.Option("--judge-column", help="Column that names the judge.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="table unless --output ends in .json or .csv."),
    ] = None,
    as_json: options.AsJson = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Fit abilities to a file of judgements, off line.

    Usual names of columns are recognised whatever their case; others are named with the options.
    Standard errors are in the sum-to-zero gauge. Repeats of one pair by one known judge weigh as
    one (not with epsilon and choix).
    """
    # numpy and scipy cost most of a second; the other commands do without.
    from runner import fitting
    from runner.judgement_layouts import Columns
    from runner.judgements import read_judgements

    output_format = choose_format(output, form, as_json=as_json)
    if output:
        require_writable(output)
    columns = Columns(
        winner=winner_column,
        loser=loser_column,
        first=first_column,
        second=second_column,
        result=result_column,
        score=score_column,
        judge=judge_column,
    )
    table = read_judgements(judgements, shown_order=order_effect, columns=columns)
    result = fitting.fit_judgements(
        table,
        estimator=estimator,
        prior_sd=prior_sd,
        order_effect=order_effect,
    )
    write_in_format(
        output_format,
        output,
        table=lambda: fitting.abilities_table(result),
        csv=lambda: fitting.fit_csv(result),
        document=lambda: fitting.fit_document(result),
    )
    if table.n_without_verdict:
        note(f"left out, because nobody has judged them: {table.n_without_verdict} comparisons")
    for line in fitting.notes(result):
        note(line)
