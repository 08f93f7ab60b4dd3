"""Rankings of five and ten essays beside pairs: what they cost, and whether they are honest.

    python -m benchmarks.lists [--quick] [--part NAME] [--keep PATH] [--seconds N] [--json PATH]

It is long. With `--keep` its runs are written to a file of JSON lines as they end, and those that
are there are not done again: so it may be done in parts (`--part`, `--seconds`); `--report` prints
what the file holds.

Everything here is simulated: 100 students and 12 anchors, abilities of standard deviation 2 logits,
waves and audit as batches have them, gaps of four levels, effects of places of .3 logits. The share
of readings in random pairs is what batches choose by what they know of the judge
(`assessment.domain.list_judging`, `judges_in_lists`). The fit is the one that batches report. What
was chosen by simulation (weights, lengths of gaps, priors, shares) was chosen on other seeds.

readings     Readings and calls per essay until Spearman's correlation with the truth is .95 over
             the students (mean of the runs, interpolated between waves), pairs in six degrees
             beside lists, and lists of a judge that was measured before (`judge.list_ratio`). The
             oracle has orders alone and knows all but the abilities: what lists could do at best
             without gaps.
coverage     Coverage of 95% intervals at 3 to 12 readings, random and adaptive lists, judges who
             are as sharp in lists as in pairs or less. Abilities are in the unit of lists.
ratio        The sharpness in lists over that in pairs: what is estimated at 40 essays and 6
             readings, half of them in pairs.
fall-back    In how many batches of 12 readings the next waves would be pairs.
chance       How often a coin in lists is called at chance by 20 readings, as many as a batch may
             ask by default, and a judge of ratio .75.
likelihoods  Plain rankings by their exact likelihood (Plackett-Luce) and by weighted pairs:
             coverage where the noise is Gumbel, as the exact likelihood says, and where it is
             Normal.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._common import Bar, Claim, Options, report
from benchmarks._kept_runs import KeptRuns, Setting
from benchmarks._list_oracle import follow_oracle
from benchmarks._list_worlds import Batch, Habits, Schedule, correlate_ranks, find_crossing
from scoring import fit
from scoring.audit import AT_CHANCE_LOG_BAYES_FACTOR, evidence_against_chance
from scoring.lists import join_lists
from scoring.plackett_luce import fit_plackett_luce

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    type Rows = list[dict[str, object]]

Z95 = 1.959964
TARGET = 0.95
WAVE_READINGS = {2: 4.0, 5: 1.0, 10: 1.0}
LONGEST = {2: 16.0, 5: 8.0, 10: 7.5}
READINGS_BAR = {5: 7.5, 10: 5.3}
CALLS_BAR = {5: 1.5, 10: 0.55}
N_STUDENTS = 100
PAIRS = "pairs in six degrees"
ORACLE = "oracle, lists"
FALL_BACK_BARS = {0.5: Bar(low=0.95), 0.9: Bar(high=0.02)}
CHANCE_READINGS = (6.0, 12.0, 20.0)
CHANCE_BARS = {"coin": Bar(low=0.99), "judge of ratio .75": Bar(high=0.01)}


def make_batch(seed: int, habits: Habits, **changes: Any) -> Batch:  # noqa: ANN401
    """Return a batch whose world and judge depend on the seed alone."""
    schedule = Schedule(**{"wave_readings": WAVE_READINGS[habits.size], **changes})
    return Batch(habits, schedule, np.random.default_rng([seed, habits.size]))


# --- readings and calls --------------------------------------------------------------------------


def list_readings(runs: int) -> list[Setting]:
    """Pairs, lists of five and of ten: as batches begin, measured before, and with scores."""

    def make(name: str, habits: Habits, **changes: Any) -> Setting:  # noqa: ANN401
        return Setting("readings", name, range(runs), partial(follow, habits, **changes))

    return [
        make(PAIRS, Habits(2)),
        make("lists of 5", Habits(5)),
        make("lists of 10", Habits(10)),
        make("lists of 5, measured before", Habits(5), is_measured=True),
        make("lists of 10, measured before", Habits(10), is_measured=True),
        make("lists of 5, scores", Habits(5, gives_scores=True)),
        make(
            "lists of 10, scores, measured before", Habits(10, gives_scores=True), is_measured=True
        ),
        Setting("readings", f"{ORACLE} of 5", range(runs), partial(ask_oracle, 5)),
        Setting("readings", f"{ORACLE} of 10", range(runs), partial(ask_oracle, 10)),
    ]


def follow(habits: Habits, seed: int, **changes: Any) -> list[list[float]]:  # noqa: ANN401
    """Readings, calls, share in pairs and correlation of ranks after each wave of a batch."""
    batch = make_batch(seed, habits, **changes)
    students = slice(N_STUDENTS)
    return [
        [
            batch.readings,
            batch.calls,
            batch.share_in_pairs,
            correlate_ranks(fit.ability[students], batch.ability[students]),
        ]
        for fit in batch.waves(LONGEST[habits.size])
    ]


def ask_oracle(size: int, seed: int) -> list[list[float]]:
    """The same of an oracle, all of whose readings are in lists, none of them random."""
    batch = make_batch(seed, Habits(size, place_sd=0.0), pair_share=0.0, audit_share=0.0)
    return follow_oracle(batch, until=LONGEST[size], n_students=N_STUDENTS)


def summarise_readings(found: dict[str, list[Any]]) -> tuple[Rows, list[Claim]]:
    """Readings and calls until the students' ranks correlate by .95 with the truth."""
    rows: Rows = []
    claims: list[Claim] = []
    for name, followed in found.items():
        readings, calls, share = find_crossing(followed, TARGET)
        rows.append(
            {
                "what": f"to Spearman {TARGET}, {name}",
                "in pairs": 1.0 if name == PAIRS else share,
                "readings": readings,
                "calls": calls,
                "runs": len(followed),
            }
        )
        size = 10 if "of 10" in name else 5
        if name == PAIRS or name.startswith(ORACLE):
            continue
        claims += [
            Claim(f"readings per essay, {name}", readings, "", Bar(high=READINGS_BAR[size])),
            Claim(f"calls per essay, {name}", calls, "", Bar(high=CALLS_BAR[size])),
        ]
    return rows, claims


# --- coverage ------------------------------------------------------------------------------------


def list_coverage(runs: int) -> list[Setting]:
    """Sizes, ratios of sharpness and schedules."""
    return [
        Setting(
            "coverage",
            f"lists of {size}, {schedule}, sharpness {ratio:g}",
            range(100, 100 + runs),
            partial(cover_waves, Habits(size, ratio), is_adaptive=schedule == "adaptive"),
        )
        for size in (5, 10)
        for ratio in (1.0, 0.8, 0.6)
        for schedule in ("random", "adaptive")
    ]


def cover_waves(habits: Habits, seed: int, *, is_adaptive: bool) -> list[float]:
    """Share of essays whose 95% interval holds the truth, after each wave from 3 readings on."""
    batch = make_batch(seed, habits, is_adaptive=is_adaptive)
    return [
        float(np.mean(np.abs(fit.ability - batch.truth) < Z95 * fit.standard_error))
        for fit in batch.waves(12.0)
        if batch.readings >= 3.0 - 0.05
    ]


def summarise_coverage(found: dict[str, list[Any]]) -> tuple[Rows, list[Claim]]:
    """How often 95% intervals hold the truth."""
    means = {name: float(np.mean([np.mean(run) for run in runs])) for name, runs in found.items()}
    rows: Rows = [
        {"what": f"coverage, {name}", "coverage": mean, "runs": len(found[name])}
        for name, mean in means.items()
    ]
    return rows, [
        Claim(f"95% intervals cover, {name}", mean, "share", Bar(0.93, 0.965))
        for name, mean in means.items()
    ]


# --- ratio and fall-back -------------------------------------------------------------------------


def list_ratios(runs: int) -> list[Setting]:
    """Judges of three ratios."""
    return [
        Setting("ratio", f"{truth:g}", range(200, 200 + runs), partial(estimate_ratio, truth))
        for truth in (1.0, 0.8, 0.6)
    ]


def estimate_ratio(truth: float, seed: int) -> float:
    """What is estimated of the sharpness in lists at 40 essays and 6 readings."""
    rng = np.random.default_rng([seed, 40])
    schedule = Schedule(0.5, wave_readings=3.0)
    batch = Batch(Habits(5, truth), schedule, rng, n_students=32, n_anchors=8)
    (*_, fit) = batch.waves(6.0)
    return float(fit.list_judging[0].ratio)


def summarise_ratios(found: dict[str, list[Any]]) -> tuple[Rows, list[Claim]]:
    """Median and error of the estimates."""
    rows: Rows = []
    claims: list[Claim] = []
    for name, ratios in found.items():
        truth = float(name)
        middle = float(np.median(ratios))
        error = float(np.sqrt(np.mean((np.array(ratios) - truth) ** 2)))
        row = {"what": f"ratio of {name}", "median": middle, "error": error, "runs": len(ratios)}
        rows.append(row)
        off = abs(middle - truth)
        claims.append(
            Claim(f"sharpness ratio {name} recovered, median off by", off, "", Bar(high=0.1))
        )
    return rows, claims


def list_fall_backs(runs: int) -> list[Setting]:
    """A blunt judge and a sharp one."""
    return [
        Setting("fall-back", f"{truth:g}", range(300, 300 + runs), partial(fall_back, truth))
        for truth in FALL_BACK_BARS
    ]


def fall_back(truth: float, seed: int) -> float | None:
    """After how many readings the ratio is said to be below .75 with probability .9, if ever."""
    batch = make_batch(seed, Habits(5, truth))
    return next((batch.readings for _ in batch.waves(12.0) if batch.is_blunt), None)


def summarise_fall_backs(found: dict[str, list[Any]]) -> tuple[Rows, list[Claim]]:
    """In how many batches it is said, and after how many readings half of them know it."""
    rows: Rows = []
    claims: list[Claim] = []
    for name, fell in found.items():
        known = [readings for readings in fell if readings is not None]
        share = len(known) / len(fell)
        median = float(np.median(known)) if known else None
        row = {"what": f"fall-back at ratio {name}", "share": share, "readings": median}
        rows.append({**row, "runs": len(fell)})
        bar = FALL_BACK_BARS[float(name)]
        claims.append(Claim(f"fall-back at ratio {name}", share, "share", bar))
    return rows, claims


# --- chance --------------------------------------------------------------------------------------


def list_chances(runs: int) -> list[Setting]:
    """A coin, and a judge of ratio .75."""
    judges = zip(CHANCE_BARS, (Habits(5, is_coin=True), Habits(5, 0.75)), strict=True)
    seeds = range(400, 400 + runs)
    return [Setting("chance", name, seeds, partial(call_chance, habits)) for name, habits in judges]


def call_chance(habits: Habits, seed: int) -> list[bool]:
    """Whether the judge is called at chance, at each of these readings."""
    batch = make_batch(seed, habits, is_adaptive=False)
    called = []
    for until in CHANCE_READINGS:
        while batch.readings < until - 0.05:
            batch.judge_wave()
        factor = evidence_against_chance(batch.comparisons())
        called.append(bool(factor <= AT_CHANCE_LOG_BAYES_FACTOR))
    return called


def summarise_chances(found: dict[str, list[Any]]) -> tuple[Rows, list[Claim]]:
    """How often it is called at chance by so many readings; the claim is of the most."""
    rows: Rows = []
    claims: list[Claim] = []
    for name, called in found.items():
        shares = np.mean(called, axis=0).tolist()
        for until, share in zip(CHANCE_READINGS, shares, strict=True):
            what = f"{name} in lists called at chance, {until:g} readings"
            rows.append({"what": what, "share": share, "runs": len(called)})
        claims.append(Claim(what, shares[-1], "share", CHANCE_BARS[name]))
    return rows, claims


# --- likelihoods ---------------------------------------------------------------------------------


def list_likelihoods(runs: int) -> list[Setting]:
    """Sizes and kinds of noise."""
    return [
        Setting(
            "likelihoods",
            f"rankings of {size}, {noise} noise",
            range(500, 500 + runs),
            partial(compare_likelihoods, Habits(size, place_sd=0.0, is_normal=noise == "Normal")),
        )
        for size in (5, 10)
        for noise in ("Gumbel", "Normal")
    ]


def compare_likelihoods(habits: Habits, seed: int) -> list[float]:
    """Coverage by exact Plackett-Luce and by weighted pairs of the same random rankings.

    The spread is known.
    """
    batch = make_batch(seed, habits, pair_share=0.0, is_adaptive=False)
    while batch.readings < 6.0 - 0.05:
        batch.judge_wave()
    lists = batch.rankings()
    exact = fit_plackett_luce(lists, prior_sd=batch.sd)
    pairs = fit(join_lists(None, lists), prior_sd=batch.sd, order_effect=False)
    exact_error = np.sqrt(exact.covariance.diagonal())
    return [
        float(np.mean(np.abs(one.ability - batch.ability) < Z95 * error))
        for one, error in ((exact, exact_error), (pairs, pairs.standard_error))
    ]


def summarise_likelihoods(found: dict[str, list[Any]]) -> tuple[Rows, list[Claim]]:
    """Coverage by both."""
    rows: Rows = []
    for name, figures in found.items():
        by_exact, by_pairs = np.mean(figures, axis=0).tolist()
        n = len(figures)
        rows.append({"what": f"{name}, Plackett-Luce", "coverage": by_exact, "runs": n})
        rows.append({"what": f"{name}, weighted pairs", "coverage": by_pairs, "runs": n})
    return rows, []


# --- the whole -----------------------------------------------------------------------------------

type Listing = Callable[[int], list[Setting]]
type Summary = Callable[[dict[str, list[Any]]], tuple[Rows, list[Claim]]]

PARTS: dict[str, tuple[Listing, Summary, int, int]] = {
    "readings": (list_readings, summarise_readings, 4, 30),
    "coverage": (list_coverage, summarise_coverage, 2, 12),
    "ratio": (list_ratios, summarise_ratios, 12, 80),
    "fall-back": (list_fall_backs, summarise_fall_backs, 5, 120),
    "chance": (list_chances, summarise_chances, 20, 200),
    "likelihoods": (list_likelihoods, summarise_likelihoods, 4, 40),
}
"""What lists the settings of a part, what sums their runs up, and the runs of a quick and a whole
benchmark."""


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short run with wider noise")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write claims and rows here")
    parser.add_argument("--part", choices=PARTS, help="run only this part")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="keep the runs in this file")
    parser.add_argument("--seconds", type=float, help="begin no run after so many")
    parser.add_argument("--report", action="store_true", help="run nothing, report what is kept")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure and report."""
    given = read_arguments()
    kept = KeptRuns(given.keep)
    parts = {
        name: (listing(quick if given.quick else whole), summarise)
        for name, (listing, summarise, quick, whole) in PARTS.items()
        if given.part in (None, name)
    }
    if not given.report:
        kept.run(
            [each for settings, _ in parts.values() for each in settings], seconds=given.seconds
        )
    rows: Rows = []
    claims: list[Claim] = []
    for settings, summarise in parts.values():
        made_rows, made = summarise(kept.list_values(settings))
        rows += made_rows
        claims += made
    report(Options(given.quick, given.json), rows=rows, claims=claims)


if __name__ == "__main__":
    main()
