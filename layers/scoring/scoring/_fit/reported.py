"""What a fit reports of its shape parameters: lapse rates, degree shares, and all outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.attention import Attention
from scoring._fit.outcomes import Outcomes

if TYPE_CHECKING:
    from scoring._fit.model import Model
    from scoring._types import Floats


def _by_judge(model: Model, values: Floats) -> Floats:
    """Repeat a shared value for every judge, (J,)."""
    repeated: Floats = np.broadcast_to(values, (model.data.n_judges,)).copy()
    return repeated


def lapse_rates(model: Model, shape: Floats, lapse: float) -> Floats:
    """Every judge's lapse rate, (J,)."""
    link = model.link
    rates = link.lapse(shape) if isinstance(link, Attention) else np.array([lapse])
    return _by_judge(model, rates)


def degree_shares(model: Model, shape: Floats) -> Floats:
    """What share of a degree's information every judge's degrees have, (J,)."""
    link = model.link
    shares = link.degree_share(shape) if isinstance(link, Attention) else np.ones(1)
    return _by_judge(model, shares)


def outcome_model(model: Model, shape: Floats, lapse: float) -> Outcomes:
    """The observation model with its parameters plugged in, one for all judges."""
    kind, degrees = model.data.ties, model.data.degrees
    free = model.link.cut_points(shape)
    if isinstance(model.link, Attention):
        # One observation model for all judges: the mean of their cut points and lapse rates.
        own = degrees - 1 + (kind == "interval")
        free = free.reshape(-1, own).mean(axis=0) if own else free
        lapse = float(model.link.lapse(shape).mean())
    cuts = np.zeros(degrees)
    if model.link.gaps:
        cuts[degrees - len(free) :] = free
    log_nu = float(free[0]) if kind == "davidson" else None
    return Outcomes(cuts, kind in ("interval", "davidson"), log_nu, lapse)
