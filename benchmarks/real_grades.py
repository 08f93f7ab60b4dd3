"""Grades of real essays: 20 graded anchors against a second human's grades.

    python -m benchmarks.real_grades [--quick] [--json PATH]

The essays and both raters' grades are real (`CJ_DATA_DIR`, ASAP set 1: 1,783 essays, two raters,
1 to 6). THE JUDGE IS SIMULATED from the second rater: an essay's quality is the second rater's
grade plus a uniform place within the grade, two logits of standard deviation over all essays, and
verdicts are drawn from the logistic model with three degrees. Anchors carry the FIRST rater's
grade, and all figures compare with the first rater, whom the judge has never seen. The two raters'
own agreement on the same students is the mark to compare with. The population prior, where there
is one, is the first rater's distribution over the essays that are not in the batch.

PERSUADE's sample has one human grade per essay, so no second rater could be the judge: it is left
out, and its absence is printed.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assessment.domain.grading import grade_set, round_shares
from benchmarks._common import Claim, Options, arguments, between, report
from scoring import Comparisons, Fit, fit
from scoring._grades.anchor_health import expected_calibration_error, ranked_probability_score
from scoring.grader_spread import anchor_spread, noisy_probabilities, remove_prior
from scoring.grades import Calibration, calibrate
from scoring.pairing import plan_wave

GRADES = 6
ESSAYS = 100
ANCHORS = 20
WAVE = 4
LENGTHS = (8, 12, 20)
PRIOR_SD = 2.0
CUTS = (1.0, 2.5)


@dataclass(frozen=True)
class Corpus:
    """Grades of every essay by two raters, 0 the lowest."""

    first: np.ndarray
    second: np.ndarray


def data_folder() -> Path:
    """Where the shared data lie."""
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    return Path(os.environ.get("CJ_DATA_DIR", default)) / "essays"


def read_asap(path: Path) -> Corpus:
    """ASAP set 1; its essays are quoted by hand, so the reader must not unquote."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    pairs = np.array([(int(r["rater1_domain1"]), int(r["rater2_domain1"])) for r in rows])
    return Corpus(pairs[:, 0] - 1, pairs[:, 1] - 1)


@dataclass(frozen=True)
class Class:
    """One simulated batch of real essays: students first, anchors last."""

    grade: np.ndarray
    other: np.ndarray
    quality: np.ndarray
    population: np.ndarray

    @property
    def students(self) -> np.ndarray:
        """Essays to grade."""
        return np.arange(ESSAYS)

    @property
    def anchors(self) -> np.ndarray:
        """Essays whose grade by the first rater is known."""
        return np.arange(ESSAYS, ESSAYS + ANCHORS)


def draw_class(corpus: Corpus, rng: np.random.Generator) -> Class:
    """Students at random, anchors spread over the first rater's grades as evenly as there are."""
    order = rng.permutation(len(corpus.first))
    students, rest = order[:ESSAYS], order[ESSAYS:]
    anchors = spread_anchors(corpus.first, rest)
    chosen = np.concatenate([students, anchors])
    place = corpus.second + rng.uniform(-0.5, 0.5, len(corpus.second))
    quality = PRIOR_SD * (place - place.mean()) / place.std()
    shares = np.bincount(np.delete(corpus.first, chosen), minlength=GRADES).astype(float)
    return Class(
        corpus.first[chosen], corpus.second[chosen], quality[chosen], shares / shares.sum()
    )


def spread_anchors(grade: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Take candidates grade by grade in turn until there are enough."""
    queues = [list(candidates[grade[candidates] == g]) for g in range(GRADES)]
    chosen: list[int] = []
    while len(chosen) < ANCHORS:
        for queue in queues:
            if queue and len(chosen) < ANCHORS:
                chosen.append(int(queue.pop()))
    return np.array(chosen)


def verdicts(
    quality: np.ndarray, i: np.ndarray, k: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The simulated judge: a logistic margin, cut into degrees."""
    margin = quality[i] - quality[k] + rng.logistic(size=len(i))
    degree = 1 + (np.abs(margin) > CUTS[0]) + (np.abs(margin) > CUTS[1])
    signed: np.ndarray = np.where(margin > 0, degree, -degree).astype(np.int64)
    return signed


def judged(batch: Class, rng: np.random.Generator) -> Iterator[tuple[int, Fit]]:
    """The standing fit after every wave, with the comparisons per essay."""
    n = len(batch.quality)
    first = second = outcome = np.zeros(0, dtype=np.int64)
    standing: Fit | None = None
    for wave in range(1, max(LENGTHS) // WAVE + 1):
        plan = plan_wave(
            n,
            rng=rng,
            rounds=WAVE,
            first=first,
            second=second,
            ability=None if standing is None else standing.ability,
            covariance=None if standing is None else standing.covariance,
            anchors=batch.anchors,
            anchor_grade=batch.grade[batch.anchors],
        )
        answers = verdicts(batch.quality, plan.first, plan.second, rng)
        first = np.concatenate([first, plan.first])
        second = np.concatenate([second, plan.second])
        outcome = np.concatenate([outcome, answers])
        # As batches are fitted.
        standing = fit(
            Comparisons(n, first, second, outcome), prior_sd=PRIOR_SD, estimator="variational"
        )
        yield wave * WAVE, standing


def graded(batch: Class, standing: Fit, *, with_prior: bool) -> np.ndarray:
    """P(grade) as the product has it: by the default method, or by the graders' spread."""
    ability, variance = remove_prior(standing, PRIOR_SD)
    calibration = calibrated(batch, standing, with_prior=False)
    spread = anchor_spread(calibration, variance[batch.anchors])
    if not spread.is_noisy:
        return calibrated(batch, standing, with_prior=with_prior).probabilities
    return noisy_probabilities(
        calibration,
        spread,
        ability=ability,
        variance=variance,
        students=batch.students,
        population=tuple(batch.population) if with_prior else None,
        population_weight=1.0,
    )


def calibrated(batch: Class, standing: Fit, *, with_prior: bool) -> Calibration:
    """Boundaries by the default method."""
    return calibrate(
        standing.ability,
        standing.covariance,
        anchors=batch.anchors,
        anchor_grade=batch.grade[batch.anchors],
        n_grades=GRADES,
        students=batch.students,
        population=batch.population if with_prior else None,
        prior_sd=PRIOR_SD,
    )


@dataclass
class Pooled:
    """Probabilities and grades of all students of all classes."""

    probabilities: list[np.ndarray]
    grade: list[np.ndarray]

    def figures(self) -> dict[str, float]:
        """Everything that is reported of them."""
        probabilities, grade = np.concatenate(self.probabilities), np.concatenate(self.grade)
        projected = probabilities.argmax(axis=1)
        return {
            **agreement(projected, grade),
            "rps": ranked_probability_score(probabilities, grade),
            "ece": expected_calibration_error(probabilities, grade),
            **sets_of(probabilities, grade),
        }


def agreement(one: np.ndarray, two: np.ndarray) -> dict[str, float]:
    """Exact and adjacent agreement, and quadratic weighted kappa (Cohen 1968)."""
    difference = one - two
    observed = (difference**2).mean()
    expected = np.subtract.outer(
        np.repeat(np.arange(GRADES), np.bincount(one, minlength=GRADES)),
        np.repeat(np.arange(GRADES), np.bincount(two, minlength=GRADES)),
    )
    return {
        "exact": float((difference == 0).mean()),
        "adjacent": float((np.abs(difference) <= 1).mean()),
        "qwk": float(1 - observed / (expected.astype(float) ** 2).mean()),
    }


def sets_of(probabilities: np.ndarray, grade: np.ndarray) -> dict[str, float]:
    """How often the 90% sets hold the grade, what they claim to hold, and how large they are."""
    held, claimed, size = [], [], []
    for row, true in zip(probabilities.tolist(), grade.tolist(), strict=True):
        shares = {str(g): p for g, p in enumerate(round_shares(row))}
        members = grade_set(shares)
        held.append(str(true) in members)
        claimed.append(sum(shares[g] for g in members))
        size.append(len(members))
    return {
        "set_coverage": float(np.mean(held)),
        "set_claims": float(np.mean(claimed)),
        "set_size": float(np.mean(size)),
    }


def measured(corpus: Corpus, classes: int) -> list[dict[str, object]]:
    """One row for each number of comparisons with and without the prior, and one for humans."""
    pools = {(k, prior): Pooled([], []) for k in LENGTHS for prior in (False, True)}
    humans: list[np.ndarray] = []
    truths: list[np.ndarray] = []
    for seed in range(classes):
        rng = np.random.default_rng([20, seed])
        batch = draw_class(corpus, rng)
        humans.append(batch.other[batch.students])
        truths.append(batch.grade[batch.students])
        for per_essay, standing in judged(batch, rng):
            if per_essay not in LENGTHS:
                continue
            for prior in (False, True):
                pool = pools[per_essay, prior]
                pool.probabilities.append(graded(batch, standing, with_prior=prior))
                pool.grade.append(truths[-1])
    rows: list[dict[str, object]] = [
        {
            "grades by": "second rater (human)",
            **agreement(np.concatenate(humans), np.concatenate(truths)),
        }
    ]
    for (per_essay, prior), pool in pools.items():
        name = f"{per_essay} per essay{', population prior' if prior else ''}"
        rows.append({"grades by": name, **pool.figures()})
    return rows


def claims(rows: list[dict[str, object]]) -> list[Claim]:
    """Coverage of the 90% sets in every row; agreement is reported, and has no bar of its own."""
    return [
        Claim(
            f"coverage of the 90% sets, {row['grades by']}",
            float(str(row["set_coverage"])),
            "share",
            between(0.87, 0.93),
        )
        for row in rows[1:]
    ]


def main(options: Options) -> None:
    """Measure and report; without the data, say so."""
    path = data_folder() / "asap-set1.tsv.gz"
    if not path.exists():
        print(f"skipped: {path.name} is not in CJ_DATA_DIR/essays")
        sys.exit(0)
    print("PERSUADE sample: one human grade per essay, so there is no second rater to judge by")
    rows = measured(read_asap(path), classes=25 if options.quick else 60)
    report(options, rows=rows, claims=claims(rows))


if __name__ == "__main__":
    main(arguments(__doc__))
