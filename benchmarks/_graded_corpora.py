"""Corpora of essays that two raters graded: their grades and what of a text can be counted."""

from __future__ import annotations

import csv
import gzip
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SETS = (1, 7)
_RIDGE = 1.0


@dataclass(frozen=True)
class Corpus:
    """Essays of one assignment.

    Attributes
    ----------
    name : str
    first, second : (n,) array of int
        Grades by two raters, 0 the lowest of the scale.
    n_grades : int
    surface : (n, f) array
        Counts of the texts, logarithms; the first column is that of the number of words.
    """

    name: str
    first: np.ndarray
    second: np.ndarray
    n_grades: int
    surface: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """Logarithm of the number of words, (n,)."""
        words: np.ndarray = self.surface[:, 0]
        return words

    def surface_score(self, unseen: np.ndarray) -> np.ndarray:
        """Grade by a ridge regression on the surface of all essays but `unseen`, (n,)."""
        centred = (self.surface - self.surface.mean(axis=0)) / self.surface.std(axis=0)
        known = np.ones(len(self.first), dtype=bool)
        known[unseen] = False
        design, grade = centred[known], self.first[known]
        gram = design.T @ design + _RIDGE * np.eye(design.shape[1])
        score: np.ndarray = centred @ np.linalg.solve(gram, design.T @ (grade - grade.mean()))
        return score


def corpus_path(number: int) -> Path:
    """Where an ASAP set lies: below `CJ_DATA_DIR`."""
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    return Path(os.environ.get("CJ_DATA_DIR", default)) / "essays" / f"asap-set{number}.tsv.gz"


def read_asap(number: int) -> Corpus:
    """An ASAP set; its essays are quoted by hand, so the reader must not unquote."""
    path = corpus_path(number)
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    grades = np.array([(int(r["rater1_domain1"]), int(r["rater2_domain1"])) for r in rows])
    lowest = grades.min()
    return Corpus(
        name=f"ASAP {number}",
        first=grades[:, 0] - lowest,
        second=grades[:, 1] - lowest,
        n_grades=int(grades.max() - lowest) + 1,
        surface=np.array([_surface(r["essay"].strip('"')) for r in rows]),
    )


def _surface(text: str) -> list[float]:
    """Words, different words, letters a word, sentences, commas, paragraphs marks, long words."""
    words = re.findall(r"[^\W\d_]+", text)
    n_words = max(len(words), 1)
    counts = [
        n_words,
        len({word.lower() for word in words}),
        sum(map(len, words)) / n_words,
        1 + len(re.findall(r"[.!?]+", text)),
        1 + text.count(","),
        1 + text.count('"'),
        1 + sum(1 for word in words if len(word) > 6),
    ]
    logs: list[float] = np.log(counts).tolist()
    return logs


def simulate_corpus(rng: np.random.Generator, *, n_essays: int = 1000) -> Corpus:
    """A corpus with a common trait N(0, 1) and two raters who see it with errors.

    4, 6 or 9 grades, most essays in the middle ones, shares that differ from corpus to corpus; the
    raters' errors have standard deviations of .2, .45 or .7. There is no text to count.
    """
    n_grades = int(rng.choice([4, 6, 9]))
    place = (np.arange(n_grades) - (n_grades - 1) / 2) / (n_grades / 3.5)
    usual = np.exp(-0.5 * place**2)
    below = np.cumsum(rng.dirichlet(3 * n_grades * usual))[:-1]
    trait = rng.normal(size=n_essays)
    raters = [trait + rng.choice([0.2, 0.45, 0.7]) * rng.normal(size=n_essays) for _ in range(2)]
    grades = [np.searchsorted(np.quantile(seen, below), seen) for seen in raters]
    return Corpus("simulated", grades[0], grades[1], n_grades, np.zeros((n_essays, 1)))
