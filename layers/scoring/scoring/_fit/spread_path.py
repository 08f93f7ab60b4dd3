"""The nearest Gaussians at different standard deviations of abilities, and how they move with it.

Each Gaussian is settled from the nearest one that is known already, along the slope of its means in
log sd (`scoring._fit.spread` says what for).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.evidence import compute_remainder, missing_evidence
from scoring._fit.gaussian import settle
from scoring._fit.linear import symmetric

if TYPE_CHECKING:
    from scoring._fit.gaussian import Gaussian
    from scoring._fit.model import Model
    from scoring._fit.spread_estimate import SpreadPrior
    from scoring._fit.variational import Remainder
    from scoring._types import Floats

LONGEST_STEP = 1.0
"""Of one Newton step, in log sd."""
LEAST_SD, MOST_SD = 0.02, 60.0
"""The sds that are tried lie between these, logits."""
_LEAST_GAP = 0.05
"""Two sds nearer to each other than this, in log sd, tell no slope."""
_NOTHING = 1e-12
# What the bound leaves out grows like a power of sd: which one is seen from two sds, or is this.
_POWER, _LEAST_POWER, _MOST_POWER = 1.7, 0.5, 4.0


@dataclass(slots=True)
class SpreadPoint:
    """A Gaussian on the path, with the slopes of its bound and of the means in log sd.

    What the bound leaves out of the log evidence is `missing`; it grows like sd to the `power`. It
    comes of the verdicts' `remainder`.
    """

    log_sd: float
    gaussian: Gaussian
    bound_slope: float
    bend: float
    drift: Floats
    missing: float
    remainder: Remainder
    power: float = _POWER

    @property
    def evidence(self) -> float:
        """Log evidence, up to a constant of the data."""
        return self.gaussian.bound + self.missing

    @property
    def slope(self) -> float:
        """Slope of the log evidence in log sd."""
        return self.bound_slope + self.power * self.missing


class SpreadPath:
    """Gaussians at different sds, each started from the nearest one that is still held.

    Parameters
    ----------
    model : Model
        The model; it is copied for each sd.
    x : (N,) array
        Means of all parameters to start from.
    variance : (m,) array
        Variances of the judged differences to start from, logits^2.
    log_sd : float
        The logarithm of the sd to which both belong.

    Attributes
    ----------
    turns : int
        Turns made at all sds together.
    """

    def __init__(self, model: Model, x: Floats, variance: Floats, log_sd: float) -> None:
        self._model = model
        self._start = (x, variance, log_sd)
        self._held: list[SpreadPoint] = []
        # By log sd: the parameters that are no abilities, and the evidence that the bound misses.
        self._others: dict[float, Floats] = {}
        self._missing: dict[float, float] = {}
        self.turns = 0

    def settle_gaussian(
        self, log_sd: float, tolerance: float, *, hold: bool = False
    ) -> SpreadPoint:
        """Settle at one sd; forget the point before unless both are to be held."""
        model = copy(self._model)
        model.set_ability_precision(float(np.exp(-2.0 * log_sd)))
        x, variance = self._choose_start(log_sd)
        gaussian = settle(model, x, variance, tolerance=tolerance)
        self.turns += gaussian.turns
        point = _describe(model, gaussian, log_sd)
        gaussian.forget_nodes()
        self._missing[log_sd] = point.missing
        point.power = self.find_power(point)
        self._held = [*self._held, point] if hold else [point]
        self._others[log_sd] = gaussian.x[self._model.n :]
        return point

    def find_power(self, point: SpreadPoint) -> float:
        """With which power of sd the missing evidence grows, by the nearest other sd."""
        others = [at for at in self._missing if abs(at - point.log_sd) > _LEAST_GAP]
        if not others:
            return _POWER
        nearest = min(others, key=lambda at: abs(at - point.log_sd))
        values = np.maximum([point.missing, self._missing[nearest]], _NOTHING)
        power = (np.log(values[0]) - np.log(values[1])) / (point.log_sd - nearest)
        return float(np.clip(power, _LEAST_POWER, _MOST_POWER))

    def _choose_start(self, log_sd: float) -> tuple[Floats, Floats]:
        if not self._held:
            x, variance, from_log_sd = self._start
            return x.copy(), rescale(variance, from_log_sd, log_sd)
        nearest = min(self._held, key=lambda point: abs(point.log_sd - log_sd))
        step = log_sd - nearest.log_sd
        x = nearest.gaussian.x.copy()
        x[: self._model.n] += step * nearest.drift
        known = sorted(self._others, key=lambda at: abs(at - log_sd))
        if len(known) > 1:
            x[self._model.n :] += self._others_drift(*known[:2]) * step
        return x, rescale(nearest.gaussian.variance, nearest.log_sd, log_sd)

    def _others_drift(self, one: float, other: float) -> Floats:
        """Slope in log sd of all parameters but abilities and gaps, which must stay positive."""
        gap = one - other
        slope: Floats = (self._others[one] - self._others[other]) / gap
        gaps = self._model.gaps_at
        slope[gaps.start - self._model.n : gaps.stop - self._model.n] = 0.0
        return np.where(np.abs(gap) > _LEAST_GAP, slope, 0.0)


def rescale(variance: Floats, log_sd: float, following: float) -> Floats:
    """Guess variances of differences under another prior: their information stays what it was.

    Parameters
    ----------
    variance : (m,) array
        Of the judged differences, logits^2.
    log_sd, following : float
        Log standard deviation of abilities, before and after.

    Returns
    -------
    (m,) array
        Logits^2.
    """
    if log_sd == following:
        return variance
    prior, other = (0.5 * np.exp(-2.0 * at) for at in (log_sd, following))
    information = np.maximum(1.0 / np.maximum(variance, 1e-12) - prior, 0.0)
    guess: Floats = 1.0 / (information + other)
    return guess


def _describe(model: Model, gaussian: Gaussian, log_sd: float) -> SpreadPoint:
    slopes = _slopes(model, gaussian.x, gaussian.lower)
    remainder = compute_remainder(gaussian)
    missing = missing_evidence(gaussian, remainder)
    return SpreadPoint(log_sd, gaussian, *slopes, missing, remainder)


def _slopes(model: Model, x: Floats, lower: Floats) -> tuple[float, float, Floats]:
    """Slope and bend of the bound, and the slope of the means, in log sd."""
    n, precision = model.n, model.priors.ability
    mean, full = x[:n], symmetric(lower[:n, :n])
    drift: Floats = 2.0 * precision * (full @ mean)
    energy = precision * (float(mean @ mean) + float(full.diagonal().sum()))
    squares = precision**2 * float(np.einsum("ij,ij->", full, full))
    # As if the verdicts' information did not depend on sd: good enough for a step.
    bend = 2.0 * energy - 2.0 * precision * float(mean @ drift) - 2.0 * squares
    return energy - n, bend, drift


def better_start(
    model: Model, x: Floats, lower: Floats, prior: SpreadPrior
) -> tuple[float, Floats]:
    """Take one Newton step in log sd from a Gaussian at the model's own sd.

    Parameters
    ----------
    model : Model
        With the sd from which to go.
    x : (N,) array
        The parameters there.
    lower : (N, N) array
        Lower triangle of their covariance.
    prior : SpreadPrior
        The prior of sd.

    Returns
    -------
    float, (N,) array
        A log sd nearer to the maximum, and the parameters moved along.
    """
    log_sd = model.log_sd
    slope, bend, drift = _slopes(model, x, lower)
    slope -= (log_sd - np.log(prior.median)) / prior.log_sd**2
    precision = max(bend, 0.0) + prior.log_sd**-2
    step = float(np.clip(slope / precision, -LONGEST_STEP, LONGEST_STEP))
    following = float(np.clip(log_sd + step, np.log(LEAST_SD), np.log(MOST_SD)))
    moved = x.copy()
    moved[: model.n] += (following - log_sd) * drift
    return following, moved
