"""A picture of a study: reliability against the number of comparisons, a line for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.errors import BadInputError, Problem
from runner.offline.studies import StudyRow

_ENDINGS = (".svg", ".png", ".pdf")


def draw_study(rows: Sequence[StudyRow], path: Path) -> None:
    """Draw the true reliability of every design with its range.

    Raises
    ------
    BadInputError
        If matplotlib is not installed, or does not write files with this ending.
    """
    _check_ending(path)
    figure = _make_figure()
    axes: Any = figure.subplots()
    for essays, anchors in sorted({(row.essays, row.anchors) for row in rows}):
        chosen = [row for row in rows if (row.essays, row.anchors) == (essays, anchors)]
        _draw_class(axes, chosen, f"{essays} essays, {anchors} anchors")
    axes.set_xlabel("agreement of the judge with the truth on random pairs")
    axes.set_ylabel("squared correlation with the truth")
    axes.set_ylim(0, 1)
    axes.set_title("Simulated batches; bars hold 80% of them")
    axes.legend()
    figure.savefig(path)


def _draw_class(axes: Any, rows: Sequence[StudyRow], label: str) -> None:  # noqa: ANN401 - matplotlib's
    """One line with bars."""
    ordered = sorted(rows, key=lambda row: row.agreement)
    reliability = [row.outlook.reliability for row in ordered]
    below = [max(0.0, each.expected - each.low) for each in reliability]
    above = [max(0.0, each.high - each.expected) for each in reliability]
    axes.errorbar(
        [row.agreement for row in ordered],
        [each.expected for each in reliability],
        yerr=[below, above],
        marker="o",
        capsize=3,
        label=label,
    )


def _check_ending(path: Path) -> None:
    if path.suffix.lower() not in _ENDINGS:
        message = f"name a file that ends in {', '.join(_ENDINGS)}"
        raise BadInputError(Problem(message, file=str(path), field="--plot"))


def _make_figure() -> Any:  # noqa: ANN401 - matplotlib's
    try:
        from matplotlib.figure import Figure
    except ImportError:
        message = "needs matplotlib: pip install 'cj-runner[report]'"
        raise BadInputError(Problem(message, field="--plot")) from None
    return Figure(figsize=(6.4, 4.2), layout="constrained")
