"""How far judges' order effects differ: as far as the verdicts can tell, and no further.

Judges' order effects are N(b, r^2) around a common one. r is estimated from all judges together, by
the marginal likelihood: many people with few verdicts each get one order effect, and a model with a
thousand verdicts keeps its own. With probability one half judges do not differ; otherwise r is one
of a few values, all as likely. r is its posterior mean, by Laplace's evidence of each value. The
effects of places in lists are re-estimated (MacKay 1992, Neural Computation 4:415).
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


PLACE_PRIOR = JudgesPrior(0.3, 4.0)
# Standard deviations of order effects among judges, logits, and how likely each is; the first one
# stands for no difference.
_ORDER_SDS = np.array([0.03, 0.1, 0.2, 0.4, 0.8])
_ORDER_SHARES = np.array([0.5, 0.125, 0.125, 0.125, 0.125])
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
    if model.n_pair_order > 1:
        shrunk, mode = _estimate_order(shrunk, mode, climb)
    if isinstance(model.order, PlaceEffects):
        shrunk, mode = _estimate_places(shrunk, mode, climb)
    return shrunk, mode


def _estimate_order(
    model: Model, mode: Solution, climb: Callable[[Model, Floats], Solution]
) -> tuple[Model, Solution]:
    """Give judges' order effects their posterior mean standard deviation, and climb again."""
    lower = find_covariance(model, mode)
    if lower is None:
        return model, mode
    log_evidence = _find_evidence(model, mode.point.x, lower)
    if not np.isfinite(log_evidence).any():
        return model, mode
    share = _ORDER_SHARES * np.exp(log_evidence - log_evidence.max())
    better = _let_differ(model, float(share @ _ORDER_SDS / share.sum()))
    return better, climb(better, mode.point.x)


def _let_differ(model: Model, sd: float) -> Model:
    """Let judges' order effects have another standard deviation, logits; on a copy."""
    other = copy(model)
    other.set_judge_precisions(sd**-2, model.priors.log_discrimination)
    return other


def _find_evidence(model: Model, x: Floats, lower: Floats) -> Floats:
    """Log evidence of the judges' standard deviations, up to a constant.

    What the verdicts say of the order effects is a Normal likelihood: the posterior at the mode
    with its prior taken out. Every other prior can be put in its place.

    Parameters
    ----------
    model : Model
        Of several judges.
    x : (N,) array
        Its maximum.
    lower : (N, N) array
        Lower triangle of the covariance there.

    Returns
    -------
    (K,) array
        Of each of `_ORDER_SDS`.
    """
    at = slice(model.n, model.n + model.n_pair_order)
    posterior = np.linalg.inv(symmetric(lower[at, at]))
    told = posterior @ x[at]
    likelihood = posterior - _order_precision(model, model.priors.order_deviation)
    # One decomposition serves every prior: each adds a multiple of the identity, and takes the same
    # share from all entries (matrix determinant lemma; Sherman and Morrison 1950).
    values, vectors = np.linalg.eigh(symmetric(likelihood))
    told, ones = told @ vectors, vectors.sum(axis=0)
    log_evidence = np.full(len(_ORDER_SDS), -np.inf)
    for k, precision in enumerate(_ORDER_SDS**-2):
        shared = _share_order(model, precision)
        curvature = values + precision
        left = 1.0 - shared * np.sum(ones**2 / curvature)
        # Where lapses make a likelihood bend upwards a wide prior may not hold it.
        if curvature.min() <= 0.0 or left <= 0.0:
            continue
        fit = np.sum(told**2 / curvature) + shared / left * np.sum(told * ones / curvature) ** 2
        log_evidence[k] = 0.5 * (
            -np.log(curvature / precision).sum()
            + np.log1p(-shared * model.n_pair_order / precision)
            - np.log(left)
            + fit
        )
    return log_evidence


def _order_precision(model: Model, precision: float) -> Floats:
    """Prior precision of judges' order effects around a common one, (J, J)."""
    return precision * np.eye(model.n_pair_order) - _share_order(model, precision)


def _share_order(model: Model, precision: float) -> float:
    """What a common effect of unknown size takes from every entry of the prior precision."""
    return precision**2 / (model.priors.order_effect + model.n_pair_order * precision)


def _estimate_places(
    model: Model, mode: Solution, climb: Callable[[Model, Floats], Solution]
) -> tuple[Model, Solution]:
    """Re-estimate how far the effects of places differ, in turns with the mode."""
    sd = model.priors.place**-0.5
    for _ in range(_TURNS):
        lower = find_covariance(model, mode)
        if lower is None:
            break
        following = _better_place(model, mode.point.x, lower, sd)
        if abs(np.log(following / sd)) < _CLOSE:
            break
        sd = following
        model = copy(model)
        p = model.priors
        model.set_judge_precisions(p.order_deviation, p.log_discrimination, sd**-2)
        mode = climb(model, mode.point.x)
    return model, mode


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


def _better_place(model: Model, x: Floats, lower: Floats, sd: float) -> float:
    """One turn of MacKay's re-estimation of the effects of places."""
    if not isinstance(model.order, PlaceEffects):
        return sd
    lists = [slice(model.n + s.start, model.n + s.stop) for s in model.order.lists]
    values, variance = (
        np.concatenate(parts)
        for parts in zip(*(_centre(x, lower, at) for at in lists), strict=True)
    )
    return reestimate_spread(values, variance, sd, len(values) - len(lists), PLACE_PRIOR)


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
