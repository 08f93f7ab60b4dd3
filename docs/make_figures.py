"""Draw the figures of docs/statistics.md from the JSON that the benchmarks write.

    python docs/make_figures.py --results out/bench --out docs/figures

A figure whose JSON is missing is left as it is, and said so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

type Rows = list[dict[str, Any]]

WIDE = (7.2, 3.6)
COVERAGE_BAND = (0.92, 0.97)
SCHEDULES = ("random", "nearest", "D-optimal", "adaptive, 25% audit")
TARGET_COVERAGE = 0.95


def select(rows: Rows, **wanted: object) -> Rows:
    """Return the rows whose columns have the wanted values."""
    return [row for row in rows if all(row.get(k) == v for k, v in wanted.items())]


def coverage(rows: Rows) -> None:
    """Coverage of the 95% intervals, by comparisons per essay."""
    axes = _axes("comparisons per essay", "share of 95% intervals that hold the truth")
    axes.axhspan(*COVERAGE_BAND, color="0.92", label="92 to 97%")
    axes.axhline(TARGET_COVERAGE, color="0.6", linewidth=0.8)
    for schedule in (*SCHEDULES, "adaptive, 25% audit, 6 answers"):
        points = select(rows, study="calibration", schedule=schedule)
        axes.plot([p["k"] for p in points], [p["coverage"] for p in points], "o-", label=schedule)
    axes.set_ylim(0.85, 1.0)
    axes.legend(fontsize=8, ncols=2)


def reliability(rows: Rows) -> None:
    """Reported against true reliability."""
    axes = _axes("true reliability", "reported reliability")
    axes.plot([0.5, 1.0], [0.5, 1.0], color="0.6", linewidth=0.8)
    for schedule in SCHEDULES:
        points = select(rows, study="calibration", schedule=schedule)
        axes.plot(
            [p["true"] for p in points], [p["reported"] for p in points], "o-", label=schedule
        )
    axes.legend(fontsize=8)


def coin(rows: Rows) -> None:
    """What separation reliability, split halves and the audit say of a coin."""
    replay = select(rows, study="null replay", estimator="epsilon")
    audits = [r for r in select(rows, study="audit", judge="coin flips") if r["essays"] == 100]  # noqa: PLR2004
    names = [f"SSR, {r['schedule']} pairing" for r in replay]
    values = [r["ssr"] for r in replay]
    names += [f"split half, {r['schedule']} pairing" for r in replay]
    values += [max(r["split_half"], 0.0) for r in replay]
    names += ["audit: share of runs not called at chance"]
    values += [1.0 - audits[0]["at_chance"]]
    _bars(names, values, "of a judge who flips coins (0 is the truth)")


def to_95(rows: Rows) -> None:
    """Comparisons per essay to a rank correlation of .95, by planner."""
    reached = sorted(
        (row for row in rows if row.get("to_95") is not None), key=lambda row: -row["to_95"]
    )
    names = [f"{row['planner']} ({row['answers']} answers)" for row in reached]
    _bars(names, [row["to_95"] for row in reached], "comparisons per essay to rank correlation .95")


def grades(rows: Rows) -> None:
    """Share of exact grades and calibration error, by method and scenario."""
    by_method: dict[str, Rows] = defaultdict(list)
    for row in rows:
        by_method[row["method"]].append(row)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 4.2), sharey=True)
    for axes, column, label in (
        (left, "exact", "share of exact grades"),
        (right, "ece", "expected calibration error"),
    ):
        for method, points in by_method.items():
            values = [p[column] for p in points]
            axes.plot(values, [p["scenario"] for p in points], "o", label=method)
        axes.set_xlabel(label)
        axes.grid(axis="both", color="0.93")
    left.invert_yaxis()
    right.legend(fontsize=8)
    figure.tight_layout()


def speed(rows: Rows) -> None:
    """CPU time of a fit with all standard errors, and of its peers."""
    axes = _axes("essays", "CPU ms (20 comparisons per essay)")
    timed = [row for row in rows if row.get("n")]
    peers = sorted({row["peer"] for row in timed})
    ours = {row["n"]: row["ours_ms"] for row in timed if not row["order_effect"]}
    ours |= {r["n"]: r["ours_ms"] for r in timed if r["n"] not in ours}
    axes.loglog(sorted(ours), [ours[n] for n in sorted(ours)], "ko-", label="ours, all SEs")
    for peer in peers:
        times = {row["n"]: row["peer_ms"] for row in timed if row["peer"] == peer}
        axes.loglog(sorted(times), [times[n] for n in sorted(times)], "o--", label=peer)
    axes.legend(fontsize=8)


FIGURES: dict[str, tuple[str, Callable[[Rows], None]]] = {
    "coverage": ("schedules", coverage),
    "reliability": ("schedules", reliability),
    "coin": ("schedules", coin),
    "comparisons-to-95": ("pairing", to_95),
    "grades": ("grades", grades),
    "speed": ("fit", speed),
}


def _axes(x: str, y: str) -> Axes:
    figure, axes = plt.subplots(figsize=WIDE)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="0.93")
    figure.tight_layout()
    return axes


def _bars(names: list[str], values: list[float], label: str) -> None:
    figure, axes = plt.subplots(figsize=(7.2, 0.7 + 0.28 * len(names)))
    drawn = axes.barh(names, values, color="0.6")
    axes.bar_label(drawn, fmt="%.2f", fontsize=8, padding=3)
    axes.set_xlabel(label)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(axis="y", labelsize=8)
    figure.tight_layout()


def main() -> None:
    """Draw every figure whose data is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--results", type=Path, default=Path("out/bench"))
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    arguments = parser.parse_args()
    # fixed ids and no date: the same results give the same bytes
    mpl.rcParams["svg.hashsalt"] = "cj"
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, (benchmark, draw) in FIGURES.items():
        source = arguments.results / f"{benchmark}.json"
        if not source.exists():
            sys.stderr.write(f"{name}: {source} is missing, left as it is\n")
            continue
        draw(json.loads(source.read_text())["rows"])
        plt.savefig(arguments.out / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close("all")


if __name__ == "__main__":
    main()
