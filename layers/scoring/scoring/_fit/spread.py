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
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.evidence import log_evidence_curve
from scoring._fit.spread_mixture import mix
from scoring._fit.spread_path import LEAST_SD, LONGEST_STEP, MOST_SD, SpreadPath
from scoring._fit.variational import free_discriminations
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from scoring._fit.model import Model
    from scoring._fit.spread_estimate import SpreadPrior
    from scoring._fit.spread_mixture import Mixture
    from scoring._fit.spread_path import SpreadPoint
    from scoring._types import Floats

# Tolerances of mean and variances: while the maximum is sought, and for what is reported.
_ROUGH, _FINE, _OUTER = 0.02, 2e-3, 8e-3
_SEARCHES = 12
_CLOSE = 0.35
"""The maximum counts as found within this many standard deviations of log sd."""
# So near to the maximum two slopes place it well enough where sd is well known: the last step is
# taken without a Gaussian of its own.
_PLACED, _KNOWN = 0.8, 0.22
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

    Returns
    -------
    Mixture

    Raises
    ------
    NotConvergedError
        If the nearest Gaussian is not found at some sd, with the state of the solver.
    """
    path = SpreadPath(model, x, variance, log_sd)
    centre, deviation = _find_maximum(path, prior, log_sd)
    points = _settle_nodes(path, centre, deviation)
    for point in points:
        point.power = path.find_power(point)
        if point.gaussian.model.basis is None:
            continue
        freed = free_discriminations(point.gaussian.model, point.gaussian.whole_point())
        if freed is not None:
            point.gaussian.model, point.gaussian.lower = freed
    grid = centre + deviation * np.linspace(-_GRID_REACH, _GRID_REACH, _GRID)
    curve = log_evidence_curve(
        np.array([point.log_sd for point in points]),
        np.array([point.evidence for point in points]),
        np.array([point.slope for point in points]),
        grid,
        max(deviation**-2 - prior.log_sd**-2, 0.0),
    )
    density = _normalise(curve + prior.log_density(grid))
    return mix(points, model.n, density, grid, _measure(curve, grid), prior, path.turns)


def _settle_nodes(path: SpreadPath, centre: float, deviation: float) -> list[SpreadPoint]:
    """Settle at the nodes that the doubt of log sd calls for, in ascending order."""
    places = next(nodes for widest, nodes in _NODES if deviation < widest)
    points = [path.settle_gaussian(centre, _FINE)] if places[0] == 0.0 else []
    tolerance = _OUTER if points else _FINE
    for z in places[len(points) :]:
        # Without an outer node the others carry the mixture.
        with suppress(NotConvergedError):
            points.append(path.settle_gaussian(centre + deviation * z, tolerance, hold=True))
    if not points:
        points = [path.settle_gaussian(centre, _FINE)]
    return sorted(points, key=lambda point: point.log_sd)


def _find_maximum(path: SpreadPath, prior: SpreadPrior, start: float) -> tuple[float, float]:
    """Climb to the posterior's maximum in log sd; return it with the standard deviation there."""
    at, before = start, None
    for _ in range(_SEARCHES):
        point = path.settle_gaussian(at, _ROUGH)
        slope = point.slope - (at - np.log(prior.median)) / prior.log_sd**2
        bend = point.bend - point.power**2 * point.missing
        if before is not None and at != before[0]:
            bend = max((before[1] - point.slope) / (at - before[0]), 0.1 * point.bend)
        precision = max(bend, 0.0) + prior.log_sd**-2
        deviation = precision**-0.5
        step = float(np.clip(slope / precision, -LONGEST_STEP, LONGEST_STEP))
        if abs(step) < _CLOSE * deviation:
            break
        is_placed = before is not None and abs(step) < _PLACED * deviation and deviation < _KNOWN
        before = (at, point.slope)
        at = float(np.clip(at + step, np.log(LEAST_SD), np.log(MOST_SD)))
        if is_placed:
            break
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
