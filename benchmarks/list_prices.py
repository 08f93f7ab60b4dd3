"""What a class costs in lists and in pairs, to the same mean standard error.

    python -m benchmarks.list_prices [--quick] [--json PATH]

Simulated: 30 students and 8 anchors, abilities N(0, 2^2), a judge as sharp in lists as in pairs,
gaps and degrees, effects of places of .3, waves, audit and pairs beside lists as batches have them.
Pairs are judged to 12 readings of an essay; lists until the mean standard error of their fit is the
same (mean of the worlds, interpolated between waves). Money is that of gpt-4.1-mini by the list
price for the prompts that the product sends, of texts of 2,600 characters (650 tokens at four
characters each) and a short rubric; answers have the tokens that `cj plan` expects.

Pairs in bundles are priced twice: each comparison with both of its texts, as bundles were before
they printed a text once (`comparison@2`), and with each text once in a call. Lists are priced in
bundles too, and the pairs beside them as pairs in bundles with texts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assessment.domain.judge import BatchingMode, JudgeSpec, Provider
from assessment.domain.prompt import JudgeInstructions
from benchmarks._common import Bar, Claim, arguments, report
from benchmarks._list_worlds import PAIR, Batch, Habits, Schedule
from runner.offline.prices import estimate_cost

N_STUDENTS, N_ANCHORS = 30, 8
SIGMA = 2.0
READINGS = 12.0
LONGEST = 10.0
CHARACTERS = 2600
RUBRIC = JudgeInstructions(
    judge_rubric="Weigh the strength of the argument first, then its structure, then the language."
)
BAR = 0.6
WAVE_READINGS = {2: 4.0, 5: 1.0, 10: 1.0}


@dataclass(frozen=True)
class Asked:
    """What was asked until a mean standard error was reached, for each essay."""

    readings: float
    lists: float
    pairs: float


def follow(size: int, seed: int, until: float) -> np.ndarray:
    """Mean standard error, readings, lists and pairs by essay after each wave of a batch."""
    batch = Batch(
        Habits(size),
        Schedule(wave_readings=WAVE_READINGS[size]),
        np.random.default_rng([seed, size, N_STUDENTS]),
        n_students=N_STUDENTS,
        n_anchors=N_ANCHORS,
        sd=SIGMA,
    )
    rows = []
    for fit in batch.waves(until):
        n_pairs = sum(len(essays) == PAIR for essays in batch.shown)
        n_lists = len(batch.shown) - n_pairs
        error = float(np.mean(fit.standard_error))
        rows.append((error, batch.readings, n_lists / batch.n, n_pairs / batch.n))
    return np.array(rows)


def average(size: int, seeds: range, until: float) -> np.ndarray:
    """The mean of these batches after each wave, as far as all of them go."""
    curves = [follow(size, seed, until) for seed in seeds]
    shortest = min(map(len, curves))
    mean: np.ndarray = np.mean([curve[:shortest] for curve in curves], axis=0)
    return mean


def find_asked(curve: np.ndarray, error: float) -> Asked:
    """What had been asked when the mean standard error was this one."""
    errors, *columns = curve.T
    if errors[-1] > error:
        message = f"the mean standard error is {errors[-1]:.3f} at the end, above {error:.3f}"
        raise ValueError(message)
    readings, lists, pairs = (
        float(np.interp(-error, -errors, column, left=column[0])) for column in columns
    )
    return Asked(readings, lists, pairs)


def price_comparison(size: int, template: str) -> float:
    """US dollars of one comparison in a bundle."""
    judge = JudgeSpec(
        provider=Provider.OPENAI,
        model="gpt-4.1-mini",
        batching_mode=BatchingMode.SERIAL_BUNDLE,
        list_size=size,
        template=template,
    )
    n_essays = N_STUDENTS + N_ANCHORS
    texts = [f"{number:02d}".ljust(CHARACTERS, "x") for number in range(n_essays)]
    estimate = estimate_cost(judge, texts, RUBRIC)
    if estimate is None or estimate.cost_usd is None:
        message = "the model has no list price"
        raise ValueError(message)
    return estimate.cost_usd.expected


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__)
    seeds = range(600, 603 if options.quick else 610)
    pairs = average(PAIR, seeds, READINGS)
    error = float(pairs[-1, 0])
    n_essays = N_STUDENTS + N_ANCHORS
    once, twice = (price_comparison(PAIR, f"comparison@{version}") for version in (3, 2))
    counts = find_asked(pairs, error)
    rows: list[dict[str, object]] = []
    costs: dict[str, float] = {}

    def add(way: str, what: Asked, usd: float) -> None:
        costs[way] = usd * n_essays
        rows.append({
            "way": way, "mean_se": error, "readings": what.readings, "lists": what.lists,
            "pairs": what.pairs, "usd": costs[way],
        })  # fmt: skip

    add("pairs in bundles, both texts of each", counts, counts.pairs * twice)
    add("pairs in bundles, texts once", counts, counts.pairs * once)
    for size in (5, 10):
        listed = find_asked(average(size, seeds, LONGEST), error)
        usd = listed.lists * price_comparison(size, "comparison@3") + listed.pairs * once
        add(f"lists of {size} in bundles", listed, usd)
    claims = [
        Claim(f"lists of {size} against {way}", costs[f"lists of {size} in bundles"] / costs[way],
              "share", Bar(high=BAR))
        for size in (5, 10)
        for way in ("pairs in bundles, both texts of each", "pairs in bundles, texts once")
    ]  # fmt: skip
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
