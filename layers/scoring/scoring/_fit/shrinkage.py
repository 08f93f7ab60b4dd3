"""How far judges differ from each other: as far as the verdicts can tell, and no further.

Judges' order effects are N(b, r^2) around a common one, and their log discriminations N(0, s^2).
r and s are estimated from all judges together, by the marginal likelihood (MacKay 1992, Neural
Computation 4:415): many people with few verdicts each are taken for equally sharp, and a model with
a thousand verdicts for as sharp as it shows.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.information import Information
from scoring._fit.newton import state_of
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoring._fit.model import Model
    from scoring._fit.newton import Solution
    from scoring._types import Floats

# What is known of r and s without verdicts: as if four judges had shown a standard deviation of .2.
_PRIOR_SD, _PRIOR_JUDGES = 0.2, 4.0
_LEAST_SD, _MOST_SD = 0.03, 2.0
_TURNS = 12
_CLOSE = 0.05


@dataclass(frozen=True, slots=True)
class _Spreads:
    """Standard deviations of order effects around their mean, and of log discriminations."""

    order: float
    discrimination: float

    def is_close(self, other: _Spreads) -> bool:
        """Whether two are the same for all that it matters."""
        ratios = (other.order / self.order, other.discrimination / self.discrimination)
        return bool(np.abs(np.log(ratios)).max() < _CLOSE)


def shrink_judges(
    model: Model, mode: Solution, climb: Callable[[Model, Floats], Solution]
) -> tuple[Model, Solution]:
    """Estimate how far judges differ, and the mode that belongs to it.

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
        The model with the estimated priors, and its maximum.
    """
    shrunk = copy(model)
    priors = model.priors
    spreads = _Spreads(priors.order_deviation**-0.5, priors.log_discrimination**-0.5)
    for _ in range(_TURNS):
        lower = _covariance_at(shrunk, mode)
        if lower is None:
            break
        following = _better(shrunk, mode.point.x, lower, spreads)
        if spreads.is_close(following):
            break
        spreads = following
        shrunk = copy(model)
        shrunk.set_judge_precisions(spreads.order**-2, spreads.discrimination**-2)
        mode = climb(shrunk, mode.point.x)
    return shrunk, mode


def _covariance_at(model: Model, mode: Solution) -> Floats | None:
    """Lower triangle of the covariance at the mode; None where the curvature is none of a peak."""
    state = state_of(model, mode.point, 0, 0.0)
    try:
        return Information(model, model.blocks(mode.point), state).lower
    except NotConvergedError:
        return None


def _better(model: Model, x: Floats, lower: Floats, spreads: _Spreads) -> _Spreads:
    """One turn of MacKay's re-estimation."""
    order, discrimination = spreads.order, spreads.discrimination
    if model.n_order > 1:
        at = slice(model.n, model.n + model.n_order)
        own = np.tril(lower[at, at])
        total = own + np.tril(own, -1).T
        # variances around the mean: rows and columns centred
        centred = total.diagonal() - 2.0 * total.mean(axis=0) + total.mean()
        order = _re_estimated(x[at] - x[at].mean(), centred, order, model.n_order - 1)
    if model.n_log:
        at = slice(model.shape_at.stop, model.size)
        discrimination = _re_estimated(x[at], lower.diagonal()[at], discrimination, model.n_log)
    return _Spreads(order, discrimination)


def _re_estimated(values: Floats, variance: Floats, spread: float, freedom: int) -> float:
    """The standard deviation by which values differ that are known with these variances."""
    determined = float(np.clip(freedom - variance.sum() / spread**2, 0.0, freedom))
    squares = float(values @ values) + _PRIOR_JUDGES * _PRIOR_SD**2
    better = np.sqrt(squares / (determined + _PRIOR_JUDGES))
    return float(np.clip(better, _LEAST_SD, _MOST_SD))
