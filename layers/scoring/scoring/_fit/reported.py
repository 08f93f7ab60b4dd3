"""What a fit reports of its shape parameters: lapse rates, degree shares, and all outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.ability_intervals import unit_doubt
from scoring._fit.attention import Attention
from scoring._fit.link_choice import list_highest_degrees
from scoring._fit.outcomes import Outcomes
from scoring._list_rows import PAIR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring._fit.model import Model
    from scoring._fit.spread_estimate import Spread
    from scoring._types import Floats, Ints


def _repeat_per_judge(model: Model, values: Floats) -> Floats:
    """Repeat a shared value for every judge, (J,)."""
    judgings = model.data.judgings
    if judgings is not None and 1 < len(values) < len(judgings.judge):
        # one for all lists of a size
        values = values[np.searchsorted(np.unique(judgings.size), judgings.size)]
    repeated: Floats = np.broadcast_to(values, (model.data.n_judges,)).copy()
    return repeated


def lapse_rates(model: Model, shape: Floats, lapse: float) -> Floats:
    """Every judge's lapse rate, the same in pairs and in lists.

    Parameters
    ----------
    model : Model
        Objective and data.
    shape : (K,) array
        Shape parameters of the link.
    lapse : float
        The rate where none is estimated.

    Returns
    -------
    (J,) array
        0 .. 1.
    """
    link = model.link
    judgings = model.data.judgings
    if not isinstance(link, Attention):
        return _repeat_per_judge(model, np.array([lapse]))
    rates = link.lapse(shape)
    if judgings is not None and len(rates) > 1:
        return rates[judgings.judge]
    return _repeat_per_judge(model, rates)


def doubt_unit(model: Model, spread: Spread | None) -> float:
    """By how much the log of the unit is doubted: not where every verdict follows the model."""
    if not isinstance(model.link, Attention):
        return 0.0
    return unit_doubt(0.0 if spread is None else spread.sd_log)


def degree_shares(model: Model, shape: Floats) -> Floats:
    """What share of a degree's information every judge's degrees have.

    Parameters
    ----------
    model : Model
        Objective and data.
    shape : (K,) array
        Shape parameters of the link.

    Returns
    -------
    (J,) array
        0 .. 1.
    """
    link = model.link
    shares = link.degree_share(shape) if isinstance(link, Attention) else np.ones(1)
    return _repeat_per_judge(model, shares)


def judged_outcomes(model: Model, shape: Floats, kind: int, *, has_degree: bool) -> Outcomes:
    """The observation model of one kind of verdicts, with cut points of its own.

    Parameters
    ----------
    model : Model
        With lists.
    shape : (K,) array
        Its shape parameters.
    kind : int
        Which kind of verdicts.
    has_degree : bool
        Whether these verdicts say by how much an essay is better.
    """
    sets = _list_cut_points(model, shape)
    lapse = float(lapse_rates(model, shape, 0.0)[kind])
    judgings, ties = model.data.judgings, model.data.ties == "interval"
    if judgings is not None and 1 < len(sets) < len(judgings.judge):
        kind = int(np.searchsorted(np.unique(judgings.size), judgings.size[kind]))
    cuts = sets[kind if len(sets) > 1 else 0]
    return Outcomes(cuts if has_degree else cuts[:1], ties, None, lapse)


def outcome_model(model: Model, shape: Floats, lapse: float) -> Outcomes:
    """The observation model with its parameters plugged in, one for all judges of pairs.

    Parameters
    ----------
    model : Model
        Objective and data.
    shape : (K,) array
        Shape parameters of the link.
    lapse : float
        The lapse rate where none is estimated.

    Returns
    -------
    Outcomes
    """
    kind = model.data.ties
    free = model.link.cut_points(shape)
    cuts = np.zeros(model.data.degrees)
    if isinstance(model.link, Attention) or model.data.judgings is not None:
        # One observation model for all judges: the mean of their cut points and lapse rates.
        sets = _list_cut_points(model, shape)
        cuts = _average([sets[one] for one in _find_pair_sets(model, len(sets))])
    elif model.link.gaps:
        cuts[len(cuts) - len(free) :] = free
    if isinstance(model.link, Attention):
        rates = lapse_rates(model, shape, lapse)
        lapse = float(rates[_find_pair_sets(model, len(rates))].mean())
    log_nu = float(free[0]) if kind == "davidson" else None
    return Outcomes(cuts, kind in ("interval", "davidson"), log_nu, lapse)


def _average(sets: Sequence[Floats]) -> Floats:
    """The mean of cut points, of as many degrees as all of these judges have."""
    shortest = min(map(len, sets))
    mean: Floats = np.mean([cuts[:shortest] for cuts in sets], axis=0)
    return mean


def _list_cut_points(model: Model, shape: Floats) -> list[Floats]:
    """C_1 .. C_D by judge, or those that all share; C_1 is 0 unless ties are an interval."""
    free = model.link.cut_points(shape)
    highest = list_highest_degrees(model.data)
    known = np.zeros(int(model.data.ties != "interval"))
    ends = np.cumsum([degrees - len(known) for degrees in highest])
    return [np.concatenate([known, own]) for own in np.split(free, ends[:-1])]


def _find_pair_sets(model: Model, n_sets: int) -> Ints:
    """Which sets of parameters are of pairs; all of them where there are no pairs."""
    judgings = model.data.judgings
    every = np.arange(n_sets)
    if judgings is None or n_sets == 1:
        return every
    sizes = judgings.size if n_sets == len(judgings.judge) else np.unique(judgings.size)
    has_pairs = judgings.n_lists[: judgings.n_judges] > 0
    seen = np.resize(has_pairs, n_sets) if n_sets == len(judgings.judge) else has_pairs.any()
    of_pairs = every[(sizes == PAIR) & seen]
    return of_pairs if len(of_pairs) else every
