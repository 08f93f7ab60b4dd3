"""Essays that divide judges: what their disagreement adds to the uncertainty of an ability.

A judge of a jury may see an essay otherwise than the others do. All verdicts of that judge on the
essay then err together, and many of them are less evidence than as many verdicts of different
judges. Every judge's view of an essay is taken as its ability + N(0, omega^2), with an omega^2 for
each essay.

Per essay and judge the residuals have a sum s and an information h; s / h is how far the judge's
view lies from the fit. How much these differ between judges is measured as effects of different
studies are in a meta-analysis (DerSimonian & Laird 1986, Controlled Clinical Trials 7:177), by

    Q = sum_j s_j^2 / h_j - (sum_j s_j)^2 / sum_j h_j ,

which has the mean J - 1 where judges agree, and J - 1 + c omega^2 otherwise. One essay's Q says
little. So omega^2 is one of a few values, whose shares among the essays are estimated from all of
them together (empirical Bayes), with most essays expected to divide nobody. A judge's single
verdict on an essay adds nothing: its error is that of the verdict already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.information import widen
from scoring._fit.linear import centre_covariance
from scoring._fit.spread_estimate import Node, Spread

if TYPE_CHECKING:
    from scoring._fit.result import Fit
    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons

# Values of omega^2, logits^2, and as if so many essays with each had been seen before.
_VARIANCES = np.array([0.0, 0.25, 0.5, 1.0, 2.25, 4.0])
_SEEN_BEFORE = np.array([45.0, 1.0, 1.0, 1.0, 1.0, 1.0])
# As if so many verdicts were random: a single slip in an easy pair is no disagreement.
_SLIPS = 0.04
_TURNS = 30
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class _Views:
    """How the judges' views of every essay differ.

    Attributes
    ----------
    heterogeneity : (n,) array
        Q of every essay.
    freedom : (n,) array
        Judges of the essay less one, at least 0.
    gain : (n,) array
        c: by how much Q grows with omega^2, 1/logits^2.
    share : (n,) array
        By how much the variance of the ability grows with omega^2, beyond that of the verdicts.
    """

    heterogeneity: Floats
    freedom: Floats
    gain: Floats
    share: Floats

    def likelihood(self) -> Floats:
        """Likelihood of every omega^2 for every essay, up to a factor of the essay, (n, K)."""
        is_seen = (self.freedom > 0.0) & (self.gain > _NOTHING)
        freedom = np.where(is_seen, self.freedom, 1.0)
        factor = 1.0 + np.where(is_seen, self.gain, 0.0)[:, None] / freedom[:, None] * _VARIANCES
        log = -0.5 * freedom[:, None] * np.log(factor) - 0.5 * self.heterogeneity[:, None] / factor
        likelihood: Floats = np.exp(log - log.max(axis=1, keepdims=True))
        return likelihood


def disagreement_variance(fit: Fit, comparisons: Comparisons) -> Floats:
    """Return what the judges' disagreement adds to the variance of every ability, logits^2, (n,).

    Parameters
    ----------
    fit : Fit
        Of these comparisons.
    comparisons : Comparisons
        The verdicts. Ties and lists tell nothing here.

    Returns
    -------
    (n,) ndarray
        0 where judges are unknown, or an essay has one judge.
    """
    if comparisons.judge is None or comparisons.n_judges == 1:
        return np.zeros(comparisons.n_essays)
    views = _compare_views(fit, comparisons, comparisons.judge)
    likelihood = views.likelihood()
    shares = _SEEN_BEFORE / _SEEN_BEFORE.sum()
    for _ in range(_TURNS):
        posterior = likelihood * shares
        posterior /= posterior.sum(axis=1, keepdims=True)
        shares = posterior.sum(axis=0) + _SEEN_BEFORE
        shares /= shares.sum()
    added: Floats = (posterior @ _VARIANCES) * views.share
    return added


def _compare_views(fit: Fit, comparisons: Comparisons, judge: Ints) -> _Views:
    n, n_judges = comparisons.n_essays, comparisons.n_judges
    latent = fit.judged_difference(comparisons)
    preferred = fit.outcomes.preference(latent, np.zeros_like(latent))
    preferred = (1.0 - _SLIPS) * preferred + 0.5 * _SLIPS
    scale, _ = fit.judged_scale(comparisons)
    rows = comparisons.list_rows
    counts = comparisons.outcome != 0
    if rows is not None:
        counts &= ~rows.is_listed
    residual = np.where(counts, scale * ((comparisons.outcome > 0) - preferred), 0.0)
    information = np.where(counts, scale**2 * preferred * (1.0 - preferred), 0.0)
    essays = np.concatenate([comparisons.first, comparisons.second])
    cell = essays * n_judges + np.tile(judge, 2)

    def add(values: Floats) -> Floats:
        summed: Floats = np.bincount(cell, values, n * n_judges).reshape(n, n_judges)
        return summed

    score = add(np.concatenate([residual, -residual]))
    summed_information = add(np.tile(information, 2))
    # of different verdicts of one judge: what a view that they share adds to their sum's variance
    common = np.maximum(summed_information**2 - add(np.tile(information**2, 2)), 0.0)
    total = np.maximum(summed_information.sum(axis=1), _NOTHING)
    inverse = np.divide(
        1.0,
        summed_information,
        out=np.zeros_like(summed_information),
        where=summed_information > 0.0,
    )
    return _Views(
        heterogeneity=np.maximum(
            (score**2 * inverse).sum(axis=1) - score.sum(axis=1) ** 2 / total, 0.0
        ),
        freedom=np.maximum((summed_information > 0.0).sum(axis=1) - 1.0, 0.0),
        gain=np.maximum((common * (inverse - 1.0 / total[:, None])).sum(axis=1), 0.0),
        share=common.sum(axis=1) / total**2,
    )


def widen_divided(fit: Fit, comparisons: Comparisons) -> Fit:
    """Return a fit whose uncertainty allows for the judges' disagreement about single essays.

    Parameters
    ----------
    fit : Fit
        Of these comparisons.
    comparisons : Comparisons
        The verdicts of a jury.

    Returns
    -------
    Fit
        The same abilities with larger standard errors; `fit` itself where nothing is added.
    """
    added = disagreement_variance(fit, comparisons)
    if not added.any():
        return fit
    information = widen(fit._information, added)  # noqa: SLF001 - the same fit with another one
    spread = None if fit.spread is None else _widen_spread(fit.spread, fit.ability, added)
    return replace(fit, spread=spread, _information=information)


def _widen_spread(spread: Spread, reported: Floats, added: Floats) -> Spread:
    return replace(spread, nodes=tuple(_widen_node(node, reported, added) for node in spread.nodes))


def _widen_node(node: Node, reported: Floats, added: Floats) -> Node:
    n = len(added)
    # of a diagonal matrix in the sum-to-zero gauge
    own = added * (1.0 - 2.0 / n) + added.sum() / n**2
    length = float(np.sqrt(reported @ reported))
    direction = reported / length if length > 0.0 else np.zeros(n)
    along = float(direction**2 @ added)
    across = node.across + float(own.sum()) - along
    stretch = across / node.across if node.across > 0.0 else 1.0
    covariance = node.covariance
    return replace(
        node,
        along_variance=node.along_variance + along,
        across=across,
        across_variance=node.across_variance * stretch**2,
        mean_variance=node.mean_variance + float(own.mean()),
        variance=node.variance + own,
        covariance=None if covariance is None else covariance + centre_covariance(np.diag(added)),
    )
