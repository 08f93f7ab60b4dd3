"""A running batch on the terminal: a model of what to say, and two ways of saying it."""

from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from assessment.contracts.views import BatchProgress, WaveProgress
from assessment.domain.batch import FINAL_STATUSES, BatchStatus, budget
from assessment.domain.config import BatchConfig
from assessment.domain.decision import Reason
from assessment.domain.readings import PAIR

_IN_WORDS: dict[str, str] = {
    BatchStatus.INITIALIZING: "preparing the essays",
    BatchStatus.GENERATING_PAIRS: "planning a wave",
    BatchStatus.WAITING_CALLBACKS: "waiting for verdicts",
    BatchStatus.SCORING: "scoring",
    BatchStatus.COMPLETED: "completed",
    BatchStatus.FAILED: "failed",
    BatchStatus.CANCELLED: "cancelled",
}
_BAR_WIDTH = 24


@dataclass(frozen=True)
class Snapshot:
    """What is worth saying about a batch at one moment.

    Standard errors are in standard deviations of the abilities, as their target is.

    `most` is the largest number of comparisons the batch may plan, or of readings of an essay where
    `readings` says how many there are so far: in a batch with lists. `share` is how much of what is
    planned has its verdict or has failed, between 0 and 1.
    """

    batch_id: str
    status: str
    activity: str
    ended: bool
    waves: tuple[WaveProgress, ...]
    planned: int
    recorded: int
    failed: int
    pending: int
    most: int | None
    standardised_se: float | None
    target_mean_se: float | None
    reliability: float | None
    troubles: tuple[str, ...] = ()
    readings: int | None = None

    @property
    def share(self) -> float:
        """The settled part of the planned comparisons."""
        return (self.recorded + self.failed) / self.planned if self.planned else 0.0


def snapshot(batch: BatchProgress) -> Snapshot:
    """What the API's answer says; the standard error is that of the last scored wave."""
    scored = [wave for wave in batch.waves if wave.standardised_se is not None]
    last = scored[-1] if scored else None
    target = batch.config.get("target_mean_se")
    return Snapshot(
        batch_id=batch.batch_id,
        status=batch.status,
        activity=_IN_WORDS.get(batch.status, batch.status),
        ended=is_ended(batch),
        waves=tuple(batch.waves),
        planned=batch.comparisons.planned,
        recorded=batch.comparisons.recorded,
        failed=batch.comparisons.failed,
        pending=batch.comparisons.pending,
        troubles=tuple(
            f"{trouble.judge} has not answered since {trouble.failing_since:%H:%M:%S}: "
            f"{trouble.message}"
            for trouble in batch.judge_troubles
        ),
        most=_most(batch),
        standardised_se=last.standardised_se if last else None,
        target_mean_se=float(target) if target is not None else None,
        reliability=last.reliability if last and not _is_at_chance(batch) else None,
        readings=batch.readings,
    )


def _is_at_chance(batch: BatchProgress) -> bool:
    """Whether the judge was refused as no better than chance: its verdicts have no reliability."""
    return bool(batch.failure and batch.failure["code"] == Reason.JUDGE_AT_CHANCE)


def is_ended(batch: BatchProgress) -> bool:
    """Whether nothing about the batch can change any more."""
    return batch.status in FINAL_STATUSES


def _most(batch: BatchProgress) -> int | None:
    caps = BatchConfig.model_fields.keys() & batch.config.keys()
    try:
        config = BatchConfig.model_validate({name: batch.config[name] for name in caps})
    except ValueError:
        return None
    most = budget(config, batch.essays + batch.anchors)
    return most if batch.readings is None else PAIR * most


def headline(now: Snapshot) -> str:
    """The batch in one line."""
    parts = [now.activity, f"{now.recorded} of {now.planned} verdicts"]
    if now.failed:
        parts.append(f"{now.failed} failed")
    if now.readings is not None:
        parts.append(f"{now.readings} readings")
    if now.most is not None:
        parts.append(f"at most {now.most}")
    if now.standardised_se is not None:
        target = f" (target {now.target_mean_se:.2f})" if now.target_mean_se is not None else ""
        parts.append(f"SE {now.standardised_se:.2f} sd{target}")
    if now.reliability is not None:
        parts.append(f"model reliability {now.reliability:.2f}")
    parts.extend(now.troubles)
    return " · ".join(parts)


def wave_line(wave: WaveProgress) -> str:
    """A wave in one line."""
    failed = f", {wave.failed} failed" if wave.failed else ""
    scored = f", SE {wave.standardised_se:.2f} sd" if wave.standardised_se is not None else ""
    closed = f", closed by {wave.closed_by}" if wave.closed_by else ""
    return (
        f"wave {wave.wave} {wave.status.lower()}: {wave.recorded} of {wave.planned} verdicts"
        f"{failed}{scored}{closed}"
    )


def describe_changes(previous: Snapshot | None, now: Snapshot) -> list[str]:
    """What has happened since, a line each: waves that moved on, judges in trouble, the end."""
    last_statuses = {wave.wave: wave.status for wave in previous.waves} if previous else {}
    # A wave whose plan is not stored yet would read "0 of 0 verdicts".
    lines = [
        wave_line(wave)
        for wave in now.waves
        if wave.planned and last_statuses.get(wave.wave) != wave.status
    ]
    lines += _list_new_troubles(previous, now)
    if now.ended and not (previous and previous.ended):
        lines.append(headline(now))
    return lines


def _list_new_troubles(previous: Snapshot | None, now: Snapshot) -> list[str]:
    earlier_troubles = previous.troubles if previous else ()
    return [trouble for trouble in now.troubles if trouble not in earlier_troubles]


def _wave_table(waves: tuple[WaveProgress, ...], *, shows_reliability: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("wave", "", "verdicts", "failed", "SE (sd)", "reliability", "closed by"):
        table.add_column(name, justify="left" if name in ("", "closed by") else "right")
    for wave in waves:
        table.add_row(
            str(wave.wave),
            ProgressBar(
                total=max(wave.planned, 1),
                completed=wave.recorded + wave.failed,
                width=_BAR_WIDTH,
            ),
            f"{wave.recorded}/{wave.planned}",
            str(wave.failed) if wave.failed else "",
            _number(wave.standardised_se),
            _number(wave.reliability if shows_reliability else None),
            wave.closed_by or "",
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def render(now: Snapshot, *, elapsed: timedelta) -> RenderableType:
    """The batch as a table of its waves under a headline."""
    seconds = int(elapsed.total_seconds())
    line = Text(f"{headline(now)} · {seconds // 60}:{seconds % 60:02d}", style="bold")
    return (
        Group(line, _wave_table(now.waves, shows_reliability=now.reliability is not None))
        if now.waves
        else line
    )


class ProgressDisplay:
    """Shows a batch while it runs: a live table on a terminal, a line per event elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._last: Snapshot | None = None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, batch: BatchProgress, elapsed: timedelta) -> None:
        """Bring the display up to date."""
        now = snapshot(batch)
        if self._live:
            self._live.update(render(now, elapsed=elapsed), refresh=True)
        else:
            for line in describe_changes(self._last, now):
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._last = now
