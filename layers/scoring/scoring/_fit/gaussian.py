"""The Gaussian nearest to a posterior, found by turns that improve mean and covariance together.

`scoring._fit.variational` says which equations are solved. A turn there climbs to the mean that
belongs to fixed variances; a turn here takes one Newton step and the new covariance from the same
factor. From a good start (the Gaussian under a slightly different prior) two or three turns
suffice, which is what makes it cheap to go along a path of priors (`scoring._fit.spread_path`).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.linear import DenseSystem, invert, solve
from scoring._fit.newton import describe_state
from scoring._fit.variational import Smoothed
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from scoring._fit.derivatives import Blocks, Point
    from scoring._fit.model import Model
    from scoring._types import Floats

_MAX_TURNS = 60
# Every so many turns the share of a turn is capped more tightly: short enough turns always climb.
_PATIENCE, _SURE_SHARE = 12, 0.6
_LEAST_SHARE = 1.0 / 64.0
_LONGEST_STEP = 2.0
# A fall of the bound that is more than what cut points, which are not averaged over, can cause.
_SLACK = 0.5
_DAMPINGS = 30
# A move of the logit of a lapse rate counts this much of a move of an ability: it moves abilities
# by less. Not beside a degree share: the two pull at each other.
_LAPSE_WEIGHT = 0.3
# Above this tolerance a few nodes do.
_COARSE = 0.01


@dataclass(slots=True)
class Gaussian:
    """A Normal approximation of the posterior of all parameters under one prior.

    Attributes
    ----------
    model : Model
        The model with the smoothed link.
    point : Point
        Its objective close to the mean.
    x : (N,) array
        Means of all parameters.
    lower : (N, N) array
        Lower triangle of their covariance.
    variance : (m,) array
        Variance of every judged difference, logits^2.
    bound : float
        Lower bound of the log evidence, up to a constant of the data.
    turns : int
        Turns made.
    """

    model: Model
    point: Point
    x: Floats
    lower: Floats
    variance: Floats
    bound: float
    turns: int

    def forget_nodes(self) -> None:
        """Drop the terms at the nodes; `whole_point` computes them again."""
        Smoothed.forget_nodes(self.point.terms)

    def whole_point(self) -> Point:
        """Return the objective close to the mean, evaluated again: nothing of it is forgotten."""
        return self.model.evaluate(self.x)


@dataclass(slots=True)
class _Pair:
    """Mean and covariance together, the bound there, and the precision that led to them."""

    model: Model
    point: Point
    lower: Floats
    variance: Floats
    bound: float
    source: Blocks


def settle(model: Model, x: Floats, variance: Floats, *, tolerance: float) -> Gaussian:
    """Take turns from a start until mean and variances stand.

    A turn goes a share of the way in the precision and in the mean (natural gradient, Khan & Lin
    2017, AISTATS): all of it as long as the bound rises, less where it would fall, as it can under
    wide priors.

    Parameters
    ----------
    model : Model
        With a prior on the abilities; discriminations, if any, stay where they are.
    x : (N,) array
        Means to start from.
    variance : (m,) array
        Variances of the judged differences to start from, logits^2.
    tolerance : float
        Largest move of a mean or a variance in one turn, relative to the widest difference's
        standard deviation and variance (those plus one logit). Of the logits of
        lapse rates without degree shares it is the largest move three times over.

    Raises
    ------
    NotConvergedError
        If they are not finite, with the last iterate.
    """
    system = DenseSystem(model.n, model.size, model.pairs, None)
    turning = _Turning(system, model, is_coarse=tolerance > _COARSE)
    smoothed, point = _smooth(model, x, variance, is_coarse=turning.is_coarse)
    blocks = smoothed.blocks(point)
    Smoothed.forget_nodes(point.terms)
    pair = turning.pair(smoothed, point, blocks, 1.0)
    target: Blocks | None = None  # the precision to go to, made once the turn is not the last
    error = _change(point.x, variance, pair, 1.0)
    before, share = pair.variance - variance, 1.0
    for turn in range(1, _MAX_TURNS + 1):
        if error < tolerance:
            return Gaussian(
                pair.model, pair.point, pair.point.x, pair.lower, pair.variance, pair.bound, turn
            )
        if target is None:
            target = pair.model.blocks(pair.point)
            Smoothed.forget_nodes(pair.point.terms)
        blocks = target if share == 1.0 else pair.source.interpolate(target, share)
        following = turning.pair(pair.model, pair.point, blocks, share)
        if following.bound < pair.bound - _SLACK and share > _LEAST_SHARE:
            share *= 0.5
            continue
        error = _change(pair.point.x, pair.variance, following, share)
        move = (following.variance - pair.variance) / share
        share = min(_better_share(share, move, before), _SURE_SHARE ** (turn // _PATIENCE))
        pair, before, target = following, move, None
    if not np.isfinite(error):
        state = describe_state(model, pair.point, _MAX_TURNS, error)
        raise NotConvergedError("the nearest Gaussian (estimator='map' always exists)", state)
    # Every turn that was kept climbed: what is left is closer to the Gaussian than the mode is.
    point = pair.model.evaluate(pair.point.x)
    return Gaussian(pair.model, point, point.x, pair.lower, pair.variance, pair.bound, turn)


def _better_share(share: float, move: Floats, before: Floats) -> float:
    """Choose the share under which the slowest error would vanish (Aitken's method).

    A turn multiplies that error by 1 - share (1 + c); the last two moves show the factor.
    """
    length = float(before @ before)
    factor = float(move @ before) / length if length > 0.0 else 0.0
    return min(max(share / max(1.0 - factor, _LEAST_SHARE), _LEAST_SHARE), 1.0)


def _smooth(model: Model, x: Floats, variance: Floats, *, is_coarse: bool) -> tuple[Model, Point]:
    smoothed = copy(model)
    smoothed.link = Smoothed(model.link, variance, is_coarse=is_coarse)
    return smoothed, smoothed.evaluate(x)


class _Turning:
    """What all turns of one settling have in common."""

    def __init__(self, system: DenseSystem, model: Model, *, is_coarse: bool) -> None:
        self._system = system
        self._model = model
        self.is_coarse = is_coarse

    def pair(self, smoothed: Model, point: Point, source: Blocks, share: float) -> _Pair:
        """Go from a point by a share of the Newton step under a precision."""
        factor = self._factor(smoothed, point, source)
        step = share * solve(factor, point.gradient)
        step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        log_determinant = float(2.0 * np.log(factor.diagonal()).sum())
        lower = invert(factor).copy(order="F")
        variance = difference_variances(self._model, point.x, lower)
        x = point.x + smoothed.longest_step(point.x, step) * step
        following, reached = _smooth(self._model, x, variance, is_coarse=self.is_coarse)
        bound = reached.value + _entropy(self._model, lower, log_determinant)
        return _Pair(following, reached, lower, variance, bound, source)

    def _factor(self, smoothed: Model, point: Point, source: Blocks) -> Floats:
        """Cholesky factor of a precision, with enough on its diagonal."""
        factor = self._system.factor(source)
        damping = 1e-3 * float(np.abs(source.diagonal).max()) + 1e-12
        for _ in range(_DAMPINGS):
            if factor is not None:
                return factor
            factor = self._system.factor(source, damping)
            damping *= 4.0
        raise NotConvergedError("the nearest Gaussian", describe_state(smoothed, point, 0, np.inf))


def _change(x: Floats, variance: Floats, pair: _Pair, share: float) -> float:
    """Largest full move of a mean or a variance, as a share of the widest difference's."""
    widest = 1.0 + float(pair.variance.max())
    moves = np.abs(pair.point.x - x)
    moves[pair.model.lone_lapses_at] *= _LAPSE_WEIGHT
    size = float(moves.max()) / np.sqrt(widest)
    change = float(np.abs(pair.variance - variance).max()) / widest
    return float(max(size, change) / share)


def difference_variances(model: Model, x: Floats, lower: Floats) -> Floats:
    """Return the variance of every judged difference under a covariance.

    Parameters
    ----------
    model : Model
        Objective and data.
    x : (N,) array
        All parameters.
    lower : (N, N) array
        Lower triangle of the covariance of all parameters.

    Returns
    -------
    (m,) array
        Logits^2, 0 or more.
    """
    d = model.data
    diagonal = lower.diagonal()
    variance: Floats = diagonal[d.first] + diagonal[d.second]
    variance -= 2.0 * lower.T.take(model.covariance_at)
    scale: Floats | float = 1.0
    if model.basis is not None:
        scale = np.exp(model.log_discrimination(x))[d.judge]
        variance *= scale**2
    if model.order is not None:
        model.order.add_variance(variance, lower, (d.first, d.second), model.n, scale)
    return np.maximum(variance, 0.0, out=variance)


def _entropy(model: Model, lower: Floats, log_determinant: float) -> float:
    """Return what the bound has beside the expected log likelihood and the priors at the mean."""
    spread = model.prior_trace(lower)
    return float(model.log_prior_volume - 0.5 * spread - 0.5 * log_determinant)
