"""The exact likelihood of rankings: Plackett-Luce, with an effect of each place.

A ranking is made from the top: the best essay is taken, then the best of the rest, and so on, each
with a probability proportional to exp(ability + effect of its place) (Luce 1959; Plackett 1975,
Applied Statistics 24:193). It is the law of the order of abilities with independent Gumbel noise.
Batches are fitted by weighted pairs instead (:mod:`scoring.lists`): this is what they are measured
against, and what published fits of rankings are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import InvalidSettingError, NotConvergedError, SolverState

if TYPE_CHECKING:
    from scoring._types import Floats, Ints
    from scoring.lists import Lists

_MAX_ITERATIONS = 100
_TOLERANCE = 1e-9
_LONGEST_STEP = 2.0
_PLACE_SD = 0.3


@dataclass(frozen=True, eq=False)
class RankingFit:
    """Abilities by the exact likelihood of rankings.

    Attributes
    ----------
    ability : (n,) array
        Logits, sum zero.
    covariance : (n, n) array
        In the sum-to-zero gauge, logits^2: the inverse of the curvature at the mode.
    place_effects : (K,) array
        Advantage of each place, logits, sum zero; empty where not modelled.
    log_likelihood : float
        Of all rankings.
    iterations : int
        Newton steps.
    """

    ability: Floats
    covariance: Floats
    place_effects: Floats
    log_likelihood: float
    iterations: int


def fit_plackett_luce(
    lists: Lists, *, prior_sd: float | None = None, place_effects: bool = False
) -> RankingFit:
    """Fit abilities to rankings; gaps and scores are not used.

    Parameters
    ----------
    lists : Lists
        Rankings of any sizes; with place effects all of one size.
    prior_sd : float, optional
        Standard deviation of a Normal prior of the abilities, logits; maximum likelihood without.
    place_effects : bool, default False
        Estimate an effect of each place, with a Normal prior of standard deviation .3.

    Returns
    -------
    RankingFit

    Raises
    ------
    InvalidSettingError
        If place effects are asked of lists of several sizes.
    NotConvergedError
        If there is no finite maximum, as where an essay is always last and there is no prior.
    """
    model = _Rankings(lists, prior_sd, place_effects=place_effects)
    x = np.zeros(model.size)
    for iteration in range(1, _MAX_ITERATIONS + 1):
        value, gradient, curvature = model.evaluate(x)
        step = np.linalg.solve(curvature + model.gauge, gradient)
        largest = float(np.abs(step).max())
        x = x + step * min(1.0, _LONGEST_STEP / max(largest, 1e-300))
        if largest < _TOLERANCE:
            return model.result(x, iteration)
    state = SolverState(_MAX_ITERATIONS, x[: model.n], x[model.n :], largest, value)
    raise NotConvergedError("Plackett-Luce (a prior_sd always has a maximum)", state)


class _Rankings:
    """The penalised log likelihood, with gradient and minus the Hessian."""

    def __init__(self, lists: Lists, prior_sd: float | None, *, place_effects: bool) -> None:
        sizes = lists.sizes
        if place_effects and len(np.unique(sizes)) > 1:
            raise InvalidSettingError("place_effects", "need lists of one size")
        self.n = lists.n_essays
        self.n_places = int(sizes.max()) if place_effects else 0
        self.size = self.n + self.n_places
        self._rows = [
            (ranking, self.n + np.array([_place(shown, essay) for essay in ranking]))
            for shown, ranking in zip(lists.shown, lists.rankings, strict=True)
        ]
        precision = np.zeros(self.size)
        precision[: self.n] = 0.0 if prior_sd is None else prior_sd**-2
        precision[self.n :] = _PLACE_SD**-2
        self._precision = precision
        self.gauge = np.zeros((self.size, self.size))
        self.gauge[: self.n, : self.n] = 1.0 / self.n

    def evaluate(self, x: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient (N,) and minus the Hessian (N, N) at a point."""
        value = -0.5 * float(self._precision @ x**2)
        gradient = -self._precision * x
        curvature = np.diag(self._precision)
        for ranking, places in self._rows:
            utility = x[ranking] + (x[places] if self.n_places else 0.0)
            own, slope, block = _stages(utility)
            value += own
            columns = [ranking, places] if self.n_places else [ranking]
            for one in columns:
                gradient[one] += slope
                for other in columns:
                    curvature[np.ix_(one, other)] += block
        return value, gradient, curvature

    def result(self, x: Floats, iterations: int) -> RankingFit:
        """Describe the maximum."""
        n = self.n
        value, _, curvature = self.evaluate(x)
        value += 0.5 * float(self._precision @ x**2)
        inverse = np.linalg.inv(curvature + self.gauge)[:n, :n]
        centre = np.eye(n) - 1.0 / n
        places = x[n:] - x[n:].mean() if self.n_places else x[n:]
        covariance: Floats = centre @ inverse @ centre
        return RankingFit(x[:n] - x[:n].mean(), covariance, places, value, iterations)


def _place(shown: Ints, essay: int) -> int:
    return int(np.flatnonzero(shown == essay)[0])


def _stages(utility: Floats) -> tuple[float, Floats, Floats]:
    """Log probability of an order, best first, with slope (k,) and minus the Hessian (k, k)."""
    size = len(utility)
    strength = np.exp(utility - utility.max())
    left = np.cumsum(strength[::-1])[::-1]
    # row s: probability of each essay that is left to be taken at stage s
    taken = np.triu(strength[None, :] / left[:, None])[: size - 1]
    value = float(np.log(strength[: size - 1] / left[: size - 1]).sum())
    slope = (np.arange(size) < size - 1) - taken.sum(axis=0)
    block = np.diag(taken.sum(axis=0)) - taken.T @ taken
    return value, slope, block
