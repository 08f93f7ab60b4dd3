"""`cj fit`: abilities from a file of judgements, without a stack."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from runner.console import note
from runner.files import require_writable, to_json
from runner.writing import Format, format_of, print_table, write_or_emit

# As scoring.bradley_terry.Estimator, which is not imported before it is needed.
Estimator = Literal["map", "variational", "mle", "firth", "epsilon", "choix"]


def fit(
    judgements: Annotated[
        Path,
        typer.Argument(
            help="CSV with candidate_chosen, candidate_not_chosen, or with text_a, text_b, "
            "verdict (a, b, tie); judge is optional in both."
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
        float,
        typer.Option(
            "--prior-sd", min=0.01, help="Prior sd of abilities, logits (variational, map)."
        ),
    ] = 2.0,
    order_effect: Annotated[
        bool,
        typer.Option("--order-effect", help="text_a was shown first: estimate what that is worth."),
    ] = False,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="table unless --output ends in .json or .csv."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Fit abilities to a file of judgements, off line.

    Standard errors are in the sum-to-zero gauge. Repeats of one pair by one known judge weigh as
    one (not with epsilon and choix).
    """
    # numpy and scipy cost most of a second; the other commands do without.
    from runner import fitting
    from runner.judgements import read_judgements

    if output:
        require_writable(output)
    result = fitting.fit_judgements(
        read_judgements(judgements, shown_order=order_effect),
        estimator=estimator,
        prior_sd=prior_sd,
        order_effect=order_effect,
    )
    chosen = form or format_of(output)
    if chosen is Format.TABLE:
        print_table(fitting.abilities_table(result), output)
    elif chosen is Format.CSV:
        write_or_emit(fitting.fit_csv(result), output)
    else:
        write_or_emit(to_json(fitting.fit_document(result)), output)
    for line in fitting.notes(result):
        note(line)
