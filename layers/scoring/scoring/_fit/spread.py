"""The spread of abilities, integrated over instead of fixed.

Abilities have the prior N(0, sd^2), and sd itself a log-normal one. Pairs are chosen from past
verdicts only, so the choice tells nothing more about abilities or sd than those verdicts do: the
likelihood of (abilities, sd) is that of fixed pairs, whichever schedule chose them (ignorable
design, Rubin 1976, Biometrika 63:581). The posterior of x = log sd is

    p(x | verdicts)  ~  Z(x) N(x; log median, log_sd^2) ,

Z the marginal likelihood. Its logarithm is taken as the variational bound of the nearest Gaussian
and the second-order part that it leaves out (`scoring._fit.evidence`). The bound has the derivative

    d bound / dx  =  E |theta|^2 / sd^2 - n

at no cost; the rest grows like a power of sd. A few Newton steps find the maximum, nodes around it
give values and derivatives, and a polynomial through both gives the curve. Everything reported is
the mixture over the nodes: means, covariances within and between them.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.evidence import log_evidence_curve, missing_evidence
from scoring._fit.gaussian import Gaussian, settle
from scoring._fit.linear import centre_covariance, symmetric
from scoring._fit.spread_estimate import Node, Spread, reduce_gaussian
from scoring._fit.variational import free_discriminations
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from scoring._fit.model import Model
    from scoring._fit.spread_estimate import SpreadPrior
    from scoring._types import Floats

# Tolerances of mean and variances: while the maximum is sought, and for what is reported.
_ROUGH, _FINE, _OUTER = 0.02, 2e-3, 8e-3
_SEARCHES = 12
_LONGEST_STEP = 1.0
_CLOSE = 0.35
"""The maximum counts as found within this many standard deviations of log sd."""
# Up to which standard deviation of log sd how many nodes are enough, and where they are: one with
# the slope of the means, then the nodes of Gauss and Hermite.
_NARROW = 0.06
_NODES = (
    (_NARROW, (0.0,)),
    (0.13, (-1.0, 1.0)),
    (0.22, (0.0, -1.7320508, 1.7320508)),
    (np.inf, (0.0, -1.3556262, 1.3556262, -2.8569700, 2.8569700)),
)
_GRID = 201
_GRID_REACH = 5.0
_LEAST_GAP = 0.05
_NOTHING = 1e-12
# What the bound leaves out grows like a power of sd: which one is seen from two sds, or is this.
_POWER, _LEAST_POWER, _MOST_POWER = 1.7, 0.5, 4.0
_LEAST_SD, _MOST_SD = 0.02, 60.0


@dataclass(slots=True)
class Mixture:
    """The mixture over sd: moments of all parameters, and the Gaussian nearest to its middle.

    Attributes
    ----------
    x : (N,) array
        Means of all parameters.
    lower : (N, N) array
        Lower triangle of their covariance, within and between the nodes; common shift included.
    centre : Gaussian
        The node of most weight.
    spread : Spread
        What is known of sd.
    turns : int
        Turns made at all nodes together.
    """

    x: Floats
    lower: Floats
    centre: Gaussian
    spread: Spread
    turns: int


@dataclass(slots=True)
class _Visit:
    """A Gaussian on the path, with the slopes of its bound and of the means in log sd.

    What the bound leaves out of the log evidence is `missing`; it grows like sd to the `power`.
    """

    log_sd: float
    gaussian: Gaussian
    bound_slope: float
    bend: float
    drift: Floats
    missing: float
    power: float = _POWER

    @property
    def evidence(self) -> float:
        """Log evidence, up to a constant of the data."""
        return self.gaussian.bound + self.missing

    @property
    def slope(self) -> float:
        """Slope of the log evidence in log sd."""
        return self.bound_slope + self.power * self.missing


class _Path:
    """Gaussians at different sds, each started from the nearest one that is still held."""

    def __init__(self, model: Model, x: Floats, variance: Floats, log_sd: float) -> None:
        self._model = model
        self._start = (x, variance, log_sd)
        self._held: list[_Visit] = []
        self._others: dict[float, Floats] = {}
        self._missing: dict[float, float] = {}
        self.turns = 0

    def visit(self, log_sd: float, tolerance: float, *, hold: bool = False) -> _Visit:
        """Settle at one sd; forget the last visit unless both are to be held."""
        model = copy(self._model)
        model.set_ability_precision(float(np.exp(-2.0 * log_sd)))
        x, variance = self._choose_start(log_sd)
        gaussian = settle(model, x, variance, tolerance=tolerance)
        self.turns += gaussian.turns
        visit = _visit(model, gaussian, log_sd)
        gaussian.forget_nodes()
        self._missing[log_sd] = visit.missing
        visit.power = self.find_power(visit)
        self._held = [*self._held, visit] if hold else [visit]
        self._others[log_sd] = gaussian.x[self._model.n :]
        return visit

    def find_power(self, visit: _Visit) -> float:
        """With which power of sd the missing evidence grows, by the nearest other sd."""
        others = [at for at in self._missing if abs(at - visit.log_sd) > _LEAST_GAP]
        if not others:
            return _POWER
        nearest = min(others, key=lambda at: abs(at - visit.log_sd))
        values = np.maximum([visit.missing, self._missing[nearest]], _NOTHING)
        power = (np.log(values[0]) - np.log(values[1])) / (visit.log_sd - nearest)
        return float(np.clip(power, _LEAST_POWER, _MOST_POWER))

    def _choose_start(self, log_sd: float) -> tuple[Floats, Floats]:
        if not self._held:
            x, variance, from_log_sd = self._start
            return x.copy(), rescale(variance, from_log_sd, log_sd)
        nearest = min(self._held, key=lambda v: abs(v.log_sd - log_sd))
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


def _visit(model: Model, gaussian: Gaussian, log_sd: float) -> _Visit:
    slopes = _slopes(model, gaussian.x, gaussian.lower)
    return _Visit(log_sd, gaussian, *slopes, missing_evidence(gaussian))


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
    step = float(np.clip(slope / precision, -_LONGEST_STEP, _LONGEST_STEP))
    following = float(np.clip(log_sd + step, np.log(_LEAST_SD), np.log(_MOST_SD)))
    moved = x.copy()
    moved[: model.n] += (following - log_sd) * drift
    return following, moved


def integrate(
    model: Model, x: Floats, variance: Floats, log_sd: float, prior: SpreadPrior
) -> Mixture:
    """Integrate over the standard deviation of abilities.

    Parameters
    ----------
    model : Model
        The model; the precision of its abilities' prior is set here.
    x : (N,) ndarray of float
        Means of all parameters to start from, logits.
    variance : (m,) ndarray of float
        Variances of the judged differences to start from, logits squared.
    log_sd : float
        The logarithm of the sd to which both belong.
    prior : SpreadPrior
        The prior of sd.

    Raises
    ------
    NotConvergedError
        If the nearest Gaussian is not found at some sd, with the state of the solver.
    """
    path = _Path(model, x, variance, log_sd)
    centre, deviation = _maximum(path, prior, log_sd)
    visits = _settle_nodes(path, centre, deviation)
    for visit in visits:
        visit.power = path.find_power(visit)
        if visit.gaussian.model.basis is None:
            continue
        freed = free_discriminations(visit.gaussian.model, visit.gaussian.whole_point())
        if freed is not None:
            visit.gaussian.model, visit.gaussian.lower = freed
    grid = centre + deviation * np.linspace(-_GRID_REACH, _GRID_REACH, _GRID)
    curve = log_evidence_curve(
        np.array([v.log_sd for v in visits]),
        np.array([v.evidence for v in visits]),
        np.array([v.slope for v in visits]),
        grid,
        max(deviation**-2 - prior.log_sd**-2, 0.0),
    )
    density = _normalise(curve + prior.log_density(grid))
    return _mixture(model, visits, density, grid, _measure(curve, grid), prior, path.turns)


def _settle_nodes(path: _Path, centre: float, deviation: float) -> list[_Visit]:
    """Settle at the nodes that the doubt of log sd calls for, in ascending order."""
    places = next(nodes for widest, nodes in _NODES if deviation < widest)
    visits = [path.visit(centre, _FINE)] if places[0] == 0.0 else []
    tolerance = _OUTER if visits else _FINE
    for z in places[len(visits) :]:
        # Without an outer node the others carry the mixture.
        with suppress(NotConvergedError):
            visits.append(path.visit(centre + deviation * z, tolerance, hold=True))
    if not visits:
        visits = [path.visit(centre, _FINE)]
    return sorted(visits, key=lambda v: v.log_sd)


def _maximum(path: _Path, prior: SpreadPrior, start: float) -> tuple[float, float]:
    """Climb to the posterior's maximum in log sd; return it with the standard deviation there."""
    at, before = start, None
    for _ in range(_SEARCHES):
        visit = path.visit(at, _ROUGH)
        slope = visit.slope - (at - np.log(prior.median)) / prior.log_sd**2
        bend = visit.bend - visit.power**2 * visit.missing
        if before is not None and at != before[0]:
            bend = max((before[1] - visit.slope) / (at - before[0]), 0.1 * visit.bend)
        precision = max(bend, 0.0) + prior.log_sd**-2
        deviation = precision**-0.5
        before = (at, visit.slope)
        step = float(np.clip(slope / precision, -_LONGEST_STEP, _LONGEST_STEP))
        if abs(step) < _CLOSE * deviation:
            break
        at = float(np.clip(at + step, np.log(_LEAST_SD), np.log(_MOST_SD)))
    return at, deviation


def _normalise(log_density: Floats) -> Floats:
    density = np.exp(log_density - log_density.max())
    normalised: Floats = density / density.sum()
    return normalised


def _measure(curve: Floats, grid: Floats) -> tuple[float, float]:
    """Mean and precision of log sd by the likelihood alone, as a parabola over the grid."""
    weight = _normalise(curve)
    mean = float(weight @ grid)
    return mean, float(1.0 / (weight @ (grid - mean) ** 2))


def _weights(visits: list[_Visit], density: Floats, grid: Floats) -> Floats:
    """Weights of the nodes that integrate polynomials in log sd as the density does, (K,)."""
    knots = np.array([v.log_sd for v in visits])
    weights = np.empty(len(knots))
    for k, knot in enumerate(knots):
        others = np.delete(knots, k)
        basis = np.prod((grid[:, None] - others) / (knot - others), axis=1)
        weights[k] = density @ basis
    weights = np.maximum(weights, 0.0)
    normalised: Floats = weights / weights.sum()
    return normalised


def _mixture(
    model: Model,
    visits: list[_Visit],
    density: Floats,
    grid: Floats,
    measured: tuple[float, float],
    prior: SpreadPrior,
    turns: int,
) -> Mixture:
    """Mix the Gaussians of all visited spreads by their weights.

    Parameters
    ----------
    model : Model
        Objective and data.
    visits : list of _Visit
        The Gaussians, K in all.
    density, grid : (g,) array
        Probabilities of values of log sd.
    measured : (float, float)
        Mean and standard deviation of log sd by the verdicts alone.
    prior : SpreadPrior
        Prior of the spread.
    turns : int
        Iterations made so far.

    Returns
    -------
    Mixture
    """
    n = model.n
    weights = _weights(visits, density, grid)
    mean_log = float(density @ grid)
    sd_log = float(np.sqrt(density @ (grid - mean_log) ** 2))
    x = np.sum([w * v.gaussian.x for w, v in zip(weights, visits, strict=True)], axis=0)
    lower = np.zeros_like(visits[0].gaussian.lower)
    for w, v in zip(weights, visits, strict=True):
        off = v.gaussian.x - x
        lower += w * (v.gaussian.lower + np.outer(off, off))
    if len(visits) == 1:
        lower[:n, :n] += sd_log**2 * np.outer(visits[0].drift, visits[0].drift)
    nodes = tuple(
        _node(v, float(w), x[:n], sd_log if len(visits) == 1 else 0.0)
        for w, v in zip(weights, visits, strict=True)
    )
    spread = Spread(mean_log, sd_log, *measured, nodes, prior)
    centre = visits[int(np.argmax(weights))].gaussian
    return Mixture(x, lower, centre, spread, turns)


def _node(visit: _Visit, weight: float, reported: Floats, sd_log: float) -> Node:
    n = len(reported)
    gaussian = visit.gaussian
    own = centre_covariance(symmetric(gaussian.lower[:n, :n]))
    node = reduce_gaussian(gaussian.x[:n], own, reported, weight, visit.log_sd)
    length = float(np.sqrt(reported @ reported))
    drift = sd_log * float(reported @ visit.drift) / length if length > 0.0 else 0.0
    return replace(
        node,
        along_variance=node.along_variance + drift**2,
        variance=node.variance + (sd_log * visit.drift) ** 2,
    )
