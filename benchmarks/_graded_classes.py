"""Classes of real or simulated essays with graded anchors, and simulated judges of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring import Comparisons, Fit, SpreadPrior, fit
from scoring.pairing import Strategy, plan_wave
from scoring.projections import AnchorGrades, Projection, project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks._graded_corpora import Corpus

ESSAYS = 100
MOST_ANCHORS = 20
WAVE = 4
LENGTHS = (8, 20)
CUTS = (1.0, 2.5)
_GOLDEN = (5.0**0.5 - 1.0) / 2.0
JUDGES = {"blunt judge": 2.0, "judge as good as a rater": 6.0}


@dataclass(frozen=True)
class Class:
    """One batch of real essays: students first, anchors last, which are best taken in their order.

    Attributes
    ----------
    rows : (n,) array of int
        Where its essays are in the corpus.
    grade, other : (n,) array of int
        Grades by the first and the second rater.
    population : (G,) array
        Shares of the first rater's grades among all other essays.
    """

    rows: np.ndarray
    grade: np.ndarray
    other: np.ndarray
    population: np.ndarray

    def anchors(self, count: int, *, with_prior: bool) -> AnchorGrades:
        """The first `count` anchors."""
        essays = np.arange(ESSAYS, ESSAYS + count)
        return AnchorGrades(
            essays,
            self.grade[essays],
            len(self.population),
            self.population if with_prior else None,
        )


def draw_class(corpus: Corpus, rng: np.random.Generator) -> Class:
    """Students at random, anchors spread over the first rater's grades as evenly as there are."""
    order = rng.permutation(len(corpus.first))
    students, rest = order[:ESSAYS], order[ESSAYS:]
    rows = np.concatenate([students, spread_anchors(corpus, rest)])
    others = np.bincount(np.delete(corpus.first, rows), minlength=corpus.n_grades).astype(float)
    return Class(rows, corpus.first[rows], corpus.second[rows], others / others.sum())


def spread_anchors(corpus: Corpus, candidates: np.ndarray) -> np.ndarray:
    """Take candidates grade by grade in turn until there are enough.

    The first few are spread over the whole scale, too: eight of thirteen grades in their order
    would be the lowest eight, and two thirds of all essays would have a grade without an anchor.
    """
    grade = corpus.first[candidates]
    queues = [list(candidates[grade == g]) for g in spread_order(corpus.n_grades)]
    chosen: list[int] = []
    while len(chosen) < MOST_ANCHORS:
        for queue in queues:
            if queue and len(chosen) < MOST_ANCHORS:
                chosen.append(int(queue.pop()))
    return np.array(chosen)


def spread_order(n_grades: int) -> list[int]:
    """Every grade once, any first few spread over the scale: multiples of the golden section."""
    places = (np.arange(4 * n_grades) * _GOLDEN % 1.0 * n_grades).astype(int)
    return list(dict.fromkeys([*places.tolist(), *range(n_grades)]))


def qualities(batch: Class, corpus: Corpus, spread: float, rng: np.random.Generator) -> np.ndarray:
    """What the judge sees in each essay of the class, logits."""
    quality: np.ndarray = spread * corpus.second_reading(rng)[batch.rows]
    return quality


def verdicts(
    quality: np.ndarray, i: np.ndarray, k: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The simulated judge: a logistic margin, cut into degrees."""
    margin = quality[i] - quality[k] + rng.logistic(size=len(i))
    degree = 1 + (np.abs(margin) > CUTS[0]) + (np.abs(margin) > CUTS[1])
    signed: np.ndarray = np.where(margin > 0, degree, -degree).astype(np.int64)
    return signed


def judged(
    batch: Class, quality: np.ndarray, rng: np.random.Generator, strategy: Strategy = "adaptive"
) -> Iterator[tuple[int, Fit]]:
    """The fit that grades are read from after every wave, with the comparisons per essay."""
    n = len(quality)
    anchors = batch.anchors(MOST_ANCHORS, with_prior=False)
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
            strategy=strategy,
            anchors=anchors.essays,
            anchor_grade=anchors.grade,
        )
        answers = verdicts(quality, plan.first, plan.second, rng)
        first = np.concatenate([first, plan.first])
        second = np.concatenate([second, plan.second])
        outcome = np.concatenate([outcome, answers])
        # As batches are fitted, and graded.
        judged_pairs = Comparisons(n, first, second, outcome, np.zeros_like(first))
        standing = fit(judged_pairs, prior_sd=SpreadPrior(), estimator="variational")
        if wave * WAVE in LENGTHS:
            at_one_spread = standing.prior_sd or 1.0
            yield (
                wave * WAVE,
                fit(judged_pairs, prior_sd=at_one_spread, estimator="variational"),
            )


def grade_with_all_known(
    corpus: Corpus, standing: Fit, quality: np.ndarray, spread: float
) -> np.ndarray:
    """Return the students' distributions for who knows the raters and where grades lie.

    Known are the unit and the place of the fitted abilities too, by the qualities of the class: a
    line through both. What is left is the noise of verdicts, and that the raters differ.

    Parameters
    ----------
    corpus : Corpus
    standing : Fit
        Of the class, n essays.
    quality : (n,) array
        What the judge sees, logits.
    spread : float
        Standard deviation of the qualities over the corpus, logits.

    Returns
    -------
    (s, G) array
    """
    slope, place = np.polyfit(standing.ability, quality, 1)
    reading = (slope * standing.ability + place) / spread
    variance = (slope * standing.standard_error / spread) ** 2
    return corpus.first_grade_given(reading[:ESSAYS], variance[:ESSAYS])


def grade_by_judge(standing: Fit, anchors: AnchorGrades) -> Projection:
    """As batches are graded."""
    return project(standing, anchors, students=np.arange(ESSAYS))
