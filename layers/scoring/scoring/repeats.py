"""How far a judge who judges a pair again repeats itself.

A judge has a view of each pair that abilities do not explain, and repeats it. The r verdicts of one
pair are then less evidence than r verdicts of different judges, and how much less shows in them:
the correlation rho of their residuals. A judge that repeats itself word for word has rho near 1;
one whose repeats fall as the abilities and chance say has 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.spread_estimate import SpreadPrior
from scoring.bradley_terry import fit
from scoring.errors import AllTiesError, NotConvergedError

if TYPE_CHECKING:
    from scoring._fit.result import Fit
    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons

# As if so many repeats had been the same as the verdict before.
PRIOR_REPEATS = 10.0
_TURNS = 3
_NODES = 7
_MOST_ESSAYS = 200


def estimate_repeat_correlation(
    comparisons: Comparisons,
    *,
    prior_sd: float | SpreadPrior | None = None,
    prior_repeats: float = PRIOR_REPEATS,
) -> float:
    r"""Return the correlation of a judge's verdicts on one pair beyond what abilities explain.

    Residuals :math:`y - p` of every two verdicts of one judge on one pair are multiplied and
    averaged over the Gaussian of the abilities: without dependence their sum has the mean 0, for
    the true abilities are a draw from it. It is divided by the sum of the variances
    :math:`p (1 - p)`, and shrunk towards 1 as if ten repeats had been the same. The fit uses the
    weights that the correlation gives, in turns.

    Parameters
    ----------
    comparisons : Comparisons
        With known judges.
    prior_sd : float or SpreadPrior, optional
        The spread of abilities, or its prior.
    prior_repeats : float, optional
        As if so many repeats had been the same; 0 estimates without that.

    Returns
    -------
    float
        Between 0 and 1; 1 where nobody judged a pair twice, above 200 essays, where every verdict
        is a tie, and where no fit is found.
    """
    twice = _list_repeats(comparisons)
    if twice is None or comparisons.n_essays > _MOST_ESSAYS:
        return 1.0
    prior = SpreadPrior() if prior_sd is None else prior_sd
    correlation = 1.0
    for _ in range(_TURNS):
        weighed = comparisons.with_repeat_correlation(correlation)
        try:
            fitted = fit(weighed, prior_sd=prior, estimator="variational")
        except (AllTiesError, NotConvergedError):
            return 1.0
        estimate = _correlate(fitted, comparisons, *twice)
        n = len(twice[0])
        correlation = float(np.clip((n * estimate + prior_repeats) / (n + prior_repeats), 0.0, 1.0))
    return correlation


def _list_repeats(comparisons: Comparisons) -> tuple[Ints, Ints] | None:
    """Rows of every verdict on a pair that its judge had judged before, and of the one before."""
    repeated = comparisons.repeated_pairs()
    if repeated is None:
        return None
    order = np.argsort(repeated[0], kind="stable")
    same = repeated[0][order][1:] == repeated[0][order][:-1]
    return order[1:][same], order[:-1][same]


def _correlate(fitted: Fit, comparisons: Comparisons, later: Ints, earlier: Ints) -> float:
    """Correlate residuals of verdicts that one judge gave on one pair.

    Parameters
    ----------
    fitted : Fit
        What predicts the verdicts.
    comparisons : Comparisons
        All verdicts.
    later, earlier : (r,) array of int
        Rows of the two verdicts.

    Returns
    -------
    float
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    # All of it as verdicts on "the later row's first essay is better".
    first, second = comparisons.first[later], comparisons.second[later]
    turned = comparisons.first[earlier] != first
    difference = fitted.ability[first] - fitted.ability[second]
    covariance = fitted.covariance
    variance = (
        covariance[first, first] + covariance[second, second] - 2.0 * covariance[first, second]
    )
    sd = np.sqrt(np.maximum(variance, 0.0))
    delta = difference[:, None] + sd[:, None] * nodes
    scale, shift = fitted.judged_scale(comparisons)
    before_shift = np.where(turned, -shift[earlier], shift[earlier])
    one = _prefer(scale[later][:, None] * delta + shift[later][:, None])
    other = _prefer(scale[earlier][:, None] * delta + before_shift[:, None])
    outcome = np.sign(comparisons.outcome)
    said = 0.5 + 0.5 * outcome[later]
    before = 0.5 + 0.5 * np.where(turned, -outcome[earlier], outcome[earlier])
    product = ((said[:, None] - one) * (before[:, None] - other)) @ weights
    spread = np.sqrt(one * (1.0 - one) * other * (1.0 - other)) @ weights
    return float(product.sum() / spread.sum())


def _prefer(margin: Floats) -> Floats:
    preferred: Floats = 1.0 / (1.0 + np.exp(-np.clip(margin, -500.0, 500.0)))
    return preferred
