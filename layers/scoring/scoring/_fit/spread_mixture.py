"""The mixture of Gaussians over the standard deviation of abilities: what a fit reports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.evidence import correct_covariance
from scoring._fit.linear import centre_covariance, symmetric
from scoring._fit.spread_estimate import Node, Spread, reduce_gaussian

if TYPE_CHECKING:
    from scoring._fit.gaussian import Gaussian
    from scoring._fit.spread_estimate import SpreadPrior
    from scoring._fit.spread_path import SpreadPoint
    from scoring._types import Floats


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


def mix(
    points: list[SpreadPoint],
    n: int,
    density: Floats,
    grid: Floats,
    measured: tuple[float, float],
    prior: SpreadPrior,
    turns: int,
) -> Mixture:
    """Mix the Gaussians of all nodes by their weights.

    Parameters
    ----------
    points : list of SpreadPoint
        The Gaussians, K in all.
    n : int
        How many essays: their abilities are the first parameters.
    density, grid : (g,) array
        Probabilities of values of log sd.
    measured : (float, float)
        Mean and precision of log sd by the verdicts alone.
    prior : SpreadPrior
        Prior of the spread.
    turns : int
        Turns made at all nodes together.

    Returns
    -------
    Mixture
    """
    weights = _weights(points, density, grid)
    mean_log = float(density @ grid)
    sd_log = float(np.sqrt(density @ (grid - mean_log) ** 2))
    x = np.sum(
        [weight * point.gaussian.x for weight, point in zip(weights, points, strict=True)], axis=0
    )
    lower = np.zeros_like(points[0].gaussian.lower)
    for weight, point in zip(weights, points, strict=True):
        off = point.gaussian.x - x
        lower += weight * (point.gaussian.lower + np.outer(off, off))
    if len(points) == 1:
        lower[:n, :n] += sd_log**2 * np.outer(points[0].drift, points[0].drift)
    nodes = tuple(
        _reduce(point, float(weight), x[:n], sd_log if len(points) == 1 else 0.0)
        for weight, point in zip(weights, points, strict=True)
    )
    spread = Spread(mean_log, sd_log, *measured, nodes, prior)
    centre = points[int(np.argmax(weights))].gaussian
    return Mixture(x, lower, centre, spread, turns)


def _weights(points: list[SpreadPoint], density: Floats, grid: Floats) -> Floats:
    """Weights of the nodes that integrate polynomials in log sd as the density does, (K,)."""
    knots = np.array([point.log_sd for point in points])
    weights = np.empty(len(knots))
    for k, knot in enumerate(knots):
        others = np.delete(knots, k)
        basis = np.prod((grid[:, None] - others) / (knot - others), axis=1)
        weights[k] = density @ basis
    weights = np.maximum(weights, 0.0)
    normalised: Floats = weights / weights.sum()
    return normalised


def _reduce(point: SpreadPoint, weight: float, reported: Floats, sd_log: float) -> Node:
    """Reduce a node's Gaussian; doubt of log sd that no other node carries moves its means.

    What reliability depends on has the covariance in second order: the Gaussian alone takes far
    abilities for more certain than they are.
    """
    n = len(reported)
    gaussian = point.gaussian
    own = centre_covariance(symmetric(gaussian.lower[:n, :n]))
    corrected = correct_covariance(gaussian, point.remainder, own) if weight > 0.0 else own
    node = reduce_gaussian(gaussian.x[:n], corrected, reported, weight, point.log_sd)
    length = float(np.sqrt(reported @ reported))
    drift = sd_log * float(reported @ point.drift) / length if length > 0.0 else 0.0
    variance = own.diagonal()
    return replace(
        node,
        along_variance=node.along_variance + drift**2,
        mean_variance=float(variance.mean()),
        variance=variance + (sd_log * point.drift) ** 2,
        covariance=None if node.covariance is None else own,
    )
