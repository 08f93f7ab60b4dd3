"""Comparisons aimed at grade boundaries (`strategy: grades`) against the default, at equal cost.

    python -m benchmarks.grade_pairing [--quick] [--json PATH]

The same classes of 100 essays and 20 anchors, the same number of comparisons, 25% random pairs in
both. Real essays as in `benchmarks.real_grades` (ASAP sets 1 and 7; THE JUDGE IS SIMULATED from the
second rater), and simulated corpora whose two raters differ by .2 to .7 standard deviations. What
counts is the ranked probability score of the grades; a negative difference speaks for `grades`.
"""

from __future__ import annotations

import numpy as np

from benchmarks._common import Bar, Claim, Options, arguments, report
from benchmarks._graded_classes import (
    ESSAYS,
    JUDGES,
    LENGTHS,
    MOST_ANCHORS,
    Class,
    draw_class,
    grade_by_judge,
    judged,
)
from benchmarks._graded_corpora import SETS, Corpus, corpus_path, read_asap, simulate_corpus
from scoring._grades.anchor_health import ranked_probability_score
from scoring.pairing import Strategy

STRATEGIES: tuple[Strategy, Strategy] = ("adaptive", "grades")
SIMULATED = "simulated corpora"


def qualities(batch: Class, corpus: Corpus, spread: float, rng: np.random.Generator) -> np.ndarray:
    """What the judge sees: the second rater's grade, and a uniform place within it, logits."""
    place = batch.other + rng.uniform(-0.5, 0.5, len(batch.other))
    deviation = np.hypot(corpus.second.std(), 12**-0.5)
    quality: np.ndarray = spread * (place - corpus.second.mean()) / deviation
    return quality


def score(corpus: Corpus, seed: int, spread: float, strategy: Strategy) -> list[float]:
    """The ranked probability scores of one class, after each of `LENGTHS` comparisons per essay."""
    rng = np.random.default_rng([41, seed])
    batch = draw_class(corpus, rng)
    quality = qualities(batch, corpus, spread, rng)
    anchors = batch.anchors(MOST_ANCHORS, with_prior=False)
    scores = {}
    for per_essay, standing in judged(batch, quality, rng, strategy):
        probabilities = grade_by_judge(standing, anchors).probabilities
        scores[per_essay] = ranked_probability_score(probabilities, batch.grade[:ESSAYS])
    return [scores[per_essay] for per_essay in LENGTHS]


def compare(name: str, corpora: list[Corpus], classes: int) -> list[dict[str, object]]:
    """One row for each judge and number of comparisons."""
    rows: list[dict[str, object]] = []
    for judge, spread in JUDGES.items():
        scores = score_strategies(corpora, classes, spread)
        for column, per_essay in enumerate(LENGTHS):
            adaptive, grades = scores[:, :, column].T
            difference = grades - adaptive
            rows.append(
                {
                    "corpus": name,
                    "judge": judge,
                    "per essay": per_essay,
                    "classes": classes,
                    "rps_adaptive": float(adaptive.mean()),
                    "rps_grades": float(grades.mean()),
                    "difference": float(difference.mean()),
                    "standard_error": float(difference.std() / np.sqrt(classes)),
                }
            )
    return rows


def score_strategies(corpora: list[Corpus], classes: int, spread: float) -> np.ndarray:
    """The scores of every class by strategy and length, (classes, strategies, lengths)."""
    return np.array(
        [
            [score(corpora[seed % len(corpora)], seed, spread, strategy) for strategy in STRATEGIES]
            for seed in range(classes)
        ]
    )


def main(options: Options) -> None:
    """Compare and report; without the data, only simulated corpora."""
    classes = 4 if options.quick else 24
    corpora = [simulate_corpus(np.random.default_rng([43, seed])) for seed in range(classes)]
    rows = compare(SIMULATED, corpora, classes)
    for number in SETS:
        if corpus_path(number).exists():
            rows += compare(f"ASAP {number}", [read_asap(number)], classes)
        else:
            print(f"skipped: {corpus_path(number).name} is not in CJ_DATA_DIR/essays")
    report(options, rows=rows, claims=[make_claim(rows)])


def make_claim(rows: list[dict[str, object]]) -> Claim:
    """Only a strategy that gains on every corpus becomes the default."""
    names = dict.fromkeys(str(row["corpus"]) for row in rows)
    gained = [name for name in names if gains([r for r in rows if r["corpus"] == name])]
    name = "corpora whose grades `grades` improves; on all three it would become the default"
    return Claim(name, len(gained), "", Bar(high=len(SETS)))


def gains(rows: list[dict[str, object]]) -> bool:
    """Whether the mean difference of a corpus is below zero by two standard errors."""
    # The cells share their classes: the errors are taken as if they were the same.
    error = np.mean([float(str(row["standard_error"])) for row in rows])
    return bool(np.mean([float(str(row["difference"])) for row in rows]) < -2.0 * error)


if __name__ == "__main__":
    main(arguments(__doc__))
