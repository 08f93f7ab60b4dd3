"""The Gaussian nearest to the posterior, instead of the parabola at its peak.

Laplace's method takes the posterior's mode and the curvature there. With few comparisons an essay
the posterior of its ability is skewed away from zero: the mode lies too near to zero and the
curvature there is too large. The Gaussian q = N(m, S) that is nearest to the posterior in
Kullback-Leibler divergence solves (Opper & Archambeau 2009, Neural Computation 21:786)

    E_q[gradient] = 0        and        S^-1 = E_q[-Hessian] .

Each verdict bears on one number, the judged difference, so every expectation is one-dimensional: a
Gauss-Hermite sum over a difference with the variance that S gives it. For fixed variances the
first equation is an ordinary fit with a smoothed link; the two are solved in turns. For log-concave
links the bound that this climbs is concave in m and the factor of S (Challis & Barber 2013, Journal
of Machine Learning Research 14:2239). Cut points are at their best values, as everywhere else.

Discriminations stay at those of the mode. A discrimination multiplies the uncertainty of a
difference too, so a turn with fixed variances would not be a step uphill for it. Their uncertainty
still counts: the covariance is that of all parameters.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.attention import Attention, AttentionTerms
from scoring._fit.information import Information
from scoring._fit.links import Terms
from scoring._fit.newton import describe_state, maximise
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._fit.derivatives import Point
    from scoring._fit.links import Link
    from scoring._fit.model import Model
    from scoring._fit.newton import Solution
    from scoring._types import Floats

# Eleven nodes and this tolerance leave 1e-5 of a standard error, after five turns or so. A
# difference that is uncertain by many logits needs more nodes to see where the link bends.
_NODES = 11
_FEW_NODES, _NARROW_SD = 7, 1.2
_MANY_NODES = 41
_COARSE_NODES = 5
_WIDE_SD = 4.0
_MAX_TURNS = 200
_LEAST_SHARE = 1.0 / 16.0
_TOLERANCE = 1e-5


@dataclass(slots=True)
class _SmoothedTerms(Terms):
    """Averages over the nodes, and all nodes' terms for what is not linear in them."""

    nodes: Terms | None = None


@dataclass(frozen=True, slots=True)
class Remainder:
    """What every log likelihood has beside the parabola that it is on average, r.

    Moments under the Gaussian; z is the oriented difference, standardised.

    Attributes
    ----------
    variance : (m,) array
        E[r^2]: r has no mean.
    excess : (m,) array
        E[(z^2 - 1) r^2].
    """

    variance: Floats
    excess: Floats


class Smoothed:
    """A link whose log likelihood is averaged over a Normal error of the judged difference.

    All comparisons are evaluated at all nodes at once, the nodes one after the other. A link of
    judges' attention averages by itself.

    Parameters
    ----------
    inner : Link
        The observation model.
    variance : (m,) array
        Variance of every judged difference, logits^2.
    is_coarse : bool
        Whether a few nodes do, as on the way to somewhere.
    """

    def __init__(self, inner: Link, variance: Floats, *, is_coarse: bool = False) -> None:
        self.inner = inner
        self.n_shape = inner.n_shape
        self.n_gaps = inner.n_gaps
        self.n_outcomes = inner.n_outcomes
        self.gaps = inner.gaps
        self._sd = np.sqrt(np.maximum(variance, 0.0))
        widest = float(self._sd.max(initial=0.0))
        count = _NODES if widest < _WIDE_SD else _MANY_NODES
        count = _FEW_NODES if widest < _NARROW_SD else count
        count = _COARSE_NODES if is_coarse and widest < _WIDE_SD else count
        self._nodes, self._weights = _gauss_hermite(count)
        self._every = inner if isinstance(inner, Attention) else inner.tile(count)

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison at every node and average."""
        differences = oriented + self._nodes[:, None] * self._sd
        if isinstance(self._every, Attention):
            averaged = self._every.average_terms(differences, self._weights, shape)
            return _SmoothedTerms(
                averaged.value,
                averaged.slope,
                np.maximum(averaged.curvature, 0.0),
                averaged.shape_slope,
                averaged.shape_cross,
                nodes=averaged,
            )
        at = self._every.terms(differences.ravel(), shape)
        return _SmoothedTerms(
            value=self._mean(at.value),
            slope=self._mean(at.slope),
            # Where a likelihood is not concave: no ability is less certain than its prior says.
            curvature=np.maximum(self._mean(at.curvature), 0.0),
            shape_slope=self._mean(at.shape_slope),
            shape_cross=self._mean(at.shape_cross),
            nodes=at,
        )

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of the averaged -d2l/dgamma2, (K, K)."""
        if not isinstance(terms, _SmoothedTerms) or terms.nodes is None:
            raise TypeError("terms of another link")
        if isinstance(terms.nodes, AttentionTerms):
            return self._every.shape_curvature(terms.nodes, shape, weight)
        every = np.outer(self._weights, weight).ravel()
        return self._every.shape_curvature(terms.nodes, shape, every)

    def compute_remainder(self, terms: Terms) -> Remainder:
        """Return moments of what every log likelihood has beside its mean parabola."""
        if not isinstance(terms, _SmoothedTerms) or terms.nodes is None:
            raise TypeError("terms of another link")
        at_nodes = terms.nodes.value
        if isinstance(terms.nodes, AttentionTerms):
            at_nodes = terms.nodes.value_at_nodes
        left, moments = _tabulate_remainder(len(self._weights))
        squared = left @ at_nodes.reshape(len(self._weights), -1)
        squared *= squared
        variance, excess = moments @ squared
        return Remainder(variance, excess)

    def cut_points(self, shape: Floats) -> Floats:
        """Return the inner link's cut points."""
        return self.inner.cut_points(shape)

    @staticmethod
    def forget_nodes(terms: Terms) -> None:
        """Drop the terms at the nodes, which take most of a fit's memory.

        What is left has the averages. `shape_curvature` and `compute_remainder` then refuse it.
        """
        if isinstance(terms, _SmoothedTerms):
            terms.nodes = None

    def tile(self, n_copies: int) -> Link:
        """Refuse: an average is not averaged again."""
        raise NotImplementedError

    def _mean(self, values: Floats) -> Floats:
        if values.ndim > 1 and values.shape[1] == 0:
            return values[: len(self._sd)]
        by_node = values.reshape(len(self._weights), -1)
        mean: Floats = self._weights @ by_node
        return mean.reshape(len(self._sd), *values.shape[1:])


@cache
def _gauss_hermite(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights of an average over a standard Normal variable, (q,) each."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


@cache
def _tabulate_remainder(count: int) -> tuple[Floats, Floats]:
    """What takes the mean parabola off values at the nodes, and what averages the rest squared.

    Returns
    -------
    (q, q) array, (2, q) array
        The second has the weights of E[r^2] and E[(z^2 - 1) r^2].
    """
    z, weights = _gauss_hermite(count)
    square = z**2 - 1.0
    mean = np.outer(np.ones(count), weights)
    parabola = mean + np.outer(z, weights * z) + 0.5 * np.outer(square, weights * square)
    return np.eye(count) - parabola, np.array([weights, weights * square])


def nearest_gaussian(
    model: Model, mode: Solution, climb: Callable[[Model, Floats], Solution] = maximise
) -> tuple[Model, Solution]:
    """Find the Gaussian nearest to the posterior, starting at the mode.

    Parameters
    ----------
    model : Model
        With a prior on the abilities.
    mode : Solution
        Its maximum.
    climb : callable
        Maximises a model from given parameters.

    Returns
    -------
    Model, Solution
        The model with the smoothed link, whose maximum is the mean and whose Hessian there is the
        inverse covariance.

    Raises
    ------
    NotConvergedError
        If mean and covariance do not settle, with the state of the solver.
    """
    held = copy(model)
    held.hold_discrimination = True
    smoothed, solution = held, mode
    variance = _variances(model, held, mode)
    before, share = np.inf, 1.0
    for _ in range(_MAX_TURNS):
        smoothed = copy(held)
        smoothed.link = Smoothed(model.link, variance)
        solution = climb(smoothed, solution.point.x)
        following = _variances(model, smoothed, solution)
        change = float(np.abs(following - variance).max())
        # Under a wide prior mean and variances can chase each other: then go a part of the way.
        share = min(1.5 * share, 1.0) if change < 0.9 * before else max(0.5 * share, _LEAST_SHARE)
        variance = variance + share * (following - variance)
        before = change
        if change < _TOLERANCE * (1.0 + float(variance.max())):
            return free_judges(smoothed, solution)
    state = describe_state(smoothed, solution.point, solution.iterations, change)
    raise NotConvergedError("the nearest Gaussian (estimator='map' always exists)", state)


def free_judges(smoothed: Model, solution: Solution) -> tuple[Model, Solution]:
    """Let the discriminations' uncertainty into the covariance, where the Hessian allows it."""
    freed = free_discriminations(smoothed, solution.point)
    return (smoothed if freed is None else freed[0]), solution


def free_discriminations(smoothed: Model, point: Point) -> tuple[Model, Floats] | None:
    """Let the discriminations go that were held while the Gaussian was sought.

    Returns
    -------
    (Model, (N, N) array) or None
        The model with free discriminations and the lower triangle of its covariance; None without
        discriminations, and where the Hessian is no information.
    """
    if smoothed.basis is None:
        return None
    free = copy(smoothed)
    free.hold_discrimination = False
    try:
        lower = Information(free, free.blocks(point), describe_state(free, point, 0, 0.0)).lower
    except NotConvergedError:
        return None
    # A Hessian that is only just positive says an ability is less certain than its prior.
    widest = float(lower.diagonal()[: free.n].max()) * free.priors.ability
    return (free, lower) if widest <= 1.0 else None


def _variances(model: Model, at: Model, solution: Solution) -> Floats:
    """Return the variance of every judged difference under the Gaussian of a solution, (m,)."""
    point = solution.point
    lower = Information(at, at.blocks(point), describe_state(at, point, 0, 0.0)).lower
    d = model.data
    high, low = np.maximum(d.first, d.second), np.minimum(d.first, d.second)
    scale = 1.0 if model.basis is None else np.exp(model.log_discrimination(point.x))[d.judge]
    diagonal = lower.diagonal()
    variance: Floats = diagonal[d.first] + diagonal[d.second] - 2.0 * lower[high, low]
    variance *= scale**2
    if model.order is not None:
        model.order.add_variance(variance, lower, (d.first, d.second), model.n, scale)
    return variance
