"""Grades as cuts of one quality that the class has a normal distribution of.

`scoring.grader_spread` takes all grades for equally common where no population is known. Sets of
grades need more: in no class are they so. Here a grade is what a grader's reading of the essay,
its quality with an error, is cut into (ordered probit), and how common a grade is follows from
where the cuts lie in the class. That is known far better than where grades lie: a hundred students
show the class, eight anchors the cuts.

With qualities in standard deviations of the class, so that students are N(0, 1), the grader's error
N(0, s^2) and cuts c, an essay whose quality is m with variance v has grade g with probability

    P(g | m, v) = Phi((c_(g+1) - m) / sqrt(s^2 + v)) - Phi((c_g - m) / sqrt(s^2 + v)).

Anchors are chosen by their grades, not drawn from the class. What one says of the cuts is therefore
P(g | m, v) / P(g | 0, 1), how much likelier its grade is for it than in the class (Prentice & Pyke,
Biometrika 66, 1979), and 1 with a small probability: it may be misgraded.

Place and mean width of the grades, each width, and s have priors. They were chosen by the grades
of simulated corpora, four traits of ASAP 7 and a sample of PERSUADE. Draws of their posterior come
from annealed importance resampling (sequential Monte Carlo; Del Moral, Doucet & Jasra, Journal of
the Royal Statistical Society B 68, 2006) with a fixed seed. Each anchor is graded by the others
with the same draws, weighted by one over what it says itself (Gelfand, Dey & Chang 1992), the
weights truncated (Ionides, Journal of Computational and Graphical Statistics 17, 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._root import find_zero

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

LEAST_STUDENTS = 10
"""Fewer do not show how a class is distributed."""

# Of the middle cut: standard deviation around the middle of the class.
_PLACE_SD = 1.0
# All grades of a scale have about this many standard deviations of the class, on a log scale.
_ALL_WIDTHS = 6.0
_MEAN_WIDTH_SD = 0.35
_OWN_WIDTH_SD = 0.3
# The grader's error; .78 is that of raters whose readings correlate by .79.
_USUAL_ERROR = 0.78
_ERROR_SD = 0.3
_MISGRADED = 0.03

_DRAWS = 2000
_MOVES = 4
# Students are graded by every so many draws.
_THINNED = 2
_LEAST_EFFECTIVE = _DRAWS / 2
_STEPS = (0.5, 1.0)
# Of the next power of the evidence.
_TOLERANCE = 1e-9
_MOST_SWEEPS = 50
_LEAST_PROBABILITY = 1e-9
_LEAST_PART = 0.02
_FAR = 40.0


@dataclass(frozen=True)
class Readings:
    """Qualities in standard deviations of the class, each with the class for its prior.

    Attributes
    ----------
    mean, variance : (k,) ndarray of float
    """

    mean: Floats
    variance: Floats

    def select(self, rows: Ints) -> Readings:
        """Return those of some essays."""
        return Readings(self.mean[rows], self.variance[rows])


def read_class(ability: Floats, variance: Floats, students: Ints) -> Readings:
    """Return every essay's quality in the class of the students.

    Parameters
    ----------
    ability, variance : (n,) ndarray of float
        By the verdicts alone, logits and logits squared; see `grader_spread.remove_prior`.
    students : (s,) ndarray of int
        The class, at least two.

    Returns
    -------
    Readings
        Of all n essays.
    """
    centre, square = _class_moments(ability[students], variance[students])
    information = square / variance
    shrunk = information / (1.0 + information)
    return Readings((ability - centre) / np.sqrt(square) * shrunk, 1.0 / (1.0 + information))


def _class_moments(ability: Floats, variance: Floats) -> tuple[float, float]:
    """Return the likeliest mean and variance of normal abilities that are known this well."""
    whole = max(float(ability.var()), _LEAST_PROBABILITY)
    square = whole
    for _ in range(_MOST_SWEEPS):
        weight = 1.0 / (variance + square)
        centre = float(weight @ ability / weight.sum())
        excess = weight**2 * (ability - centre) ** 2 - weight
        square = max(square + float(excess.sum() / (weight**2).sum()), _LEAST_PART * whole)
    return centre, square


@dataclass(frozen=True)
class GradeCuts:
    """Draws of where a class's grades are cut, given the anchors.

    Attributes
    ----------
    cuts : (d, G + 1) ndarray of float
        Of G grades, in standard deviations of the class; the outermost are beyond every essay.
    error : (d,) ndarray of float
        Standard deviation of the grader's error, likewise.
    evidence : (d, a) ndarray of float
        Logarithm of what each anchor says of each draw.
    anchors : Readings
    """

    cuts: Floats
    error: Floats
    evidence: Floats
    anchors: Readings

    def probabilities(self, readings: Readings) -> Floats:
        """Return P(grade) of essays that the cuts do not follow from, (k, G); rows sum to 1."""
        return self._grade(readings, slice(None, None, _THINNED), None)

    def anchor_probabilities(self) -> Floats:
        """Return P(grade) of each anchor by the others, (a, G); rows sum to 1."""
        weight = np.exp(self.evidence.min(axis=0) - self.evidence)
        weight = np.minimum(weight, weight.mean(axis=0) * np.sqrt(len(weight)))
        return self._grade(self.anchors, slice(None), weight)

    def _grade(self, readings: Readings, draws: slice, weight: Floats | None) -> Floats:
        """Average P(grade) over draws, of equal weight or of one for each essay, (d, k)."""
        scale = np.sqrt(self.error[draws, None] ** 2 + readings.variance)
        below = [
            np.average(_normal_shares((edge[:, None] - readings.mean) / scale), 0, weight)
            for edge in self.cuts[draws].T
        ]
        return _normalise(np.diff(np.stack(below, axis=1), axis=1))


def draw_cuts(anchors: Readings, grade: Ints, n_grades: int) -> GradeCuts:
    """Draw cuts and errors from their posterior.

    Parameters
    ----------
    anchors : Readings
        Of a anchors.
    grade : (a,) ndarray of int
        Positions of their grades, 0 the lowest.
    n_grades : int
        G, at least two.

    Returns
    -------
    GradeCuts
    """
    model = _Model(anchors, grade, n_grades)
    rng = np.random.default_rng(0)
    draws = model.centre + model.spread * rng.normal(size=(_DRAWS, len(model.centre)))
    evidence = model.evidence(draws)
    power = 0.0
    while power < 1.0:
        step = _annealing_step(evidence.sum(axis=1), 1.0 - power)
        power += step
        kept = _resample(step * evidence.sum(axis=1), rng)
        draws, evidence = model.move(draws[kept], evidence[kept], power, rng)
    return GradeCuts(*model.cuts(draws), evidence, anchors)


def _annealing_step(evidence: Floats, rest: float) -> float:
    """Return how far the evidence may count next, that enough draws keep their weight."""

    def spare(step: float) -> float:
        weight = np.exp(step * (evidence - evidence.max()))
        return float(weight.sum() ** 2 / (weight**2).sum()) - _LEAST_EFFECTIVE

    return find_zero(spare, 0.0, rest, tolerance=_TOLERANCE)


def _resample(log_weight: Floats, rng: np.random.Generator) -> Ints:
    """Return rows in proportion to their weights, systematically."""
    weight = np.exp(log_weight - log_weight.max())
    reached = np.cumsum(weight) / weight.sum()
    places = (np.arange(len(weight)) + rng.uniform()) / len(weight)
    return np.minimum(np.searchsorted(reached, places), len(weight) - 1)


@dataclass(frozen=True)
class _Model:
    """Draws are rows of the middle cut, the logarithms of the usual width and of the error, and by
    how much the logarithm of each width between two cuts differs from the usual one.
    """

    anchors: Readings
    grade: Ints
    n_grades: int

    @property
    def centre(self) -> Floats:
        own = np.zeros(self.n_grades - 2)
        return np.array([0.0, np.log(_ALL_WIDTHS / self.n_grades), np.log(_USUAL_ERROR), *own])

    @property
    def spread(self) -> Floats:
        own = np.full(self.n_grades - 2, _OWN_WIDTH_SD)
        return np.array([_PLACE_SD, _MEAN_WIDTH_SD, _ERROR_SD, *own])

    def cuts(self, draws: Floats) -> tuple[Floats, Floats]:
        widths = np.exp(draws[:, [1]] + draws[:, 3:])
        inner = np.cumsum(np.concatenate([np.zeros((len(draws), 1)), widths], axis=1), axis=1)
        last = self.n_grades - 2
        middle = (inner[:, [last // 2]] + inner[:, [(last + 1) // 2]]) / 2.0
        end = np.full((len(draws), 1), _FAR)
        cuts = np.concatenate([-end, inner - middle + draws[:, [0]], end], axis=1)
        return cuts, np.exp(draws[:, 2])

    def evidence(self, draws: Floats) -> Floats:
        """Return the logarithm of what each anchor says of each draw, (d, a)."""
        cuts, error = self.cuts(draws)
        scale = np.sqrt(error[:, None] ** 2 + self.anchors.variance)
        own = _normal_shares((cuts[:, self.grade + 1] - self.anchors.mean) / scale)
        own -= _normal_shares((cuts[:, self.grade] - self.anchors.mean) / scale)
        below = _normal_shares(cuts / np.sqrt(1.0 + error**2)[:, None])
        common = np.diff(below, axis=1)[:, self.grade]
        ratio = np.maximum(own, _LEAST_PROBABILITY) / np.maximum(common, _LEAST_PROBABILITY)
        evidence: Floats = np.log((1.0 - _MISGRADED) * ratio + _MISGRADED)
        return evidence

    def log_prior(self, draws: Floats) -> Floats:
        deviates = (draws - self.centre) / self.spread
        log_density: Floats = -0.5 * (deviates**2).sum(axis=1)
        return log_density

    def move(
        self, draws: Floats, evidence: Floats, power: float, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Move draws under the evidence to this power, by Metropolis steps of their own shape."""
        size = draws.shape[1]
        covariance = np.cov(draws.T) + np.diag(_LEAST_PROBABILITY * self.spread**2)
        shape = np.linalg.cholesky(covariance) * 2.38 / np.sqrt(size)
        for move in range(_MOVES):
            step = _STEPS[move % len(_STEPS)]
            proposed = draws + step * rng.normal(size=draws.shape) @ shape.T
            new = self.evidence(proposed)
            gain = power * (new - evidence).sum(axis=1)
            gain += self.log_prior(proposed) - self.log_prior(draws)
            accepted = (np.log(rng.uniform(size=len(draws))) < gain)[:, None]
            draws = np.where(accepted, proposed, draws)
            evidence = np.where(accepted, new, evidence)
        return draws, evidence


def _normal_shares(deviate: Floats) -> Floats:
    """Return the standard normal probability below."""
    from scipy.special import ndtr

    probability: Floats = ndtr(deviate)
    return probability


def _normalise(shares: Floats) -> Floats:
    shares = np.maximum(shares, _LEAST_PROBABILITY)
    probabilities: Floats = shares / shares.sum(axis=1, keepdims=True)
    return probabilities
