"""What no procedure can know of tau, and of people's abilities, from few verdicts of people.

Some procedures know more than any that is given verdicts only: the model's abilities of all essays,
phi = s (theta + u), without error, people's standard deviation and order effects, and the model's
scale s too, or all but s. What can be made of people's verdicts beside that bounds what anything
can.

The bound of the error of tau is Bayes's. The mean error at the worst of some taus is at least the
mean error under weights of these taus, and no estimate has less of that than the posterior median
under these weights. The weights are those of the largest bound, found in other worlds than it is
measured in. Unlike Cramer and Rao's bound it needs no unbiased estimate.

The marginal likelihood of tau is an integral over people's abilities, by importance sampling with
the Normal at the peak. Where s is not known it is integrated over with a flat prior of log s: given
tau it follows from the mean square of the model's abilities, within 1 / sqrt(2 n) of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring._fit.ability_intervals import Posterior

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TAUS = (0.3, 0.45, 0.6, 0.8, 1.0)
_REPORTED = (0, 2, 4)
# Weights of the reported taus under which the intervals of who knows most hold 92% at the largest.
_INTERVAL_WEIGHTS = (0.1, 0.3, 0.6)
_DRAWS = 300
_TURNS = 30
_CLOSE = 1e-8
_ROUNDS = 400
# Gauss and Hermite's three nodes.
_NODES = ((-(3.0**0.5), 1 / 6), (0.0, 2 / 3), (3.0**0.5, 1 / 6))


@dataclass(frozen=True, slots=True)
class KnownWorld:
    """Verdicts of people with what is known beside them.

    Attributes
    ----------
    ability : (n,) array
        People's abilities, which are sought.
    by_model : (n,) array
        The model's abilities in people's units, theta + u.
    sd : float
        Standard deviation of people's abilities.
    first, second : (m,) arrays of int
    outcome : (m,) array of int
        Verdicts of people, 1 or -1.
    order : (m,) array
        Order effect of each verdict's judge.
    """

    ability: np.ndarray
    by_model: np.ndarray
    sd: float
    first: np.ndarray
    second: np.ndarray
    outcome: np.ndarray
    order: np.ndarray


@dataclass(frozen=True, slots=True)
class GivenTau:
    """What is known if tau is this.

    Attributes
    ----------
    by_verdicts, by_model : float
        Log likelihoods of tau: of people's verdicts beside the model's abilities, and of these.
    mean, variance : (n,) arrays
        Of people's abilities less their mean.
    """

    by_verdicts: float
    by_model: float
    mean: np.ndarray
    variance: np.ndarray


def infer(world: KnownWorld, tau: float, standard: np.ndarray) -> GivenTau:
    """Integrate over people's abilities.

    Parameters
    ----------
    world : KnownWorld
    tau : float
    standard : (S, n) array
        Standard Normal draws, the same for every tau.
    """
    n = len(world.ability)
    total = world.sd**2 + tau**2
    centre, deviation = world.sd**2 / total * world.by_model, world.sd * tau / np.sqrt(total)
    known = world.outcome * (centre[world.first] - centre[world.second] + world.order)
    rows = np.arange(len(known))
    design = np.zeros((len(known), n))
    design[rows, world.first] = deviation * world.outcome
    design[rows, world.second] = -deviation * world.outcome
    at, factor = _find_peak(known, design)
    draws = at + np.linalg.solve(factor.T, standard.T).T
    logs = -np.logaddexp(0.0, -known - draws @ design.T).sum(axis=1)
    logs += 0.5 * (standard**2 - draws**2).sum(axis=1)
    weight = np.exp(logs - logs.max())
    by_verdicts = logs.max() + np.log(weight.mean()) - np.log(factor.diagonal()).sum()
    weight /= weight.sum()
    centred = draws - draws.mean(axis=1, keepdims=True)
    mean = weight @ centred
    by_model = -0.5 * (n * np.log(total) + float(world.by_model @ world.by_model) / total)
    return GivenTau(
        float(by_verdicts),
        float(by_model),
        centre - centre.mean() + deviation * mean,
        deviation**2 * (weight @ (centred - mean) ** 2),
    )


def _find_peak(known: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mode of standard Normal effects behind verdicts, and the factor of the precision there."""
    n = design.shape[1]
    at = np.zeros(n)
    precision = np.eye(n)
    for _ in range(_TURNS):
        miss = 1.0 / (1.0 + np.exp(known + design @ at))
        precision = np.eye(n) + (design.T * (miss * (1.0 - miss))) @ design
        step = np.linalg.solve(precision, design.T @ miss - at)
        at = at + step
        if float(np.abs(step).max()) < _CLOSE:
            break
    return at, np.linalg.cholesky(precision)


def _know_all(world: KnownWorld, tau: float, standard: np.ndarray) -> list[tuple[float, GivenTau]]:
    """Log likelihood and posterior where the model's scale is known."""
    given = infer(world, tau, standard)
    return [(given.by_verdicts + given.by_model, given)]


def _know_no_scale(
    world: KnownWorld, tau: float, standard: np.ndarray
) -> list[tuple[float, GivenTau]]:
    """Log likelihoods and posteriors at likely scales of the model."""
    n = len(world.ability)
    square = float(world.by_model @ world.by_model) / n
    expected = np.sqrt((world.sd**2 + tau**2) / square)
    parts = []
    for node, share in _NODES:
        factor = expected * np.exp(node / np.sqrt(2.0 * n))
        given = infer(replace(world, by_model=factor * world.by_model), tau, standard)
        parts.append((given.by_verdicts + float(np.log(share)), given))
    return parts


_KNOWLEDGE = {"all but tau": _know_all, "all but tau and the model's scale": _know_no_scale}


def bound_rows(draw: Callable[[float, int], KnownWorld], n_worlds: int) -> list[dict[str, Any]]:
    """Measure what is best possible in worlds of every tau.

    Parameters
    ----------
    draw : callable
        Makes a world of a tau and a number.
    n_worlds : int
        Worlds of each tau; the weights are found in one half, the bound in the other.
    """
    return [_bound_row(draw, n_worlds, knowledge) for knowledge in _KNOWLEDGE]


def _bound_row(
    draw: Callable[[float, int], KnownWorld], n_worlds: int, knowledge: str
) -> dict[str, Any]:
    """Measure what is best possible for who knows so much beside people's verdicts."""
    log_likelihood = np.empty((len(TAUS), n_worlds, len(TAUS)))
    held = np.empty((len(TAUS), n_worlds))
    for at, number in np.ndindex(len(TAUS), n_worlds):
        world = draw(TAUS[at], number)
        standard = np.random.default_rng(number).normal(size=(_DRAWS, len(world.ability)))
        parts = [_KNOWLEDGE[knowledge](world, other, standard) for other in TAUS]
        log_likelihood[at, number] = [_sum_logs(part) for part in parts]
        held[at, number] = _share_held(world, [parts[k] for k in _REPORTED])
    bound, error = _bound_error(log_likelihood)
    row = {"known": knowledge, "tau_error_bound": bound, "tau_error_bound_error": error}
    return row | {f"held_{TAUS[k]:g}": float(held[k].mean()) for k in _REPORTED}


def _sum_logs(part: list[tuple[float, GivenTau]]) -> float:
    """Log of the sum of likelihoods."""
    return float(np.logaddexp.reduce([log for log, _ in part]))


def _share_held(world: KnownWorld, parts: Sequence[list[tuple[float, GivenTau]]]) -> float:
    """Share of people's abilities in 95% intervals of who knows that tau is one of some."""
    nodes = [
        (log + np.log(weight), given)
        for part, weight in zip(parts, _INTERVAL_WEIGHTS, strict=True)
        for log, given in part
    ]
    logs = np.array([log for log, _ in nodes])
    share = np.exp(logs - logs.max())
    posterior = Posterior(
        share / share.sum(),
        np.array([given.mean for _, given in nodes]),
        np.array([given.variance for _, given in nodes]),
    )
    low, high = posterior.interval(0.95).T
    truth = world.ability - world.ability.mean()
    return float(((low < truth) & (truth < high)).mean())


def _bound_error(log_likelihood: np.ndarray) -> tuple[float, float]:
    """Largest mean error of tau under weights, and its 95% half width.

    Parameters
    ----------
    log_likelihood : (T, W, T) array
        Of every tau in worlds of every tau.
    """
    half = log_likelihood.shape[1] // 2
    weight = np.full(len(TAUS), 1.0 / len(TAUS))
    best, best_weight = 0.0, weight
    for _ in range(_ROUNDS):
        error = _errors(log_likelihood[:, :half], weight).mean(axis=1)
        mean = float(weight @ error)
        if mean > best:
            best, best_weight = mean, weight
        weight = weight * np.exp(error - mean)
        weight = weight / weight.sum()
    errors = _errors(log_likelihood[:, half:], best_weight)
    variance = float(best_weight**2 @ errors.var(axis=1)) / errors.shape[1]
    return float(best_weight @ errors.mean(axis=1)), 1.96 * float(np.sqrt(variance))


def _errors(log_likelihood: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Error of the posterior median in every world, (T, W)."""
    taus = np.array(TAUS)
    posterior = np.exp(log_likelihood - log_likelihood.max(axis=2, keepdims=True)) * weight
    below = np.cumsum(posterior, axis=2) < 0.5 * posterior.sum(axis=2, keepdims=True)
    median = taus[below.sum(axis=2)]
    errors: np.ndarray = np.abs(median - taus[:, None])
    return errors
