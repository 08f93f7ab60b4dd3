"""Does stopping early keep intervals honest?

    python -m benchmarks.stopping [--quick] [--json PATH]

A batch looks at the mean standard error after every wave and stops once the target has been met at
two looks in a row. Looking often invites stopping on a lucky look; this measures what is left of
95% coverage at the moment of stopping. Worlds: students N(0, 2^2) and 12 anchors; simulated
logistic binary judge; pairing as shipped (adaptive, a quarter audit). `one look` stops at the first
look on target; `fixed` judges every batch as long as the median batch of the rule took.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks._common import Claim, arguments, between, report
from benchmarks._simulated_batch import SimulatedBatch, planned
from scoring.simulate import LogisticJudge, even_world

TARGETS = (0.8, 0.7, 0.6, 0.5)
LOOKS = {"two looks": 2, "one look": 1}
COVERAGE = between(0.92, 0.97)


@dataclass(frozen=True)
class Look:
    """One look at a batch."""

    per_essay: float
    mean_se: float
    coverage: float
    squared_error: float


def looks(n_students: int, rounds: int, seed: int) -> list[Look]:
    """Judge one batch until the strictest target has been held, and keep every look."""
    rng = np.random.default_rng(seed)
    world = even_world(rng, n_students=n_students)
    batch = SimulatedBatch(world, LogisticJudge(world.ability), rng)
    seen: list[Look] = []
    while sum(look.mean_se <= TARGETS[-1] for look in seen[-2:]) < 2:
        wave = planned(batch, rounds=rounds)
        if not len(wave):
            break
        batch.judge_wave(wave)
        estimate, _, truth = batch.students()
        everyone = float(batch.fit.standard_error.mean()) if batch.fit else np.nan
        squared = float(((estimate - truth) ** 2).mean())
        seen.append(Look(batch.per_essay, everyone, batch.coverage(), squared))
    return seen


def stopped(seen: list[Look], target: float, hold: int) -> Look:
    """Return the look at which the target has been met `hold` times in a row, else the last."""
    met = 0
    for look in seen:
        met = met + 1 if look.mean_se <= target else 0
        if met == hold:
            return look
    return seen[-1]


def rows_of(n_students: int, rounds: int, worlds: int) -> list[dict[str, object]]:
    """Stop every batch by every rule and average."""
    batches = [looks(n_students, rounds, seed) for seed in range(worlds)]
    rows = []
    for target in TARGETS:
        ends = {rule: [stopped(b, target, hold) for b in batches] for rule, hold in LOOKS.items()}
        length = np.median([look.per_essay for look in ends["two looks"]])
        ends["fixed"] = [at_length(batch, length) for batch in batches]
        rows += [
            {
                "students": n_students,
                "rounds_per_wave": rounds,
                "target_mean_se": target,
                "rule": rule,
                "worlds": worlds,
                "comparisons_per_essay": float(np.mean([e.per_essay for e in end])),
                "mean_se": float(np.mean([e.mean_se for e in end])),
                "rmse": float(np.sqrt(np.mean([e.squared_error for e in end]))),
                "coverage": float(np.mean([e.coverage for e in end])),
                "coverage_sem": float(np.std([e.coverage for e in end]) / np.sqrt(worlds)),
            }
            for rule, end in ends.items()
        ]
    return rows


def at_length(seen: list[Look], per_essay: float) -> Look:
    """Return the look nearest to a number of comparisons per essay."""
    return min(seen, key=lambda look: abs(look.per_essay - per_essay))


def main() -> None:
    """Run, print, and write the claims."""
    options = arguments(__doc__)
    worlds = 20 if options.quick else 200
    rows = [
        row
        for n_students in (40, 100)
        for rounds in (1, 4)
        for row in rows_of(n_students, rounds, worlds)
    ]
    claims = [
        Claim(
            f"coverage at stopping, {row['students']} students, waves of {row['rounds_per_wave']}, "
            f"target {row['target_mean_se']}",
            float(str(row["coverage"])),
            "share",
            COVERAGE,
        )
        for row in rows
        if row["rule"] == "two looks"
    ]
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
