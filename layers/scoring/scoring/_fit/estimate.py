"""The estimate of all parameters, by the chosen estimator, with its covariance."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.classical import adjust_epsilon, choix_prior_curvature, choix_solution, firth
from scoring._fit.gaussian import difference_variances, settle
from scoring._fit.information import CentredInformation, Information, MixtureInformation
from scoring._fit.likelihood import maximum_likelihood
from scoring._fit.model import Model
from scoring._fit.newton import Solution, approach, describe_state, maximise
from scoring._fit.observations import Observations
from scoring._fit.settings import Estimator
from scoring._fit.sharpness import Start, doubt_sharpness, sharpen_judges
from scoring._fit.shrinkage import find_covariance, shrink_order_effects
from scoring._fit.spread import integrate
from scoring._fit.spread_estimate import Spread, SpreadPrior
from scoring._fit.spread_path import better_start, rescale
from scoring._fit.variational import free_judges, nearest_gaussian
from scoring._graph import components as label_components
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

_EPSILON = 0.3
_TOLERANCE = 1e-4
_DENSE_UP_TO = 400


@dataclass(slots=True)
class Estimate:
    """Means of all parameters, and the covariance that belongs to them."""

    x: Floats
    log_likelihood: float
    iterations: int
    information: Information
    spread: Spread | None = None
    doubt: Floats | None = None


def estimate_parameters(
    model: Model,
    estimator: Estimator,
    start: Floats,
    alpha: float,
    prior: SpreadPrior | None,
) -> Estimate:
    """Estimate all parameters, and their covariance.

    A prior of the spread is integrated over; the other estimators have one spread, or none.

    Parameters
    ----------
    model : Model
        Objective and data.
    estimator : str
        How the parameters are estimated.
    start : (N,) array
        Where the search starts.
    alpha : float
        Regularisation of choix.
    prior : SpreadPrior or None
        Prior of the spread of abilities; None for one spread, or none.

    Returns
    -------
    Estimate
    """
    if prior is not None:
        return _integrate_spread(model, start, prior)
    gauge, likelihood = None, model
    if estimator == "variational":
        model, solution = _nearest(model, start)
    elif estimator == "map":
        solution = _posterior_mode(model, start)
    elif estimator == "choix":
        solution = choix_solution(model, alpha)
    else:
        gauge = label_components(model.n, *list_links(model.data))
        if estimator == "mle":
            solution = maximum_likelihood(model, start, gauge)
        elif estimator == "firth":
            solution = firth(model, start, gauge)
        else:
            solution = adjust_epsilon(model, start, gauge, _EPSILON)
    point = solution.point
    state = describe_state(model, point, solution.iterations, 0.0)
    blocks = model.blocks(point)
    if estimator == "choix":
        curvature = choix_prior_curvature(point.x[: model.n], alpha)
        information: Information = CentredInformation(model, blocks, state, curvature)
    else:
        information = Information(model, blocks, state, gauge)
    plain = likelihood.evaluate(point.x).log_likelihood
    doubt = doubt_sharpness(model, point, information.lower) if model.n_ratios else None
    return Estimate(point.x, plain, solution.iterations, information, doubt=doubt)


def _integrate_spread(model: Model, start: Floats, prior: SpreadPrior) -> Estimate:
    """Integrate over the spread of abilities, from the mode at the prior's median."""
    begin = _find_start(model, start, prior)
    mixture = integrate(begin.model, begin.x, begin.variance, begin.model.log_sd, prior)
    centre, iterations = mixture.centre, mixture.turns
    point = centre.whole_point()
    information = MixtureInformation(
        centre.model,
        centre.model.blocks(point),
        describe_state(centre.model, point, iterations, 0.0),
        mixture.lower,
    )
    plain = model.evaluate(mixture.x).log_likelihood
    doubt = None
    if model.n_ratios:
        doubt = doubt_sharpness(centre.model, point, centre.lower)
    return Estimate(mixture.x, plain, iterations, information, mixture.spread, doubt)


def _find_start(model: Model, start: Floats, prior: SpreadPrior | None) -> Start:
    """Where the search for the Gaussian starts: near a mode, each judge's parameters found."""
    held = copy(model)
    held.hold_discrimination = True
    climb = _posterior_mode if model.n > _DENSE_UP_TO else approach
    mode = climb(held, start)
    if held.n_order > 1:  # judges, or places of lists, may differ
        held, mode = shrink_order_effects(held, mode, climb)
    lower = find_covariance(held, mode)
    begin = Start(held, mode.point.x, _differences(held, mode, lower))
    if prior is not None and lower is not None:
        log_sd, x = better_start(held, mode.point.x, lower, prior)
        moved = copy(held)
        moved.set_ability_precision(float(np.exp(-2.0 * log_sd)))
        begin = Start(moved, x, rescale(begin.variance, held.log_sd, log_sd))
    return begin if model.basis is None else sharpen_judges(begin, prior)


def _nearest(model: Model, start: Floats) -> tuple[Model, Solution]:
    """The nearest Gaussian at one sd, by shorter turns where whole ones do not settle."""
    begin = _find_start(model, start, None)
    begin.model.hold_discrimination = True
    solution = Solution(begin.model.evaluate(begin.x), 0)
    try:
        return nearest_gaussian(begin.model, solution, _posterior_mode)
    except NotConvergedError:
        gaussian = settle(begin.model, begin.x, begin.variance, tolerance=_TOLERANCE)
        return free_judges(gaussian.model, Solution(gaussian.point, gaussian.turns))


def _differences(held: Model, mode: Solution, lower: Floats | None) -> Floats:
    """Variances of judged differences to start from, the prior's without a covariance, (m,)."""
    if lower is None:
        return np.full(len(held.data.first), 2.0 / held.priors.ability)
    return difference_variances(held, mode.point.x, lower)


def _posterior_mode(model: Model, start: Floats) -> Solution:
    """Choose the solver: a dense factor per iteration is cheap for small sets only."""
    if model.n > _DENSE_UP_TO:
        from scoring._fit.conjugate import maximise_sparse

        solution = maximise_sparse(model, start)
        if solution is not None:
            return solution
    return maximise(model, start)


def list_links(observations: Observations) -> tuple[Ints, Ints]:
    """Return the two essays of every comparison, (m,) each.

    Parameters
    ----------
    observations : Observations
        The data.

    Returns
    -------
    first, second : (m,) array of int
    """
    return observations.first, observations.second
