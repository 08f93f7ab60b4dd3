"""Grades from anchors: accuracy and calibration by method and scenario, with the truth known.

    python -m benchmarks.grades [--quick] [--json PATH]

`even`: 100 students N(0, 2^2), 12 correctly graded anchors, equal grade widths. `uneven`: irregular
widths (log-normal, sd .25), class mean off by N(0, .3 sd), anchors graded with an error of .25
widths. Simulated judge: logistic, binary unless said otherwise. Adaptive pairing, one comparison
per essay between fits and no audit pairs unless said otherwise. The population prior knows the
cohort's grade distribution, which is the best case for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._common import Bar, Claim, arguments, report
from benchmarks._simulated_batch import Rule, SimulatedBatch, planned, run
from scoring._grades.anchor_health import expected_calibration_error, ranked_probability_score
from scoring.grades import Calibration, calibrate
from scoring.simulate import LogisticJudge, World, even_world, uneven_world

if TYPE_CHECKING:
    from collections.abc import Callable

GRADES = 8


# A fit after every comparison per essay, and no audit pairs.
EVERY_ROUND: Rule = partial(planned, rounds=1, audit_share=0.0)


@dataclass(frozen=True)
class Scenario:
    """A kind of world and how long it is judged."""

    name: str
    world: Callable[[np.random.Generator], World]
    per_essay: int = 16
    cuts: tuple[float, ...] = ()
    rule: Rule = EVERY_ROUND


SCENARIOS = [
    Scenario("even, k=20", even_world, 20),
    Scenario("even, k=20, waves of 4 with audit", even_world, 20, rule=planned),
    Scenario("even, k=20, 6 answers", even_world, 20, (1.0, 2.5)),
    Scenario("uneven, 1 per grade", partial(uneven_world, anchors_per_grade=1)),
    Scenario("uneven, 2 per grade", partial(uneven_world, anchors_per_grade=2)),
    Scenario("uneven, 3 per grade", partial(uneven_world, anchors_per_grade=3)),
    Scenario("uneven, 2 per grade, 2 grades missing", partial(uneven_world, missing_grades=2)),
    Scenario(
        "uneven, 1 per grade, one misgraded",
        partial(uneven_world, anchors_per_grade=1, misgraded=1),
    ),
    Scenario("uneven, 2 per grade, one misgraded", partial(uneven_world, misgraded=1)),
]


def population() -> np.ndarray:
    """Return the grade shares of the cohort from which classes are drawn."""
    below = [0.5 + 0.5 * erf(z / sqrt(2)) for z in np.linspace(-1.5, 1.5, GRADES - 1)]
    return np.diff([0.0, *below, 1.0])


METHODS: dict[str, Callable[..., Calibration]] = {
    "gls": calibrate,
    "gls, population": partial(calibrate, population=population()),
    "isotonic": partial(calibrate, method="isotonic"),
    "medians": partial(calibrate, method="medians"),
}


@dataclass
class Tally:
    """The grades of one method over all worlds of a scenario."""

    probabilities: list[np.ndarray] = field(default_factory=list)
    truth: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    found: int = 0
    wrong: int = 0
    accused: int = 0
    right: int = 0
    row_error: float = 0.0
    falling: int = 0
    unsaid: int = 0

    def add(self, world: World, result: Calibration, seconds: float, honest: np.ndarray) -> None:
        """Count one world; `honest` are the anchors' grades before any was changed."""
        self.probabilities.append(result.probabilities)
        self.truth.append(world.student_grade)
        self.seconds.append(seconds)
        misgraded = honest != world.anchor_grade
        doubted = result.anchor_weight < 0.5
        self.found += int((doubted & misgraded).sum())
        self.wrong += int(misgraded.sum())
        self.accused += int((doubted & ~misgraded).sum())
        self.right += int((~misgraded).sum())
        error = float(np.abs(result.probabilities.sum(axis=1) - 1).max())
        self.row_error = max(self.row_error, error)
        self.falling += int((np.diff(result.boundaries) < 0).any())
        missing = set(range(GRADES)) - set(world.anchor_grade.tolist())
        self.unsaid += set(result.extrapolated_grades) != missing

    def row(self) -> dict[str, float | None]:
        """Summarise."""
        p, truth = np.concatenate(self.probabilities), np.concatenate(self.truth)
        off = np.abs(p.argmax(axis=1) - truth)
        chosen = np.clip(p[np.arange(len(p)), truth], 1e-6, 1)
        per_world = [
            float((q.argmax(axis=1) == t).mean())
            for q, t in zip(self.probabilities, self.truth, strict=True)
        ]
        return {
            "exact": float((off == 0).mean()),
            "exact_sem": float(np.std(per_world) / np.sqrt(len(per_world))),
            "adjacent": float((off <= 1).mean()),
            "log_loss": float(-np.log(chosen).mean()),
            "rps": ranked_probability_score(p, truth),
            "ece": expected_calibration_error(p, truth),
            "sets_90": coverage_of_sets(p, truth),
            "flags_found": self.found / self.wrong if self.wrong else None,
            "flags_false": self.accused / self.right,
            "ms": 1e3 * float(np.median(self.seconds)),
        }


def coverage_of_sets(probabilities: np.ndarray, truth: np.ndarray, level: float = 0.9) -> float:
    """Return how often the fewest grades that together hold `level` include the true one."""
    order = np.argsort(-probabilities, axis=1)
    ranked = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    place = (order == truth[:, None]).argmax(axis=1)
    return float((before[np.arange(len(truth)), place] < level).mean())


def simulate(scenario: Scenario, worlds: int) -> dict[str, Tally]:
    """Judge the worlds of a scenario and grade them by every method."""
    tallies = {name: Tally() for name in METHODS}
    for seed in range(worlds):
        rng = np.random.default_rng(10_000 + seed)
        world = scenario.world(rng)
        batch = SimulatedBatch(world, LogisticJudge(world.ability, scenario.cuts), rng)
        run(batch, scenario.rule, scenario.per_essay)
        honest = honest_grades(scenario, seed)
        for name, method in METHODS.items():
            began = time.perf_counter()
            result = grade_batch(batch, method)
            tallies[name].add(world, result, time.perf_counter() - began, honest)
    return tallies


def honest_grades(scenario: Scenario, seed: int) -> np.ndarray:
    """Return the anchors' grades of the same world with none changed."""
    world = scenario.world
    if isinstance(world, partial) and world.keywords.get("misgraded"):
        world = partial(world.func, **{**world.keywords, "misgraded": 0})
    return world(np.random.default_rng(10_000 + seed)).anchor_grade


def grade_batch(batch: SimulatedBatch, method: Callable[..., Calibration]) -> Calibration:
    """Calibrate a judged batch."""
    if batch.fit is None:
        raise RuntimeError("calibrate after at least one wave")
    return method(
        batch.fit.ability,
        batch.fit.covariance,
        anchors=batch.world.anchors,
        anchor_grade=batch.world.anchor_grade,
        n_grades=GRADES,
        students=batch.world.students,
        prior_sd=batch.prior_sd,
    )


def main() -> None:
    """Run, print, and write the claims."""
    options = arguments(__doc__)
    worlds = 20 if options.quick else 200
    tallies = {s.name: simulate(s, worlds) for s in SCENARIOS}
    rows = {
        (scenario, method): tally.row()
        for scenario, methods in tallies.items()
        for method, tally in methods.items()
    }
    table = [{"scenario": s, "method": m, "worlds": worlds, **row} for (s, m), row in rows.items()]
    every = [tally for methods in tallies.values() for tally in methods.values()]
    report(options, rows=table, claims=[*quality_claims(rows), *form_claims(every)])


def quality_claims(rows: dict[tuple[str, str], dict[str, float | None]]) -> list[Claim]:
    """State how well grades are met, and what misgraded anchors cost."""
    return [
        *accuracy_claims("even, k=20", rows),
        *accuracy_claims("even, k=20, waves of 4 with audit", rows),
        *(misgrading_claim(rows, per, method) for per in (1, 2) for method in list(METHODS)[:2]),
        *flag_claims(rows),
    ]


def form_claims(tallies: list[Tally]) -> list[Claim]:
    """State what holds of every calibration whatever the world."""
    row_error = max(tally.row_error for tally in tallies)
    falling = sum(tally.falling for tally in tallies)
    unsaid = sum(tally.unsaid for tally in tallies)
    return [
        Claim("largest error of a row sum", row_error, "", Bar(high=1e-12)),
        Claim("calibrations with falling boundaries", falling, "", Bar(high=0)),
        Claim("grades without anchors left unsaid", unsaid, "", Bar(high=0)),
    ]


def accuracy_claims(
    scenario: str, rows: dict[tuple[str, str], dict[str, float | None]]
) -> list[Claim]:
    """State how well binary verdicts, 20 per essay, grade."""
    row = rows[scenario, "gls"]
    return [
        Claim(f"exact, {scenario}, gls", row["exact"], "share", Bar(low=0.60)),
        Claim(f"adjacent, {scenario}, gls", row["adjacent"], "share", Bar(low=0.98)),
        Claim(f"ECE, {scenario}, gls", row["ece"], "probability", Bar(high=0.045)),
    ]


def misgrading_claim(
    rows: dict[tuple[str, str], dict[str, float | None]], per: int, method: str
) -> Claim:
    """State what one anchor off by two grades costs, in the same worlds."""
    name = f"uneven, {per} per grade"
    before, after = rows[name, method]["exact"], rows[f"{name}, one misgraded", method]["exact"]
    cost = None if before is None or after is None else before - after
    label = f"exact lost to one misgraded anchor, {per} per grade, {method}"
    return Claim(label, cost, "share", Bar(high=0.03))


def flag_claims(rows: dict[tuple[str, str], dict[str, float | None]]) -> list[Claim]:
    """State how the weights below .5 tell misgraded anchors from good ones."""
    row = rows["uneven, 2 per grade, one misgraded", "gls"]
    return [
        Claim("misgraded anchors with weight < .5", row["flags_found"], "share", Bar(low=0.49)),
        Claim("good anchors with weight < .5", row["flags_false"], "share", Bar(high=0.03)),
    ]


if __name__ == "__main__":
    main()
