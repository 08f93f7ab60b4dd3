"""What a fit says of judges in lists: sharpness beside that in pairs, places, gaps, lapses."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erfc, exp, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.judgings import RATIO_SD
from scoring._fit.linear import symmetric
from scoring._fit.order_effects import PlaceEffects
from scoring._fit.outcomes import Outcomes
from scoring._fit.reported import degree_shares, judged_outcomes, lapse_rates

if TYPE_CHECKING:
    from scoring._fit.judgings import Judgings
    from scoring._fit.model import Model
    from scoring._types import Floats

_Z95 = 1.959963984540054

EXPECTED_RATIO_SD = 0.35
"""Standard deviation of the log ratio over judges, around 0: 19 of 20 are within a factor of 2.

An assumption: no study is known that says how sharp models are in lists. A dozen verdicts on pairs
weigh as much.
"""


@dataclass(frozen=True, eq=False)
class ListJudging:
    """A judge in lists of one size.

    Attributes
    ----------
    judge, size : int
        The judge, and how many essays were shown together.
    n_lists : int
        Rankings by this judge.
    ratio : float
        Sharpness in these lists over that of the same judge in pairs: below 1 the judge is blunter.
        1 where it is not known.
    log_ratio_se : float
        Standard error of its logarithm; infinite where it is not known.
    is_ratio_known : bool
        Whether the judge judged pairs too, or lists of another size that stand for them.
    place_effects : (k,) array
        Advantage of each place in the shown order, logits; sums to zero.
    place_effects_se : (k,) array
        Standard errors, logits.
    lapse : float
        As in :class:`scoring.Fit`: the judge's in pairs and lists alike.
    degree_share : float
        As in :class:`scoring.Fit`, for these lists.
    outcomes : Outcomes
        The observation model of a pair of these lists.
    """

    judge: int
    size: int
    n_lists: int
    ratio: float
    log_ratio_se: float
    is_ratio_known: bool
    place_effects: Floats
    place_effects_se: Floats
    lapse: float
    degree_share: float
    outcomes: Outcomes = field(repr=False)

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """95% interval of the ratio; (0, inf) where it is not known."""
        if not self.is_ratio_known:
            return 0.0, float(np.inf)
        half = _Z95 * self.log_ratio_se
        return self.ratio * exp(-half), self.ratio * exp(half)

    def compute_cdf(
        self, ratio: float, *, expected: float = 1.0, expected_sd: float = EXPECTED_RATIO_SD
    ) -> float:
        """Return the probability that the ratio is below another.

        What the verdicts say beside what is expected of the judge: a Normal log ratio, around 0 and
        of :data:`EXPECTED_RATIO_SD` for any judge, in place of the vague prior of the estimate. So
        an early estimate from few pairs does not condemn a judge: with a vague prior one look in
        ten would, of a judge at that ratio, and every wave is a look.

        Parameters
        ----------
        ratio : float
            The other ratio.
        expected, expected_sd : float
            Median of the ratio before any verdict, and standard deviation of its logarithm.

        Returns
        -------
        float
            0 where the verdicts say nothing of the ratio.
        """
        if not self.is_ratio_known:
            return 0.0
        of_verdicts = max(self.log_ratio_se**-2 - RATIO_SD**-2, 0.0)
        precision = of_verdicts + expected_sd**-2
        # The estimate is the mean under the vague prior, which has its precision around 0 as well.
        known = log(self.ratio) * self.log_ratio_se**-2 + log(expected) * expected_sd**-2
        mean = known / precision
        deviate = (log(ratio) - mean) * sqrt(precision)
        return 0.5 * erfc(-deviate / sqrt(2.0))


def describe_lists(
    model: Model, x: Floats, lower: Floats, doubt: Floats | None
) -> tuple[ListJudging, ...]:
    """Return what is known of every judge in lists of every size.

    Parameters
    ----------
    model : Model
        The model that was fitted.
    x : (N,) array
        Its parameters.
    lower : (N, N) array
        Lower triangle of their covariance.
    doubt : (r, r) array or None
        Covariance of the log discriminations' coordinates; None where they were not estimated.
    """
    judgings = model.data.judgings
    if judgings is None:
        return ()
    kinds = range(judgings.n_judges, len(judgings.judge))
    return tuple(_describe(model, judgings, x, (lower, doubt), kind) for kind in kinds)


def _describe(
    model: Model,
    judgings: Judgings,
    x: Floats,
    uncertainty: tuple[Floats, Floats | None],
    kind: int,
) -> ListJudging:
    """Return what is known of one judge in lists of one size.

    Parameters
    ----------
    model : Model
        Objective and data.
    judgings : Judgings
        The kinds of verdicts, by judge and size of list.
    x : (N,) array
        All parameters.
    uncertainty : ((N, N) array, (r, r) array or None)
        Lower triangle of the covariance of all parameters; covariance of the log discriminations'
        coordinates, None where they were not estimated.
    kind : int
        Which kind of verdicts.

    Returns
    -------
    ListJudging
    """
    lower, doubt = uncertainty
    shape = x[model.shape_at]
    size = int(judgings.size[kind])
    ratio, error = _log_ratio(model, judgings, x, doubt, kind)
    is_known = bool(np.isfinite(error))
    effects, effects_se = _places(model, x, lower, kind - judgings.n_judges, size)
    has_degree = bool(judgings.rows.has_degree[judgings.kind == kind].all())
    return ListJudging(
        judge=int(judgings.judge[kind]),
        size=size,
        n_lists=int(judgings.n_lists[kind]),
        ratio=float(np.exp(ratio)),
        log_ratio_se=error,
        is_ratio_known=is_known,
        place_effects=effects,
        place_effects_se=effects_se,
        lapse=float(lapse_rates(model, shape, 0.0)[kind]),
        degree_share=float(degree_shares(model, shape)[kind]),
        outcomes=judged_outcomes(model, shape, kind, has_degree=has_degree),
    )


def _log_ratio(
    model: Model, judgings: Judgings, x: Floats, doubt: Floats | None, kind: int
) -> tuple[float, float]:
    """Log ratio and its standard error, infinite where it was not estimated."""
    if not model.n_ratios or doubt is None or not judgings.is_compared[kind]:
        return 0.0, float(np.inf)
    at = int(judgings.is_compared[:kind].sum()) - model.n_ratios
    return float(x[at]), float(np.sqrt(doubt[at, at]))


def _places(
    model: Model, x: Floats, lower: Floats, number: int, size: int
) -> tuple[Floats, Floats]:
    """Effects of places around their mean, with standard errors."""
    if not isinstance(model.order, PlaceEffects):
        return np.zeros(size), np.zeros(size)
    own = model.order.lists[number]
    at = slice(model.n + own.start, model.n + own.stop)
    effects = x[at] - x[at].mean()
    covariance = symmetric(lower[at, at])
    variance = covariance.diagonal() - 2.0 * covariance.mean(axis=0) + covariance.mean()
    return effects, np.sqrt(np.maximum(variance, 0.0))
