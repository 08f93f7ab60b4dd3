"""Comparisons aimed at grade boundaries (`strategy: grades`) against the default, at equal cost.

    python -m benchmarks.grade_pairing [--quick] [--json PATH]

The same classes of 100 essays and 20 anchors, the same number of comparisons, 25% random pairs in
both. Real essays as in `benchmarks.real_grades` (ASAP sets 1 and 7; THE JUDGE IS SIMULATED from the
second rater), and simulated corpora whose two raters differ by .2 to .7 standard deviations. What
counts is the ranked probability score of the grades; a negative difference speaks for `grades`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks._common import Claim, Options, arguments, at_least, report
from benchmarks._graded_corpora import SETS, Corpus, corpus_path, read_asap, simulate_corpus
from benchmarks.real_grades import (
    ESSAYS,
    JUDGES,
    LENGTHS,
    MOST_ANCHORS,
    by_judge,
    draw_class,
    judged,
    qualities,
)
from scoring._grades.anchor_health import ranked_probability_score
from scoring.pairing import Strategy

STRATEGIES: tuple[Strategy, Strategy] = ("adaptive", "grades")
SIMULATED = "simulated corpora"


def score(
    corpus: Corpus, seed: int, spread: float, strategy: Strategy
) -> Iterator[tuple[int, float]]:
    """The ranked probability score of one class after 8 and 20 comparisons per essay."""
    rng = np.random.default_rng([41, seed])
    batch = draw_class(corpus, rng)
    quality = qualities(batch, corpus, spread, rng)
    anchors = batch.anchors(MOST_ANCHORS, with_prior=False)
    for per_essay, standing in judged(batch, quality, rng, strategy):
        probabilities, _ = by_judge(standing, anchors)
        yield per_essay, ranked_probability_score(probabilities, batch.grade[:ESSAYS])


def compare(name: str, corpora: list[Corpus], classes: int) -> list[dict[str, object]]:
    """One row for each judge and number of comparisons."""
    rows: list[dict[str, object]] = []
    for judge, spread in JUDGES.items():
        scores: dict[int, list[list[float]]] = {k: [] for k in LENGTHS}
        for seed in range(classes):
            corpus = corpora[seed % len(corpora)]
            found = [dict(score(corpus, seed, spread, strategy)) for strategy in STRATEGIES]
            for k in LENGTHS:
                scores[k].append([one[k] for one in found])
        for k in LENGTHS:
            pairs = np.array(scores[k])
            difference = pairs[:, 1] - pairs[:, 0]
            rows.append(
                {
                    "corpus": name,
                    "judge": judge,
                    "per essay": k,
                    "classes": classes,
                    "rps_adaptive": float(pairs[:, 0].mean()),
                    "rps_grades": float(pairs[:, 1].mean()),
                    "difference": float(difference.mean()),
                    "standard_error": float(difference.std() / np.sqrt(classes)),
                }
            )
    return rows


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
    claims = [
        Claim(
            f"RPS of grades less adaptive: {row['corpus']}, {row['judge']}, {row['per essay']}",
            float(str(row["difference"])),
            "",
            at_least(-0.002),
        )
        for row in rows
    ]
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main(arguments(__doc__))
