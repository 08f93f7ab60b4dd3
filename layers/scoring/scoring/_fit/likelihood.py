"""Maximum likelihood, and the reasons why it may not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.newton import Solution, maximise
from scoring._graph import outside_core
from scoring.errors import NotConvergedError, SeparationError

if TYPE_CHECKING:
    from scoring._fit.model import Model
    from scoring._types import Bools, Floats, Ints
    from scoring.errors import SolverState

# e^-35 is below the rounding error of a log likelihood: no data can hold a parameter there.
_RUNAWAY = 35.0
_LARGE = 10.0


def maximum_likelihood(model: Model, start: Floats, component: Ints) -> Solution:
    """Maximise the likelihood, abilities summing to zero within each component.

    A finite maximum of the Bradley-Terry likelihood exists when within each component every
    essay has, along some chain of verdicts, beaten every other (Ford 1957). Ties count both ways.
    With an order effect, degrees or judges the condition is weaker or stronger; there the
    maximum is sought, and a parameter that runs away proves that there is none.

    Parameters
    ----------
    model : Model
        Objective and data.
    start : (N,) array
        Where the search starts.
    component : (n,) array of int
        Component of each essay.

    Returns
    -------
    Solution

    Raises
    ------
    SeparationError
        Naming the essays outside the strongly connected core of their component.
    NotConvergedError
        With the last iterate.
    """
    outside = _outside(model, component)
    if outside.any() and model.data.degrees == 1:
        raise SeparationError(
            np.flatnonzero(outside).tolist(),
            "no chain of wins leads both to and from these essays and the strongly connected core "
            "of their component (estimator='map' always exists)",
        )
    try:
        return maximise(model, start, gauge=component, bound=_RUNAWAY)
    except NotConvergedError as error:
        state = error.state
        if max(np.abs(state.ability).max(), np.abs(state.other).max(initial=0.0)) < _LARGE:
            raise
        raise _separation_error(outside, state) from error


def _separation_error(outside: Bools, state: SolverState) -> SeparationError:
    ability = np.abs(state.ability)
    if outside.any():
        essays = np.flatnonzero(outside)
    elif ability.max() >= _LARGE:
        essays = np.flatnonzero(ability >= 0.5 * ability.max())
    else:
        return SeparationError(
            (),
            "the order effect or a cut point runs away; was the essay shown first really "
            "recorded? (order_effect=False, or estimator='map')",
        )
    return SeparationError(
        essays.tolist(), "the verdicts are perfectly ordered (estimator='map' always exists)"
    )


def _outside(model: Model, component: Ints) -> Bools:
    d = model.data
    forward, backward = d.sign > 0, d.sign < 0
    tie = d.category == 0
    winner = np.concatenate([d.first[forward], d.second[backward], d.second[tie]])
    loser = np.concatenate([d.second[forward], d.first[backward], d.first[tie]])
    return outside_core(model.n, component, winner, loser)
