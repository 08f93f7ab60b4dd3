"""`cj plan`, `cj dry-run`, `cj simulate`: what batches and studies would come to."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from runner.commands import options
from runner.commands.assessment_options import JudgingOptions, NameOptions, TextOptions
from runner.commands.execute import describe_folder
from runner.console import ERR, OUT, emit, note
from runner.essays import Reading, UnreadableFilesError
from runner.files import require_writable, to_json
from runner.inputs import Assessment, read_assessment
from runner.inventory import inventory_table, language_lines, showing_what_was_read
from runner.planning_tables import describe_cap, forecast_table, outlook_csv, outlook_table
from runner.writing import Format, choose_format, write_in_format, write_or_emit

Folder = Annotated[
    Path, typer.Argument(help="Folder or .zip of essays, as for cj execute.", metavar="FOLDER")
]
Anchors = Annotated[
    Path | None,
    typer.Option("--anchors", help="CSV of graded anchors: anchor_ref, grade, and file or text."),
]
Agreement = Annotated[
    float | None,
    typer.Option(
        "--agreement",
        min=0.51,
        max=0.99,
        help="Share of random pairs in which the judge sides with the truth; a range if left out.",
    ),
]


def plan(
    folder: Folder,
    *,
    anchors: Anchors = None,
    scale: options.Scale = None,
    texts: TextOptions,
    judging: JudgingOptions,
    naming: NameOptions,
    agreement: Agreement = None,
    seconds_per_call: Annotated[
        float, typer.Option(min=0.01, help="How long a call of the judge takes.")
    ] = 4.0,
    concurrency: options.Concurrency = options.DEFAULT_CONCURRENCY,
    batches: Annotated[
        int, typer.Option(min=1, max=200, help="Simulated batches for each quality of judge.")
    ] = 1,
    as_json: options.AsJson = False,
) -> None:
    """Say what is in a folder and what assessing it would take. Nothing is sent or paid.

    Comparisons, waves, standard errors and reliability are those of simulated batches under the
    product's own planner and stopping rule, from a poor judge to a good one unless --agreement
    says. Tokens are those of the prompts that would be sent; the range of the cost has both in it.

    Exit codes: 0 done, 2 bad input; files that cannot be read are all named, beside those that can.

    For example:

      cj plan essays/

      cj plan essays/ --anchors anchors.csv --judge openai/gpt-4.1-mini --json
    """
    try:
        with showing_what_was_read(folder):
            assessment = _read(folder, anchors, scale, texts, judging, naming)
    except UnreadableFilesError as error:
        if as_json:
            problems = [asdict(problem) for problem in error.problems]
            emit(to_json({"essays": _list_readings(error.readings), "problems": problems}))
        raise
    from runner.offline.forecast import forecast

    outlook = forecast(
        assessment,
        agreement=agreement,
        n_calls=concurrency,
        seconds_per_call=seconds_per_call,
        n_batches=batches,
    )
    if as_json:
        emit(
            to_json(
                {"essays": _list_readings(assessment.folder.readings), "forecast": asdict(outlook)}
            )
        )
        return
    OUT.print(forecast_table(outlook))
    if caution := describe_cap(outlook):
        note(caution)


def _read(
    folder: Path,
    anchors: Path | None,
    scale: str | None,
    texts: TextOptions,
    judging: JudgingOptions,
    naming: NameOptions,
) -> Assessment:
    assessment = read_assessment(
        folder,
        anchors=anchors,
        assignment=None,
        scale=scale,
        texts=texts.files,
        settings=judging.list_settings(),
        judges=judging.judges,
        names=naming.names,
        named_after=naming.named_after,
    )
    ERR.print(inventory_table(assessment.folder.readings))
    for line in (
        *language_lines(assessment.folder),
        *describe_folder(assessment.folder, verbose=False),
    ):
        note(line)
    return assessment


def _list_readings(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    return [asdict(reading) for reading in readings]


def dry_run(
    folder: Folder,
    *,
    anchors: Anchors = None,
    assignment: options.Assignment = None,
    scale: options.Scale = None,
    texts: TextOptions,
    judging: JudgingOptions,
    naming: NameOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .json.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Print what `cj execute` would send: the registration and the request, checked whole.

    The same rules check it as those of a stack, up to what only a stack knows: its assignments and
    its keys. Exit codes: 0 it would be taken, 2 bad input.

    For example:

      cj dry-run essays/ --judge openai/gpt-4.1-mini --config max_waves=3
    """
    del as_json  # it is JSON whether asked for or not
    if output is not None:
        choose_format(output, formats=[Format.JSON])
        require_writable(output)
    assessment = read_assessment(
        folder,
        anchors=anchors,
        assignment=assignment,
        scale=scale,
        texts=texts.files,
        settings=judging.list_settings(),
        judges=judging.judges,
        names=naming.names,
        named_after=naming.named_after,
        output=output,
    )
    from runner.offline.dry_run import check_envelope

    write_or_emit(to_json(check_envelope(assessment)), output)
    n_essays = len(assessment.request.essays)
    note(f"{n_essays} essays: a stack would take the request")


def simulate(
    *,
    essays: Annotated[
        str, typer.Option("--essays", help="Sizes of class, with commas between.")
    ] = "30",
    anchors: Annotated[
        str, typer.Option("--anchors", help="Numbers of anchors, with commas between.")
    ] = "0",
    agreement: Annotated[
        str,
        typer.Option(
            "--agreement",
            help="Qualities of judges, with commas between: the share of random pairs in which the "
            "judge sides with the truth.",
        ),
    ] = "0.68,0.75,0.82",
    scale: options.Scale = None,
    judging: JudgingOptions,
    words: Annotated[int, typer.Option(min=1, help="Words of an essay, for the cost.")] = 300,
    batches: Annotated[
        int, typer.Option(min=1, max=1000, help="Simulated batches of each design.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same batches.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .json, .csv or .txt.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Picture to write: .svg, .png or .pdf.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Plan a study: reliability, grades and cost of designs, in simulated batches.

    Every combination of --essays, --anchors and --agreement is a design. Simulated essays and
    judges go through the product's own planner, statistics, decisions and grading; anchors have
    the errors of real graders. Ranges hold 80% of the batches.

    For example:

      cj simulate --essays 8,10 --agreement 0.75 --batches 1 -o study.csv --plot study.svg
    """
    from runner.offline.studies import run_study

    output_format = choose_format(output, None, as_json=as_json)
    for path in filter(None, (output, plot)):
        require_writable(path)
    rows = run_study(
        essays=essays,
        anchors=anchors,
        agreements=agreement,
        scale=scale,
        settings=judging.list_settings(),
        judges=judging.judges,
        words=words,
        n_batches=batches,
        seed=seed,
        show=note,
    )

    def table() -> Table:
        return outlook_table(rows)

    write_in_format(
        output_format,
        output,
        table=table,
        csv=lambda: outlook_csv(rows),
        document=lambda: {"simulated": True, "designs": [asdict(row) for row in rows]},
    )
    if plot is not None:
        from runner.offline.study_plot import draw_study

        draw_study(rows, plot)
        note(f"Written: {plot}")
