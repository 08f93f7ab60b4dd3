"""How sharp every judge of a jury is: discriminations by variational expectation and maximisation.

The mode of abilities and discriminations together is biased: abilities near zero and one judge of
large discrimination, the others noise, lie higher than the truth where verdicts are few. So the
discriminations are those of most evidence: the Gaussian of the abilities is settled with the
discriminations held, then every judge's is improved under that Gaussian, and so on (Dempster, Laird
& Rubin 1977, JRSS B 39:1). The standard deviation of abilities is improved on the way, and so is
that of the log discriminations (`scoring._fit.shrinkage`): judges are taken for equally sharp until
verdicts say otherwise.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.gaussian import difference_variances, settle
from scoring._fit.linear import DenseSystem, invert, symmetric
from scoring._fit.shrinkage import JudgesPrior, reestimate_spread
from scoring._fit.spread_path import better_start, rescale
from scoring._fit.variational import Smoothed

if TYPE_CHECKING:
    from scoring._fit.derivatives import Point
    from scoring._fit.gaussian import Gaussian
    from scoring._fit.model import Model
    from scoring._fit.observations import Observations
    from scoring._fit.spread_estimate import SpreadPrior
    from scoring._types import Floats

SHARPNESS_PRIOR = JudgesPrior(0.5, 1.0)
_TURNS = 15
_ROUGH = 0.02
_CLOSE = 0.02
# What a judge is worth in lists is decided by its ratio: it is followed to the end.
_TURNS_OF_RATIOS = 40
_CLOSE_RATIO = 0.003
_STEADIEST = 0.8
# Abilities answer each step by as much again: steps are too short by themselves.
_OVER_RELAXATION = 1.6
_DIFFERENCE = 0.05
_LONGEST_STEP = 0.5
_LEAST_CURVATURE = 1e-3


@dataclass(slots=True)
class Start:
    """Where to settle from.

    Attributes
    ----------
    model : Model
        With held discriminations, at the prior sd that belongs to the rest.
    x : (N,) array
        Means of all parameters.
    variance : (m,) array
        Variances of all judged differences, logits^2.
    """

    model: Model
    x: Floats
    variance: Floats


def sharpen_judges(start: Start, prior: SpreadPrior | None) -> Start:
    """Find every judge's discrimination.

    The ratios of lists to pairs come first, by weights of their own
    (:meth:`scoring._list_rows.ListRows.weigh_in_ratios`), and are held then.

    Parameters
    ----------
    start : Start
        Where to start; the discriminations there are the first guess.
    prior : SpreadPrior or None
        The prior of the standard deviation of abilities; None keeps the model's own.
    """
    if not start.model.n_ratios:
        return _search(start, prior)
    own = start.model.data
    compared = _search(start, prior, moves_ratios=True)
    model = copy(compared.model)
    model.data = own
    return _search(Start(model, compared.x, compared.variance), prior)


def _search(start: Start, prior: SpreadPrior | None, *, moves_ratios: bool = False) -> Start:
    """Improve the discriminations in turns until they move no more."""
    spread = start.model.priors.log_discrimination**-0.5
    own = start.model.data
    close = _CLOSE_RATIO if moves_ratios else _CLOSE
    before: Floats | None = None
    for _ in range(_TURNS_OF_RATIOS if moves_ratios else _TURNS):
        if moves_ratios:
            start = _reweigh(start, own)
        gaussian = settle(start.model, start.x, start.variance, tolerance=_ROUGH)
        x, step, spread = _improve_discriminations(
            start.model, gaussian, spread, holds_ratios=not moves_ratios
        )
        if moves_ratios:
            before = _go_ahead(start.model, x, step, before)
        model = copy(start.model)
        model.set_judge_precisions(model.priors.order_deviation, spread**-2)
        start = Start(model, x, difference_variances(model, x, gaussian.lower))
        if prior is not None:
            start = _respread(start, gaussian, prior)
        if float(np.abs(step).max()) < close:
            break
    return start


def _reweigh(start: Start, own: Observations) -> Start:
    """Weigh the verdicts by the spread that every list has there."""
    model = copy(start.model)
    factor = np.exp(model.log_discrimination(start.x))[own.judge]
    difference = factor * (start.x[own.first] - start.x[own.second])
    model.data = own.reweigh_for_ratios(difference**2 + start.variance)
    return Start(model, start.x, start.variance)


def _go_ahead(model: Model, x: Floats, step: Floats, before: Floats | None) -> Floats | None:
    """Move the ratios to where steps that shrink as the last two would end (Aitken 1926).

    Returns
    -------
    (r,) array or None
        The step to compare the next one with; None after such a move.
    """
    if before is None:
        return step
    own = slice(-model.n_ratios, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrinking = np.nan_to_num(step[own] / before[own])
    kept = np.clip(shrinking, 0.0, _STEADIEST)
    ahead = step[own] * kept / (1.0 - kept)
    x[own] += np.clip(ahead, -_LONGEST_STEP, _LONGEST_STEP)
    return None


def _respread(start: Start, gaussian: Gaussian, prior: SpreadPrior) -> Start:
    """Move the standard deviation of abilities, and all else along with it."""
    before = start.model.log_sd
    log_sd, x = better_start(start.model, start.x, gaussian.lower, prior)
    model = copy(start.model)
    model.set_ability_precision(float(np.exp(-2.0 * log_sd)))
    return Start(model, x, rescale(start.variance, before, log_sd))


def _improve_discriminations(
    model: Model, gaussian: Gaussian, spread: float, *, holds_ratios: bool
) -> tuple[Floats, Floats, float]:
    """One Newton step of the coordinates of the log discriminations under a Gaussian.

    Parameters
    ----------
    model : Model
        Objective and data.
    gaussian : Gaussian
        Mean and covariance of all parameters.
    spread : float
        Standard deviation of the judges' log discriminations.
    holds_ratios : bool
        Whether sharpness in lists beside pairs stays where it is.

    Returns
    -------
    x : (N,) array
        All parameters after the step.
    step : (r,) array
        The step of the coordinates.
    spread : float
        Estimated again.
    """
    x = gaussian.x.copy()
    at = slice(model.shape_at.stop, model.size)
    basis = np.zeros((0, 0)) if model.basis is None else model.basis
    slope, curvature = _differentiate(model, gaussian.x, gaussian.lower)
    prior = spread**-2 * np.eye(model.n_log)
    own = slice(model.n_log - model.n_ratios)
    ratios = range(own.stop, model.n_log)
    prior[ratios, ratios] = model.priors.log_ratio
    precision = (basis.T * curvature) @ basis + prior
    gradient = basis.T @ slope - prior.diagonal() * x[at]
    moved = slice(own.stop if holds_ratios else model.n_log)
    step = np.zeros(model.n_log)
    step[moved] = _OVER_RELAXATION * np.linalg.solve(precision[moved, moved], gradient[moved])
    step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
    x[at] += step
    if own.stop:
        variance = np.linalg.inv(precision).diagonal()[own]
        spread = reestimate_spread(x[at][own], variance, spread, own.stop, SHARPNESS_PRIOR)
    return x, step, spread


def doubt_sharpness(smoothed: Model, point: Point, lower: Floats) -> Floats:
    """Return the covariance of the coordinates of the log discriminations, (r, r).

    The curvature of the expected log likelihood in them, which has the abilities' uncertainty in
    it, next to all other parameters' as they are.

    Parameters
    ----------
    smoothed : Model
        With a smoothed link.
    point : Point
        Its objective at the means.
    lower : (N, N) array
        Lower triangle of the covariance of all parameters, sharpness held or free.
    """
    plain, free = copy(smoothed), copy(smoothed)
    if isinstance(smoothed.link, Smoothed):
        plain.link = smoothed.link.inner
    free.hold_discrimination = False
    blocks = free.blocks(point)
    basis = np.zeros((0, 0)) if smoothed.basis is None else smoothed.basis
    _, curvature = _differentiate(plain, point.x, lower)
    own = range(len(blocks.corner) - free.n_log, len(blocks.corner))
    at = slice(own.start, own.stop)
    blocks.corner[at, at] = (basis.T * curvature) @ basis
    blocks.corner[own, own] += free.normal_precision[-free.n_log :]
    factor = DenseSystem(free.n, free.size, free.pairs, None).factor(blocks)
    if factor is None:
        return np.linalg.inv(blocks.corner[at, at])
    return symmetric(invert(factor)[-free.n_log :, -free.n_log :])


def _differentiate(model: Model, x: Floats, lower: Floats) -> tuple[Floats, Floats]:
    """Slope and curvature of every judge's expected log likelihood in log discrimination."""
    values = [
        _expect_likelihood(model, x, lower, shift) for shift in (-_DIFFERENCE, 0.0, _DIFFERENCE)
    ]
    below, here, above = values
    slope: Floats = (above - below) / (2.0 * _DIFFERENCE)
    curvature = (2.0 * here - above - below) / _DIFFERENCE**2
    return slope, np.maximum(curvature, _LEAST_CURVATURE)


def _expect_likelihood(model: Model, x: Floats, lower: Floats, shift: float) -> Floats:
    """Every judge's expected log likelihood with all log discriminations moved, (J,)."""
    d = model.data
    judge = np.zeros(len(d.first), dtype=np.int64) if d.judge is None else d.judge
    factor = np.exp(model.log_discrimination(x)[judge] + shift)
    delta = factor * (x[d.first] - x[d.second])
    diagonal = lower.diagonal()
    high, low = np.maximum(d.first, d.second), np.minimum(d.first, d.second)
    variance = factor**2 * (diagonal[d.first] + diagonal[d.second] - 2.0 * lower[high, low])
    if model.order is not None:
        delta = delta + model.order.shift(x[model.n : model.n + model.n_order])
        model.order.add_variance(variance, lower, (d.first, d.second), model.n, factor)
    link = Smoothed(model.link, np.maximum(variance, 0.0))
    value = link.terms(d.sign * delta, x[model.shape_at]).value
    weight = value if d.weight is None else d.weight * value
    summed: Floats = np.bincount(judge, weight, d.n_judges)
    return summed
