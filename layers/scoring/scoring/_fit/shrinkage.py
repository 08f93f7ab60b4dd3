"""How far judges' order effects differ: as far as the verdicts can tell, and no further.

Judges' order effects are N(b, r^2) around a common one. r is estimated from all judges together, by
the marginal likelihood (MacKay 1992, Neural Computation 4:415): many people with few verdicts each
get one order effect, and a model with a thousand verdicts keeps its own.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.information import Information
from scoring._fit.linear import symmetric
from scoring._fit.newton import describe_state
from scoring._fit.order_effects import PlaceEffects
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._fit.model import Model
    from scoring._fit.newton import Solution
    from scoring._types import Floats


@dataclass(frozen=True, slots=True)
class JudgesPrior:
    """What is known of how far judges differ: as if so many judges had shown this much.

    Attributes
    ----------
    sd : float
        Standard deviation of the judges that stand for the prior.
    judges : float
        Their number.
    """

    sd: float
    judges: float


ORDER_PRIOR = JudgesPrior(0.2, 4.0)
PLACE_PRIOR = JudgesPrior(0.3, 4.0)
_LEAST_SD, _MOST_SD = 0.03, 2.0
_TURNS = 12
_CLOSE = 0.05


def shrink_order_effects(
    model: Model, mode: Solution, climb: Callable[[Model, Floats], Solution]
) -> tuple[Model, Solution]:
    """Estimate how far judges' order effects differ, and the mode that belongs to it.

    Parameters
    ----------
    model : Model
        Of several judges.
    mode : Solution
        Its maximum.
    climb : callable
        Maximises a model from given parameters.

    Returns
    -------
    Model, Solution
        The model with the estimated prior, and its maximum.
    """
    shrunk = copy(model)
    spreads = np.array([model.priors.order_deviation, model.priors.place]) ** -0.5
    for _ in range(_TURNS):
        lower = find_covariance(shrunk, mode)
        if lower is None:
            break
        following = _better(shrunk, mode.point.x, lower, spreads)
        if float(np.abs(np.log(following / spreads)).max()) < _CLOSE:
            break
        spreads = following
        shrunk = copy(model)
        order, place = (spreads**-2).tolist()
        shrunk.set_judge_precisions(order, model.priors.log_discrimination, place)
        mode = climb(shrunk, mode.point.x)
    return shrunk, mode


def find_covariance(model: Model, mode: Solution) -> Floats | None:
    """Lower triangle of the covariance at the mode; None where the curvature is none of a peak.

    Parameters
    ----------
    model : Model
        Objective and data.
    mode : Solution
        Its maximum.

    Returns
    -------
    (N, N) array or None
    """
    state = describe_state(model, mode.point, 0, 0.0)
    try:
        return Information(model, model.blocks(mode.point), state).lower
    except NotConvergedError:
        return None


def _better(model: Model, x: Floats, lower: Floats, spreads: Floats) -> Floats:
    """One turn of MacKay's re-estimation, of order effects and of place effects."""
    order, place = spreads.tolist()
    if model.n_pair_order > 1:
        at = slice(model.n, model.n + model.n_pair_order)
        centred = _centre(x, lower, at)
        order = reestimate_spread(*centred, order, model.n_pair_order - 1, ORDER_PRIOR)
    if isinstance(model.order, PlaceEffects):
        lists = [slice(model.n + s.start, model.n + s.stop) for s in model.order.lists]
        values, variance = (
            np.concatenate(parts)
            for parts in zip(*(_centre(x, lower, at) for at in lists), strict=True)
        )
        place = reestimate_spread(values, variance, place, len(values) - len(lists), PLACE_PRIOR)
    return np.array([order, place])


def _centre(x: Floats, lower: Floats, at: slice) -> tuple[Floats, Floats]:
    """Effects around their mean, and their variances: rows and columns centred."""
    total = symmetric(lower[at, at])
    variance = total.diagonal() - 2.0 * total.mean(axis=0) + total.mean()
    return x[at] - x[at].mean(), variance


def reestimate_spread(
    values: Floats, variance: Floats, spread: float, freedom: int, prior: JudgesPrior
) -> float:
    """The standard deviation by which effects differ that are known with these variances.

    Parameters
    ----------
    values, variance : (k,) array
        Effects around their mean, logits, and their variances.
    spread : float
        The standard deviation before, logits.
    freedom : int
        Degrees of freedom of the values.
    prior : JudgesPrior
        What is expected, and how many judges it is worth.

    Returns
    -------
    float
        Logits, within limits.
    """
    determined = float(np.clip(freedom - variance.sum() / spread**2, 0.0, freedom))
    squares = float(values @ values) + prior.judges * prior.sd**2
    better = np.sqrt(squares / (determined + prior.judges))
    return float(np.clip(better, _LEAST_SD, _MOST_SD))
