"""Tables of what a batch or a study would come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table

from assessment.contracts.result_csv import to_csv

if TYPE_CHECKING:
    from runner.offline.forecast import Forecast
    from runner.offline.studies import StudyRow
    from runner.offline.study import Range

type Show = Callable[[float], str]

_ENOUGH_READINGS = 10
"""Of an essay: ten comparisons are generally enough (Kinnear, Jones & Davies 2025, 101 sets)."""


def forecast_table(forecast: Forecast) -> Table:
    """One row for each figure, from the least that is expected to the most."""
    judge = (
        "from a poor judge to a good one"
        if forecast.agreement is None
        else f"a judge who sides with the truth in {forecast.agreement:.0%} of random pairs"
    )
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        caption=f"{forecast.n_essays} essays, {forecast.n_anchors} anchors; "
        f"judged by {', '.join(forecast.judges)}. Simulated: {judge}.",
        caption_justify="left",
    )
    for name in ("", "least", "expected", "most"):
        table.add_column(name, justify="right" if name else "left")
    rows: list[tuple[str, Range | None, Show]] = [
        ("comparisons", forecast.comparisons, _count),
        ("readings of an essay", forecast.readings, _count),
        ("waves", forecast.waves, _count),
        ("mean standard error, logits", forecast.mean_se, _decimals),
        ("reliability", forecast.reliability, _decimals),
        ("tokens in", forecast.input_tokens, _count),
        ("tokens out", forecast.output_tokens, _count),
        ("cost, US dollars", forecast.cost_usd, _dollars),
        ("time", forecast.seconds, _duration),
    ]
    for name, values, show in rows:
        table.add_row(name, *_cells(values, show))
    return table


def describe_cap(forecast: Forecast) -> str | None:
    """What the cap on comparisons leaves of a class, where the cap ends the batch early."""
    n_texts = forecast.n_essays + forecast.n_anchors
    readings = forecast.readings.expected / n_texts
    if forecast.comparisons.expected < forecast.most_comparisons or readings >= _ENOUGH_READINGS:
        return None
    enough = n_texts * _ENOUGH_READINGS // 2
    return (
        f"CAUTION: max_pairwise_comparisons ({forecast.most_comparisons:,}) ends the batch at "
        f"{readings:.1f} readings of an essay; --max-comparisons {enough} leaves it "
        f"{_ENOUGH_READINGS}"
    )


def _cells(values: Range | None, show: Show) -> list[str]:
    if values is None:
        return ["", "price unknown", ""]
    return [show(values.low), show(values.expected), show(values.high)]


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _decimals(value: float) -> str:
    return f"{value:.2f}"


def _dollars(value: float) -> str:
    return f"{value:,.2f}" if value >= 1 or not value else f"{value:.4f}"


def _duration(value: float) -> str:
    return str(timedelta(seconds=round(value)))


def outlook_table(rows: Sequence[StudyRow]) -> Table:
    """One row for each design: means, with the range of 80% of its batches."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for row in rows:
        outlook = row.outlook
        table.add_row(
            str(row.essays),
            str(row.anchors),
            f"{row.agreement:.2f}",
            _count(outlook.comparisons.expected),
            _spread(outlook.reliability),
            _spread(outlook.model_reliability),
            _spread(outlook.exact),
            _spread(outlook.adjacent),
            str(outlook.n_failed + outlook.n_without_grades)
            if row.anchors
            else str(outlook.n_failed),
            _dollars(row.cost_usd.expected) if row.cost_usd else "",
        )
    return table


_COLUMNS = (
    "essays", "anchors", "agreement", "comparisons", "reliability", "as reported", "exact grades",
    "within one", "without result", "US dollars",
)  # fmt: skip


def _spread(values: Range | None) -> str:
    if values is None:
        return ""
    return f"{values.expected:.2f} ({values.low:.2f}-{values.high:.2f})"


_FIGURES = (
    "comparisons", "waves", "mean_se", "reliability", "model_reliability", "exact", "adjacent",
)  # fmt: skip


def outlook_csv(rows: Sequence[StudyRow]) -> str:
    """One row for each design, with the low end, the mean and the high end of every figure."""
    ends = ("low", "expected", "high")
    header = ["essays", "anchors", "agreement", "batches", "failed", "without_grades"]
    header += [f"{figure}_{end}" for figure in (*_FIGURES, "cost_usd") for end in ends]
    return to_csv(header, (_list_values(row, ends) for row in rows))


def _list_values(row: StudyRow, ends: Sequence[str]) -> list[object]:
    outlook = row.outlook
    ranges = [getattr(outlook, figure) for figure in _FIGURES] + [row.cost_usd]
    values: list[object] = [row.essays, row.anchors, row.agreement, outlook.n_batches]
    values += [outlook.n_failed, outlook.n_without_grades]
    return values + [
        None if values is None else getattr(values, end) for values in ranges for end in ends
    ]
