"""The fit that a batch reports: which of all models its verdicts call for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.spread_estimate import SpreadPrior
from scoring.bradley_terry import fit
from scoring.construct_gap import MOST_PLACES, fit_people_scale
from scoring.divided_essays import widen_divided
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring._fit.link_choice import AttentionModel
    from scoring._fit.result import Fit
    from scoring._types import Ints
    from scoring.comparisons import Comparisons

_WIDER = 1.1
LEAST_BY_PEOPLE = 20
"""Verdicts of people from which on abilities are on people's scale."""


def fit_batch(
    comparisons: Comparisons,
    *,
    prior_sd: float | SpreadPrior | None = None,
    is_model: Sequence[bool] = (),
) -> Fit:
    """Fit the verdicts of one judge or of a jury as a batch reports them.

    Mean and covariance of the Gaussian nearest to the posterior, the spread of abilities
    integrated over. Every judge's rate of random answers is estimated, so that a scale that they
    compress is widened again. Where verdicts have degrees, so are every judge's cut points and
    what the degrees tell. Judges of a jury may be sharper or blunter than each other, and where
    they differ about an essay it is less certain. Where people have judged beside models, abilities
    are on people's scale.

    Parameters
    ----------
    comparisons : Comparisons
        The verdicts.
    prior_sd : float or SpreadPrior, optional
        The spread of abilities that is assumed, or its prior; the default prior if left out.
    is_model : (J,) sequence of bool
        Which judges are models; left out, all are taken for the same kind of judge.

    Returns
    -------
    Fit
        With standard errors that hold for the few comparisons of a batch.
    """
    prior = SpreadPrior() if prior_sd is None else prior_sd
    if isinstance(prior, SpreadPrior) and has_two_scales(comparisons, is_model):
        on_their_scale = fit_people_scale(comparisons, is_model, prior_sd=prior)
        return replace(on_their_scale, essays=comparisons.essays)
    return _fit_one_scale(comparisons, prior)


def has_two_scales(comparisons: Comparisons, is_model: Sequence[bool]) -> bool:
    """Whether people's scale can be told from models': enough verdicts, not too many essays.

    Parameters
    ----------
    comparisons : Comparisons
    is_model : sequence of bool
        Whether each judge is a model, by the judges' numbers.

    Returns
    -------
    bool
    """
    if comparisons.judge is None or len(is_model) != comparisons.n_judges:
        return False
    by_model = np.asarray(is_model, dtype=np.bool_)[comparisons.judge]
    places = comparisons.n_essays * (1 + sum(is_model))
    by_people = int((~by_model).sum())
    return bool(by_model.any()) and by_people >= LEAST_BY_PEOPLE and places <= MOST_PLACES


def refit_at_one_spread(standing: Fit, comparisons: Comparisons) -> Fit:
    """Fit the same verdicts again with the spread of abilities at the middle of what is known.

    For what does not depend on the spread: grades, and differences in units of the spread. Its
    uncertainty stretches all abilities alike and would look like an error of each.

    Parameters
    ----------
    standing : Fit
        Of `fit_batch`.
    comparisons : Comparisons
        The same verdicts.

    Returns
    -------
    Fit
        `standing` itself where its spread was assumed, on people's scale, which only the whole
        mixture has, and should no Gaussian be found at the middle: what is made of it is then a
        little too uncertain.
    """
    if standing.spread is None or standing.construct_gaps:
        return standing
    try:
        return _fit_one_scale(comparisons, standing.spread.median, start=standing)
    except NotConvergedError:
        return standing


def _fit_one_scale(
    comparisons: Comparisons, prior_sd: float | SpreadPrior, *, start: Fit | None = None
) -> Fit:
    """Fit all judges on one scale, each with what makes it less certain."""
    fitted = fit(
        comparisons,
        prior_sd=prior_sd,
        estimator="variational",
        judges="discrimination" if has_jury(comparisons) else "pooled",
        attention=_choose_attention(comparisons),
        start=start,
    )
    return widen_divided(fitted, comparisons)


def has_jury(comparisons: Comparisons) -> bool:
    """Whether more than one judge gave verdicts.

    Parameters
    ----------
    comparisons : Comparisons

    Returns
    -------
    bool
    """
    return comparisons.judge is not None and np.unique(comparisons.judge).size > 1


def has_degrees(comparisons: Comparisons) -> bool:
    """Whether a verdict says by how much an essay is better.

    Parameters
    ----------
    comparisons : Comparisons

    Returns
    -------
    bool
    """
    return bool((np.abs(comparisons.outcome) > 1).any())


def _choose_attention(comparisons: Comparisons) -> AttentionModel:
    # The mode of a quick fit finds random degrees to tell all that the model says, because it is
    # free to spread the abilities until they do. Only the integral over abilities sees through it.
    return "estimated" if has_degrees(comparisons) else "lapses"


def covering_prior_sd(fitted: Fit, essays: Ints) -> float:
    """Return the prior standard deviation to divide out of a fit, logits; infinite without one.

    A mixture over spreads may be less certain than the prior at its middle. The least prior that
    holds it is taken then.

    Parameters
    ----------
    fitted : Fit
    essays : (a,) ndarray of int
        The essays whose prior is divided out.

    Returns
    -------
    float
    """
    if fitted.prior_sd is None:
        return float(np.inf)
    prior_sd = fitted.prior_sd
    if fitted.spread is None or not len(essays):
        return prior_sd
    block = fitted.covariance[np.ix_(essays, essays)]
    while np.linalg.eigvalsh(block + prior_sd**2 / len(fitted.ability)).max() > prior_sd**2:
        prior_sd *= _WIDER
    return prior_sd
