"""Run one batch of real texts on the laptop cloud: `python -m local.demo`."""

from __future__ import annotations

import json
import signal
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from assessment.contracts.report import report_result, write_report
from assessment.domain.access import Role
from assessment.domain.comparison import Comparison
from assessment.domain.errors import CJError
from local import sample as samples
from local.judge import server as judges
from local.judge.options import JudgeOptions
from local.stack import cloud as clouds
from local.stack import deploy
from local.stack.processes import ROOT, LocalCloudError
from local.stack.stop import stop_all
from runner.api.answers import parse_result
from runner.client import ApiClient
from runner.errors import RunnerError
from runner.progress import ProgressDisplay
from runner.stack import mint_token, read_secret
from runner.tables import ranking_table, summary_lines
from runner.waiting import await_batch, require_completed

if TYPE_CHECKING:
    from local.sample import Sample
    from local.stack.cloud import Cloud
    from runner.waiting import Show

SAMPLE = ROOT / "samples" / "plastic-bottles"
RESULT = ROOT / "out" / "demo" / "result.json"
REPORT = RESULT.with_name("report.html")
# Twelve comparisons per text, in waves of four. The seed makes the demo the same on every
# machine: it decides the pairs, and with the judge's own seed who answers them.
CONFIG: dict[str, Any] = {
    "comparisons_per_essay_per_wave": 4,
    "min_comparisons_per_essay": 8,
    "max_comparisons_per_essay": 12,
    "seed": 2016,
}
PATIENCE = timedelta(minutes=10)
TOKEN_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Stage:
    """A laptop cloud with the stack on it, and its outputs."""

    cloud: Cloud
    outputs: dict[str, str]

    def token(self, subject: str = "demo", *, role: Role = Role.ADMIN) -> str:
        """A bearer token for the API, signed with the stack's secret; good for an hour."""
        return mint_token(
            read_secret(self.outputs["ApiSecretArn"], self.cloud.aws),
            now=datetime.now(UTC),
            subject=subject,
            role=role,
            lifetime=TOKEN_LIFETIME,
        )

    def client(self) -> ApiClient:
        """The API of the stack."""
        return ApiClient(self.outputs["ApiUrl"], self.token())


def run_batch(
    client: ApiClient,
    sample: Sample,
    *,
    config: Mapping[str, Any],
    show: Show,
    judge: object = None,
) -> dict[str, Any]:
    """Register the sample's anchors, run a batch of its essays, return its result document.

    Raises
    ------
    BatchNotFinalisedError
        If the batch ends without a result, or has not ended after ten minutes.
    """
    client.register_anchors(sample.registration)
    accepted = client.request_batch(
        sample.request(config, judge), idempotency_key=str(uuid.uuid4())
    )
    require_completed(await_batch(client, accepted.batch_id, show=show, timeout=PATIENCE))
    document = client.result_document(accepted.batch_id)
    counts = samples.agreement(parse_result(document), sample)
    return document | {"agreement": counts}


def set_up(console: Console, options: JudgeOptions) -> Stage:
    """Build the stack, start laptop cloud and judge, deploy; what already runs is kept."""
    with _step(console, "building the functions and layers"):
        deploy.build()
    with _step(console, "starting the laptop cloud"):
        cloud = clouds.start()
    with _step(console, "starting the sample judge"):
        judges.start(cloud, options)
    with _step(console, "deploying template.yaml"):
        return Stage(cloud, deploy.deploy(cloud, deploy.demo_parameters()))


def demo(
    seed: Annotated[int, typer.Option(help="Decides which person answers.")] = 1,
    latency: Annotated[float, typer.Option(help="The judge's mean seconds per verdict.")] = 0.2,
    error_rate: Annotated[float, typer.Option(help="Share of the judge's answers to fail.")] = 0.0,
    duplicate_rate: Annotated[float, typer.Option(help="Share of callbacks sent twice.")] = 0.0,
    shuffle: Annotated[float, typer.Option(help="Seconds to spread the callbacks over.")] = 0.0,
) -> None:
    """Run the demo; exits 0 only if the batch was finalised."""
    console = make_console()
    # `timeout` and a closing terminal must stop the servers as Ctrl-C does.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    options = JudgeOptions(
        seed=seed,
        latency=latency,
        error_rate=error_rate,
        duplicate_rate=duplicate_rate,
        shuffle=shuffle,
    )
    for last in (RESULT, REPORT):  # a run that fails must not leave the last one's result
        last.unlink(missing_ok=True)
    was_up = clouds.status() is not None
    try:
        stage = set_up(console, options)
    except LocalCloudError as error:
        if not was_up:
            stop_all()
        _fail(console, str(error))
    except KeyboardInterrupt:
        _stop_after_interruption(console)
    try:
        document, comparisons = _run(console, stage)
    except (RunnerError, CJError) as error:
        _print_places(console, stage, result=False)
        _fail(console, str(error))
    except KeyboardInterrupt:
        _stop_after_interruption(console)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = report_result(parse_result(document), comparisons=comparisons)
    REPORT.write_text(write_report(page), encoding="utf-8")
    _report(console, document)
    _print_places(console, stage, result=True)


def _run(console: Console, stage: Stage) -> tuple[dict[str, Any], list[Comparison]]:
    sample = samples.load(SAMPLE)
    console.print(
        f"\nassessing {len(sample.essays)} texts with {len(sample.registration.anchors)} anchors; "
        "the judge answers as real people did\n",
        highlight=False,
    )
    with stage.client() as client, ProgressDisplay(console) as display:
        document = run_batch(client, sample, config=CONFIG, show=display.show)
        return document, list(client.list_comparisons(document["batch_id"]))


def _report(console: Console, document: dict[str, Any]) -> None:
    result = parse_result(document)
    console.print()
    console.print(ranking_table(result))
    console.print()
    for line in summary_lines(result):
        console.print(line, markup=False, highlight=False)
    rho = document["agreement"]
    per_text = sum(r.comparison_count for r in result.rankings) / len(result.rankings)
    console.print(
        f"truth: Spearman {rho['spearman']:.3f} with the abilities by all 2,474 human judgements "
        f"({per_text:.1f} comparisons per text; students alone {rho['spearman_students']:.3f})",
        markup=False,
        highlight=False,
    )


def _print_places(console: Console, stage: Stage, *, result: bool) -> None:
    files = {"result": RESULT, "report": REPORT} if result else {}
    lines = {name: str(path.relative_to(ROOT)) for name, path in files.items()}
    lines |= {
        "API": stage.outputs["ApiUrl"],
        "events": "make events: the events that the stack published",
        "logs": "make logs-score_batch (or another function); the cloud's own: "
        f"{stage.cloud.server.log.relative_to(ROOT)}",
        "rooms": "cj open --local: batches, judging and decisions in a browser",
        "own texts": "cj execute --help",
        "stop": "the laptop cloud and the judge keep running, so that the next demo is quick: "
        "`make stop` ends them",
        "kept": "batches are in memory: `make stop` saves their results in out/batches/, a restart "
        "of the machine does not",
    }
    console.print()
    for name, line in lines.items():
        console.print(f"{name:>10}  {line}", markup=False, highlight=False, soft_wrap=True)


def make_console() -> Console:
    """The terminal; where there is none (a file, a pipe), lines wide enough for the table."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


class _step:  # noqa: N801 - reads as the statement it is
    """Prints what is being done, and the seconds it took."""

    def __init__(self, console: Console, words: str) -> None:
        self.console, self.words = console, words

    def __enter__(self) -> None:
        self.started = time.monotonic()
        if self.console.is_terminal:
            self.console.print(f"{self.words} ...", end="\r", highlight=False)

    def __exit__(self, kind: object, *_: object) -> None:
        seconds = time.monotonic() - self.started
        outcome = f"{seconds:5.1f} s" if kind is None else "failed"
        self.console.print(f"{self.words:<36} {outcome}", highlight=False)


def _fail(console: Console, message: str) -> NoReturn:
    console.print(f"demo: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


def _stop_after_interruption(console: Console) -> NoReturn:
    # A second Ctrl-C must not stop the clean-up of the first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    console.print("\ninterrupted; stopping the laptop cloud and the judge", highlight=False)
    stop_all()
    sys.exit(130)


def main() -> None:
    """Run the command."""
    typer.run(demo)


if __name__ == "__main__":
    main()
