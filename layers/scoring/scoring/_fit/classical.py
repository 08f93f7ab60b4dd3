"""Estimators from the literature beside the posterior mode: Firth's, sirt's epsilon, choix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.linear import DenseSystem, invert, symmetric
from scoring._fit.newton import Solution, describe_state, maximise
from scoring.errors import InvalidSettingError, NotConvergedError

if TYPE_CHECKING:
    from scoring._fit.derivatives import Point
    from scoring._fit.model import Model
    from scoring._types import Floats, Ints

_MAX_ITERATIONS = 500
_CHOIX_ITERATIONS = 10_000
_CHOIX_TOLERANCE = 1e-8
_TOLERANCE = 1e-10
_LARGEST_STEP = 2.0
# Plain simultaneous updates overshoot by two between two essays; damping settles them.
_EPSILON_DAMPING = 0.6
_EPSILON_ITERATIONS = 20_000


def firth(model: Model, start: Floats, gauge: Ints) -> Solution:
    """Maximise the likelihood times Jeffreys' prior (Firth, Biometrika 80, 1993, p. 31).

    The score of each verdict, y - p, becomes y - p + h (1/2 - p), h its leverage; the equations
    are solved by Fisher scoring, and a solution always exists.

    Parameters
    ----------
    model : Model
        Objective and data.
    start : (N,) array
        Where the search starts.
    gauge : (n,) array of int
        Component of each essay; abilities sum to zero within each.

    Returns
    -------
    Solution

    Raises
    ------
    NotConvergedError
        With the last iterate.
    """
    system = DenseSystem(model.n, model.size, model.pairs, gauge)
    point = model.evaluate(start)
    largest = np.inf
    for iteration in range(1, _MAX_ITERATIONS + 1):
        factor = system.factor(model.blocks(point))
        if factor is None:
            break
        inverse = symmetric(invert(factor))
        step = inverse @ (point.gradient + _jeffreys_score(model, point, inverse))
        largest = float(np.abs(step).max())
        point = model.evaluate(point.x + step * (_LARGEST_STEP / max(largest, _LARGEST_STEP)))
        if largest < _TOLERANCE:
            return Solution(point, iteration)
    raise NotConvergedError(
        "Firth's method", describe_state(model, point, _MAX_ITERATIONS, largest)
    )


def _jeffreys_score(model: Model, point: Point, inverse: Floats) -> Floats:
    """Return the gradient of half the log determinant of the information, (N,)."""
    d, n = model.data, model.n
    i, k = d.first, d.second
    variance = inverse[i, i] + inverse[k, k] - 2.0 * inverse[i, k]
    if model.n_order:
        b = n + (0 if d.judge is None else d.judge)
        variance += inverse[b, b] + 2.0 * (inverse[i, b] - inverse[k, b])
    p_first = np.where(d.sign > 0, 1.0 - point.terms.slope, point.terms.slope)
    weight = 1.0 if d.weight is None else d.weight
    push = weight * point.terms.curvature * variance * (0.5 - p_first)
    score = np.zeros(model.size)
    score[:n] = np.bincount(i, push, n) - np.bincount(k, push, n)
    if model.n_order:
        score[n:] = push.sum() if d.judge is None else np.bincount(d.judge, push, model.n_order)
    return score


def adjust_epsilon(
    model: Model, start: Floats, gauge: Ints, epsilon: float, *, share_equally: bool = False
) -> Solution:
    """Solve for abilities whose expected scores equal shrunken observed ones (R's sirt::btm).

    An essay with score S in M comparisons is given S' = eps + (M - 2 eps) S / M, which is never
    0 or M. Where the adjusted scores do not add up to the number of comparisons (unequal M), no
    abilities give them exactly; sirt's iteration then settles where the shortfall S' - E(S) is
    the same multiple of every essay's information, and so does this. ``share_equally`` takes the
    same shortfall from every essay instead. With one or two comparisons an essay such a point
    need not exist.

    Parameters
    ----------
    model : Model
        Objective and data. Its ``tilt`` is set where the shortfall is shared equally.
    start : (N,) array
        Where the search starts.
    gauge : (n,) array of int
        Component of each essay; abilities sum to zero within each.
    epsilon : float
        The least score that an essay is given, in comparisons won.
    share_equally : bool
        Take the same shortfall from every essay.

    Returns
    -------
    Solution

    Raises
    ------
    NotConvergedError
        With the last iterate.
    """
    won, judged = model.data.half_wins(), model.data.evidence()
    wanted = epsilon + (judged - 2.0 * epsilon) * won / np.maximum(judged, 1)
    adjustment = np.where(judged > 0, wanted - won, 0.0)
    if share_equally:
        excess = np.bincount(gauge, adjustment) / np.bincount(gauge)
        model.tilt = adjustment - excess[gauge]
        return maximise(model, start, gauge=gauge)
    count = np.bincount(gauge)
    point = model.evaluate(start)
    step = np.zeros(model.n)
    for iteration in range(1, _EPSILON_ITERATIONS + 1):
        information = np.maximum(model.blocks(point).diagonal, np.finfo(float).tiny)
        step = np.clip((point.gradient + adjustment) / information, -_LARGEST_STEP, _LARGEST_STEP)
        step -= (np.bincount(gauge, step) / count)[gauge]
        if np.abs(step).max() < _TOLERANCE:
            return Solution(point, iteration)
        point = model.evaluate(point.x + _EPSILON_DAMPING * step)
    largest = float(np.abs(step).max())
    state = describe_state(model, point, _EPSILON_ITERATIONS, largest)
    raise NotConvergedError("the epsilon adjustment", state)


def choix_solution(model: Model, alpha: float) -> Solution:
    """Take the abilities from ``choix.ilsr_pairwise`` (Maystre & Grossglauser 2015).

    Raises
    ------
    InvalidSettingError
        If there are ties, which choix does not know.
    NotConvergedError
        If choix gives up.
    """
    import choix

    d = model.data
    if d.ties == "half":
        raise InvalidSettingError("estimator", "choix knows no ties; use 'epsilon' or 'map'")
    won = d.sign > 0
    winner, loser = np.where(won, d.first, d.second), np.where(won, d.second, d.first)
    pairs = list(zip(winner.tolist(), loser.tolist(), strict=True))
    try:
        ability = choix.ilsr_pairwise(
            model.n, pairs, alpha=alpha, max_iter=_CHOIX_ITERATIONS, tol=_CHOIX_TOLERANCE
        )
    except RuntimeError as error:
        point = model.evaluate(np.zeros(model.size))
        state = describe_state(model, point, _CHOIX_ITERATIONS, np.inf)
        raise NotConvergedError("choix.ilsr_pairwise", state) from error
    point = model.evaluate(model.start(ability - ability.mean()))
    return Solution(point, 0)


def choix_prior_curvature(ability: Floats, alpha: float) -> Floats:
    """Return the curvature that choix's regularisation adds to the information, (n,).

    ``ilsr_pairwise(alpha)`` is the mode under a prior with log density alpha n sum(theta -
    e^theta), in the gauge sum(e^theta) = n. Its strength thus grows with n.

    Parameters
    ----------
    ability : (n,) array
        Abilities at the mode, logits.
    alpha : float
        choix's regularisation.

    Returns
    -------
    (n,) array
        Per logit^2.
    """
    strength = np.exp(ability)
    curvature: Floats = alpha * len(ability) * strength * (len(ability) / strength.sum())
    return curvature
