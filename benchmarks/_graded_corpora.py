"""Corpora of essays that two raters graded: their grades and what of a text can be counted."""

from __future__ import annotations

import csv
import gzip
import os
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri

from assessment.domain.surface import measure_surface, surface_score

SETS = (1, 7)
TRAITS = {
    f"ASAP 7, {name}": (7, f"trait{number}")
    for number, name in enumerate(("ideas", "organization", "style", "conventions"), start=1)
}
CORPORA = {f"ASAP {number}": (number, "domain1") for number in SETS} | TRAITS
"""Corpora that two raters graded: the set of ASAP and the column of its grades."""

_RIDGE = 1.0
_SWEEPS = 30
_SMALLEST = 1e-12
_DRAWS = 200_000
_BISECTIONS = 20


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
    surface_judge : (n,) array
        Scores of the product's surface judge, which was learnt on other texts.
    """

    name: str
    first: np.ndarray
    second: np.ndarray
    n_grades: int
    surface: np.ndarray
    surface_judge: np.ndarray

    def second_reading(self, rng: np.random.Generator) -> np.ndarray:
        """How good the second rater found each essay, of which the grade is the rounding, (n,).

        Both raters' readings are bivariate normal, cut into grades by their shares (polychoric
        model; Olsson, Psychometrika 44, 1979). The correlation is the one that gives the grades
        theirs. Drawn given both grades, by Gibbs sampling: such a reading agrees with the first
        rater exactly as well as the second rater does, and not less, as one that is placed at
        random within the second rater's grade would.
        """
        correlation = self._correlation
        rest = np.sqrt(1.0 - correlation**2)
        bounds = [
            (cuts[grades], cuts[grades + 1])
            for cuts, grades in zip(self._cuts, (self.first, self.second), strict=True)
        ]
        readings = [np.zeros(len(self.first)), np.zeros(len(self.first))]
        for _ in range(_SWEEPS):
            for own, other in ((0, 1), (1, 0)):
                mean = correlation * readings[other]
                low, high = (ndtr((bound - mean) / rest) for bound in bounds[own])
                share = np.clip(rng.uniform(low, high), _SMALLEST, 1.0 - _SMALLEST)
                readings[own] = mean + rest * ndtri(share)
        return readings[1]

    def first_grade_given(self, reading: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Return P(first rater's grade) where the second one's reading is known so far, (n, G).

        By the polychoric model of `second_reading`: nobody can tell more of a grade who knows both
        raters' shares, how far they agree, and what the second one found, with this variance.
        """
        scale = np.sqrt(1.0 - self._correlation**2 * (1.0 - variance))[:, None]
        below = ndtr((self._cuts[0] - self._correlation * reading[:, None]) / scale)
        shares: np.ndarray = np.diff(below, axis=1)
        return shares

    @cached_property
    def _cuts(self) -> tuple[np.ndarray, np.ndarray]:
        return _cut_points(self.first, self.n_grades), _cut_points(self.second, self.n_grades)

    @cached_property
    def _correlation(self) -> float:
        return _polychoric(self.first, self.second, *self._cuts)

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


def has_corpus(name: str) -> bool:
    """Whether the data of a corpus are there."""
    return corpus_path(CORPORA[name][0]).exists()


@cache
def read_corpus(name: str) -> Corpus:
    """Read one of `CORPORA`."""
    number, column = CORPORA[name]
    return read_asap(number, column)


def read_asap(number: int, column: str = "domain1") -> Corpus:
    """An ASAP set; its essays are quoted by hand, so the reader must not unquote."""
    path = corpus_path(number)
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    grades = np.array([(int(r[f"rater1_{column}"]), int(r[f"rater2_{column}"])) for r in rows])
    lowest = grades.min()
    return Corpus(
        name=next(name for name, known in CORPORA.items() if known == (number, column)),
        first=grades[:, 0] - lowest,
        second=grades[:, 1] - lowest,
        n_grades=int(grades.max() - lowest) + 1,
        surface=np.array([_surface(r["essay"].strip('"')) for r in rows]),
        surface_judge=np.array(
            [surface_score(measure_surface(r["essay"].strip('"'))) for r in rows]
        ),
    )


def _cut_points(grades: np.ndarray, n_grades: int) -> np.ndarray:
    """Where a standard normal reading is cut into grades of these shares, (G + 1,)."""
    shares = np.bincount(grades, minlength=n_grades) / len(grades)
    cumulative = np.concatenate([[0.0], np.cumsum(shares)])
    cuts: np.ndarray = ndtri(np.clip(cumulative, 0.0, 1.0))
    return cuts


def _polychoric(
    first: np.ndarray, second: np.ndarray, first_cuts: np.ndarray, second_cuts: np.ndarray
) -> float:
    """The correlation of readings whose grades correlate as these do, by bisection."""
    wanted = np.corrcoef(first, second)[0, 1]
    one, other = np.random.default_rng(0).normal(size=(2, _DRAWS))
    graded = np.searchsorted(first_cuts[1:-1], one)
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        mixed = middle * one + np.sqrt(1.0 - middle**2) * other
        reached = np.corrcoef(graded, np.searchsorted(second_cuts[1:-1], mixed))[0, 1]
        low, high = (middle, high) if reached < wanted else (low, middle)
    return low


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
    nothing = np.zeros(n_essays)
    return Corpus("simulated", grades[0], grades[1], n_grades, nothing[:, None], nothing)
