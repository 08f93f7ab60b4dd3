"""Options that several commands share, and the connection that they describe."""

from datetime import datetime, time
from pathlib import Path
from typing import Annotated

import typer

from runner.errors import BadInputError, Problem
from runner.essays import NameSource

StackName = Annotated[
    str,
    typer.Option("--stack", envvar="CJ_STACK", help="Stack whose outputs say where the API is."),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local", help="The laptop cloud: AWS at 127.0.0.1, port CJ_PORT (4566), no credentials."
    ),
]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api-url", help="The API's base address, instead of --stack; the token is in CJ_TOKEN."
    ),
]
Admin = Annotated[
    bool,
    typer.Option(
        "--admin", help="Ask with administrator rights (not with CJ_TOKEN, which has its own)."
    ),
]
DEFAULT_WORKSPACE = Path(".cj")
Offline = Annotated[
    bool,
    typer.Option(
        "--offline/--no-offline",
        envvar="CJ_OFFLINE",
        help="Without a stack: in a folder of this machine, see --workspace.",
    ),
]
WorkspaceFolder = Annotated[
    Path,
    typer.Option(
        "--workspace", envvar="CJ_WORKSPACE", help="Folder with the batches of --offline."
    ),
]
Config = Annotated[
    list[str] | None,
    typer.Option("--config", help="Setting of the batch as name=value; may be repeated."),
]
MaxComparisons = Annotated[
    int | None,
    typer.Option(
        "--max-comparisons",
        min=1,
        help="The most comparisons: --config max_pairwise_comparisons. All essays are sent anyway.",
    ),
]
JudgingDeadline = Annotated[
    datetime | None,
    typer.Option(
        "--judging-deadline",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z"],
        metavar="TIME",
        help="People may judge until 2026-03-12 (its end) or 2026-03-12T16:00, local time.",
    ),
]
Judge = Annotated[
    list[str] | None,
    typer.Option(
        "--judge",
        help="Who judges instead of the stack's endpoint: provider/model, with settings behind "
        "commas (openai/gpt-4.1-mini,batching_mode=provider_batch_api), or a JSON file. "
        "Repeated, a jury.",
    ),
]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        envvar="CJ_CONCURRENCY",
        min=1,
        max=500,
        help="Calls of judges at the same time, with --offline.",
    ),
]
DEFAULT_CONCURRENCY = 10
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for another program; the same as --format json.")
]
BatchId = Annotated[str, typer.Argument(help="The batch's id.", metavar="BATCH_ID")]
Assignment = Annotated[
    str | None,
    typer.Option("--assignment", help="Assignment id; without one it is made of the anchors."),
]
Scale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        help="Grade scale: a name (swedish_8_anchor unless the assignment has one), or the "
        "labels from worst to best with commas between.",
    ),
]
Instructions = Annotated[
    list[Path] | None,
    typer.Option("--instructions", help="File that tells the judge the task; may be repeated."),
]
StudentPrompt = Annotated[
    Path | None, typer.Option("--student-prompt", help="File with the prompt the students had.")
]
Names = Annotated[
    Path | None,
    typer.Option("--names", help="CSV with file and essay_id: ids that are not the files' names."),
]
NamedAfter = Annotated[
    NameSource,
    typer.Option(
        "--named-after", help="What gives the essays their ids: file, folder, or path (both)."
    ),
]
Rubric = Annotated[
    Path | None, typer.Option("--rubric", help="File that says what the judge is to look for.")
]

Roster = Annotated[
    Path | None,
    typer.Option(
        "--roster",
        help="File of pupils' names, one a line, to mask before anything is stored or judged.",
    ),
]
Mask = Annotated[
    bool,
    typer.Option(
        "--mask", help="Mask e-mail addresses, phone and national numbers; names by --roster."
    ),
]


def join_settings(
    config: list[str] | None,
    max_comparisons: int | None,
    judging_deadline: datetime | None = None,
) -> list[str]:
    """The settings of a batch, with those that have options of their own.

    Raises
    ------
    BadInputError
        If one is given both ways.
    """
    settings = list(config or ())
    if max_comparisons is not None:
        names = ("max_pairwise_comparisons", "max_comparisons")
        _refuse_twice(settings, names, "--max-comparisons")
        settings.append(f"max_pairwise_comparisons={max_comparisons}")
    if judging_deadline is not None:
        _refuse_twice(settings, ("judging_deadline",), "--judging-deadline")
        settings.append(f"judging_deadline={read_local(judging_deadline).isoformat()}")
    return settings


def _refuse_twice(settings: list[str], names: tuple[str, ...], option: str) -> None:
    if any(setting.partition("=")[0].strip() in names for setting in settings):
        raise BadInputError(Problem("is given by --config, too; give it once", field=option))


def read_local(moment: datetime) -> datetime:
    """A moment with its zone, this machine's if it names none; a day alone means its end."""
    if moment.tzinfo is None and moment.time() == time.min:
        moment = moment.replace(hour=23, minute=59)
    return moment.astimezone() if moment.tzinfo is None else moment
