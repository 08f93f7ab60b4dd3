"""Rankings of five and ten essays beside pairs: what they cost, and whether they are honest.

    python -m benchmarks.lists [--quick] [--json PATH]

Everything here is simulated: 100 students and 12 anchors, abilities of standard deviation 2 logits,
waves and audit as batches have them, gaps of four levels, effects of places of .3 logits. The share
of readings in random pairs is what batches choose: .15 until it is likely enough that the judge is
sharp in lists, .05 from then on, .5 where it is likely blunt. The fit is the one that batches
report. What was chosen by simulation (weights, lengths of gaps, priors, shares) was chosen on other
seeds.

1. Readings and calls per essay until Spearman's correlation with the truth is .95 over the students
   (mean of the runs, interpolated between waves), pairs in six degrees beside lists.
2. Coverage of 95% intervals at 3 to 12 readings, random and adaptive lists, judges who are as sharp
   in lists as in pairs or less. Abilities are in the unit of lists.
3. The sharpness in lists over that in pairs: what is estimated at 40 essays and 6 readings, half of
   them in pairs, and in how many batches of 12 readings the next waves would be pairs.
4. How often a coin in lists is called at chance at 12 readings, and a judge of ratio .75.
5. Plain rankings by their exact likelihood (Plackett-Luce) and by weighted pairs: coverage where
   the noise is Gumbel, as the exact likelihood says, and where it is Normal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._common import Claim, arguments, at_least, at_most, between, report
from benchmarks._list_worlds import Batch, Habits, Schedule, correlate_ranks
from scoring import fit
from scoring.audit import AT_CHANCE_LOG_BAYES_FACTOR, evidence_against_chance
from scoring.lists import join_lists
from scoring.plackett_luce import fit_plackett_luce

if TYPE_CHECKING:
    from collections.abc import Callable

Z95 = 1.959964
TARGET = 0.95
WAVE_READINGS = {2: 4.0, 5: 1.0, 10: 1.0}
LONGEST = {2: 16.0, 5: 10.0, 10: 10.0}
READINGS_BAR = {5: 7.5, 10: 5.3}
CALLS_BAR = {5: 1.5, 10: 0.55}
N_STUDENTS = 100
FEWEST_PAIRS = 0.02


def make_batch(seed: int, habits: Habits, **changes: Any) -> Batch:  # noqa: ANN401
    """Return a batch whose world and judge depend on the seed alone."""
    schedule = Schedule(**{"wave_readings": WAVE_READINGS[habits.size], **changes})
    return Batch(habits, schedule, np.random.default_rng([seed, habits.size]))


def measure_readings(
    habits: Habits, runs: int, share: float | None = None
) -> tuple[dict[str, object], list[Claim]]:
    """Readings and calls until the students' ranks correlate by .95 with the truth."""
    values = find_crossing([follow(habits, seed, share) for seed in range(runs)])
    size = habits.size
    is_list = size in READINGS_BAR
    name = f"lists of {size}" if is_list else "pairs in six degrees"
    row: dict[str, object] = {
        "what": f"to Spearman {TARGET}, {name}",
        "form": "scores" if habits.gives_scores else "gaps",
        "in pairs": values[2] if is_list else 1.0,
        "readings": values[0],
        "calls": values[1],
        "runs": runs,
    }
    if not is_list or habits.gives_scores or share is not None:
        return row, []
    claims = [
        Claim(f"readings per essay, {name}", values[0], "", at_most(READINGS_BAR[size])),
        Claim(f"calls per essay, {name}", values[1], "", at_most(CALLS_BAR[size])),
    ]
    return row, claims


def find_crossing(followed: list[list[tuple[float, ...]]]) -> list[float | None]:
    """Readings, calls and share in pairs at which the mean correlation is .95, or None."""
    shortest = min(map(len, followed))
    *made, correlation = np.mean([curve[:shortest] for curve in followed], axis=0).T
    if correlation[-1] < TARGET:
        return [None] * len(made)
    return [float(np.interp(TARGET, correlation, column)) for column in made]


def follow(habits: Habits, seed: int, share: float | None) -> list[tuple[float, ...]]:
    """Readings, calls, share in pairs and correlation of ranks after each wave of a batch."""
    batch = make_batch(seed, habits, pair_share=share)
    students = slice(N_STUDENTS)
    return [
        (
            batch.readings,
            batch.calls,
            batch.share_in_pairs,
            correlate_ranks(fit.ability[students], batch.ability[students]),
        )
        for fit in batch.waves(LONGEST[habits.size])
    ]


def measure_coverage(runs: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """How often 95% intervals hold the truth, by size, sharpness and schedule."""
    rows, claims = [], []
    for size in (5, 10):
        for ratio in (1.0, 0.8, 0.6):
            for is_adaptive in (False, True):
                inside = [
                    cover(batch, fit)
                    for seed in range(100, 100 + runs)
                    for batch in [make_batch(seed, Habits(size, ratio), is_adaptive=is_adaptive)]
                    for fit in batch.waves(12.0)
                    if batch.readings >= 3.0
                ]
                schedule = "adaptive" if is_adaptive else "random"
                name = f"lists of {size}, {schedule}, sharpness {ratio:g}"
                coverage = float(np.mean(inside))
                rows.append({"what": f"coverage, {name}", "coverage": coverage, "runs": runs})
                claims.append(
                    Claim(f"95% intervals cover, {name}", coverage, "share", between(0.93, 0.965))
                )
    return rows, claims


def cover(batch: Batch, fit: Any) -> float:  # noqa: ANN401
    """Share of essays whose 95% interval holds the truth."""
    off = np.abs(fit.ability - batch.truth)
    return float(np.mean(off < Z95 * fit.standard_error))


def measure_ratio(runs: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """What is estimated of the sharpness in lists at 40 essays and 6 readings."""
    rows, claims = [], []
    for truth in (1.0, 0.8, 0.6):
        ratios = []
        for seed in range(200, 200 + runs):
            habits, schedule = Habits(5, truth), Schedule(0.5, wave_readings=3.0)
            rng = np.random.default_rng([seed, 40])
            batch = Batch(habits, schedule, rng, n_students=32, n_anchors=8)
            (*_, fit) = batch.waves(6.0)
            ratios.append(fit.list_judging[0].ratio)
        middle = float(np.median(ratios))
        error = float(np.sqrt(np.mean((np.array(ratios) - truth) ** 2)))
        rows.append({"what": f"ratio of {truth:g}", "median": middle, "error": error, "runs": runs})
        claims.append(
            Claim(
                f"sharpness ratio {truth:g} recovered, median off by",
                abs(middle - truth),
                "",
                at_most(0.1),
            )
        )
    return rows, claims


def measure_fall_back(runs: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """In how many batches the ratio is said to be below .75 with probability .9, after any wave."""
    rows, claims = [], []
    for truth, bar in ((0.5, at_least(0.95)), (0.9, at_most(0.02))):
        batches = [make_batch(seed, Habits(5, truth)) for seed in range(300, 300 + runs)]
        fell = [any(batch.is_blunt for _ in batch.waves(12.0)) for batch in batches]
        share = float(np.mean(fell))
        rows.append({"what": f"fall-back at ratio {truth:g}", "share": share, "runs": runs})
        claims.append(Claim(f"fall-back at ratio {truth:g}", share, "share", bar))
    return rows, claims


def measure_chance(runs: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """How often a judge is called at chance at 6 and at 12 readings; the claim is of the latter."""
    cases = (
        ("coin", Habits(5, is_coin=True), at_least(0.99)),
        ("judge of ratio .75", Habits(5, 0.75), at_most(0.01)),
    )
    rows: list[dict[str, object]] = []
    claims = []
    for name, habits, bar in cases:
        batches = [make_batch(seed, habits, is_adaptive=False) for seed in range(400, 400 + runs)]
        for until in (6.0, 12.0):
            called = [is_called_at_chance(batch, until) for batch in batches]
            what = f"{name} in lists called at chance, {until:g} readings"
            rows.append({"what": what, "share": float(np.mean(called)), "runs": runs})
        claims.append(Claim(what, float(np.mean(called)), "share", bar))
    return rows, claims


def is_called_at_chance(batch: Batch, until: float) -> bool:
    """Judge a batch on until every essay was read so often, and test its verdicts."""
    while batch.readings < until - 0.05:
        batch.judge_wave()
    return evidence_against_chance(batch.comparisons()) <= AT_CHANCE_LOG_BAYES_FACTOR


def compare_likelihoods(runs: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """Weighted pairs and exact Plackett-Luce of the same random rankings, the spread known."""
    rows: list[dict[str, object]] = []
    for size in (5, 10):
        for is_normal in (False, True):
            figures = []
            for seed in range(500, 500 + runs):
                habits = Habits(size, place_sd=0.0, is_normal=is_normal)
                batch = make_batch(seed, habits, pair_share=0.0, is_adaptive=False)
                while batch.readings < 6.0 - 0.05:
                    batch.judge_wave()
                lists = batch.rankings()
                exact = fit_plackett_luce(lists, prior_sd=batch.sd)
                pairs = fit(join_lists(None, lists), prior_sd=batch.sd, order_effect=False)
                exact_error = np.sqrt(exact.covariance.diagonal())
                figures.append(
                    [
                        float(np.mean(np.abs(one.ability - batch.ability) < Z95 * error))
                        for one, error in ((exact, exact_error), (pairs, pairs.standard_error))
                    ]
                )
            noise = "Normal" if is_normal else "Gumbel"
            by_exact, by_pairs = np.mean(figures, axis=0).tolist()
            what = f"rankings of {size}, {noise} noise"
            rows.append({"what": f"{what}, Plackett-Luce", "coverage": by_exact, "runs": runs})
            rows.append({"what": f"{what}, weighted pairs", "coverage": by_pairs, "runs": runs})
    return rows, []


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__)
    few = options.quick
    rows: list[dict[str, object]] = []
    claims: list[Claim] = []
    forms: list[tuple[Habits, float | None]] = [(Habits(size), None) for size in (2, 5, 10)]
    forms += [(Habits(5, gives_scores=True), None), (Habits(10), FEWEST_PAIRS)]
    for habits, pair_share in [*forms, (Habits(10, gives_scores=True), FEWEST_PAIRS)]:
        row, made = measure_readings(habits, 4 if few else 30, pair_share)
        rows.append(row)
        claims += made
    parts: list[tuple[Callable[[int], tuple[list[dict[str, object]], list[Claim]]], int, int]] = [
        (measure_coverage, 2, 12),
        (measure_ratio, 12, 80),
        (measure_fall_back, 5, 40),
        (measure_chance, 20, 200),
        (compare_likelihoods, 4, 40),
    ]
    for part, quick, full in parts:
        made_rows, made = part(quick if few else full)
        rows += made_rows
        claims += made
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
