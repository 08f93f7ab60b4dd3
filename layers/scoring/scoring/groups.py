"""Groups of essays: differences of ability, and judges who favour a group.

**Differences.** The abilities of a group are N(its mean, sd^2). The means are estimated from the
verdicts directly (latent regression; Mislevy, Psychometrika 49, 1984), not from the essays'
abilities, which their common prior pulls together. With posterior means m and covariance C under
the common prior N(0, sd^2), and X the membership of essays in groups, the means have

    precision X'X / sd^2 - X'C X / sd^4,   precision * mean = X'm / sd^2.

The interval is of the difference between the groups that the essays come from.

**Judges.** Judge j gives the essays of group g a bonus d_jg: margin = a_j (ability of the first
+ bonus - ability of the second - bonus) + b_j. This is differential functioning in a logistic model
(Swaminathan & Rogers, Journal of Educational Measurement 27, 1990), the interaction of judge and
group in many-facet models (Linacre 1989). Bonuses sum to zero over judges: what all judges share
is ability, and no statistic of their verdicts tells it from favour. One judge alone shows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.observations import weigh_evidence
from scoring.batch_fit import covering_prior_sd
from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring import Comparisons, Fit
    from scoring._types import Floats, Ints

# Standard deviation of a bonus beforehand, logits: a bonus of 2 would be seen by anybody.
_BONUS_SD = 1.0
# Precision that ties the judges' bonuses to a sum of zero.
_TIED = 1e6
_STEPS = 25
_CONVERGED = 1e-8


@dataclass(frozen=True)
class Contrast:
    """A group against all other groups, each essay counting alike.

    Attributes
    ----------
    estimate, standard_error : (K,) ndarray of float
        Logits, of each group.
    """

    estimate: Floats
    standard_error: Floats


def group_differences(fit: Fit, group: Ints, *, compared: int) -> Contrast:
    """Estimate how far the mean ability of each group is from that of the others.

    Parameters
    ----------
    fit : Fit
        Of n essays, at one spread of abilities.
    group : (n,) ndarray of int
        Group of each essay, 0 .. K-1. Groups from `compared` on (anchors, say) have means of their
        own and are compared with none.
    compared : int
        Groups to compare, at least 2, each with an essay.

    Returns
    -------
    Contrast
        Of the first `compared` groups.

    Raises
    ------
    InvalidSettingError
        The fit has no prior, or there are fewer than two groups.
    """
    if fit.prior_sd is None or compared <= 1:
        raise InvalidSettingError("group", "needs a fit with a prior, and two groups or more")
    n = len(group)
    variance = covering_prior_sd(fit, np.arange(n)) ** 2
    member = _membership(group)
    posterior = fit.covariance + variance / n
    counts = member.sum(axis=0)
    precision = np.diag(counts) / variance - member.T @ posterior @ member / variance**2
    covariance = np.linalg.pinv(precision, hermitian=True, rcond=1e-9)
    mean = covariance @ (member.T @ fit.ability) / variance
    rows = _contrast_groups(counts, compared)
    spread = ((rows @ covariance) * rows).sum(axis=1)
    return Contrast(rows @ mean, np.sqrt(np.maximum(spread, 0.0)))


def judge_group_effects(
    fit: Fit, comparisons: Comparisons, group: Ints, *, compared: int
) -> tuple[Contrast, ...]:
    """Estimate the bonus of each judge for each group, relative to the mean judge.

    Abilities and bonuses are estimated together from the sides of the verdicts, by Newton's method;
    order effects and discriminations are those of the fit. Repeats of a pair weigh as in the fit
    (``comparisons.repeat_correlation``).

    Parameters
    ----------
    fit : Fit
        Of the same comparisons, with a prior.
    comparisons : Comparisons
        Of at least two judges.
    group : (n,) ndarray of int
        As in `group_differences`.
    compared : int
        As in `group_differences`.

    Returns
    -------
    tuple of Contrast
        One for each judge.

    Raises
    ------
    InvalidSettingError
        One judge alone, no prior, or fewer than two groups.
    """
    judge = comparisons.judge
    if judge is None or fit.prior_sd is None or compared <= 1 or judge.max() < 1:
        raise InvalidSettingError("group", "needs a prior, and two judges and groups or more")
    model = _Bonuses(fit, comparisons, group)
    covariance = model.estimate()
    rows = _contrast_groups(_membership(group).sum(axis=0), compared)
    contrasts = []
    for number in range(model.n_judges):
        at = slice(
            model.start + number * model.n_groups, model.start + (number + 1) * model.n_groups
        )
        spread = ((rows @ covariance[at, at]) * rows).sum(axis=1)
        contrasts.append(Contrast(rows @ model.x[at], np.sqrt(np.maximum(spread, 0.0))))
    return tuple(contrasts)


def count_mixed(comparisons: Comparisons, group: Ints, *, compared: int, n_judges: int) -> Ints:
    """Count each judge's verdicts on an essay of a group and one of another compared group.

    Parameters
    ----------
    comparisons : Comparisons
    group : (n,) ndarray of int
        Group of each essay; those from `compared` on are not compared.
    compared : int
        How many groups are compared.
    n_judges : int

    Returns
    -------
    (n_judges, compared) ndarray of int
    """
    one, two = group[comparisons.first], group[comparisons.second]
    mixed = (one != two) & (one < compared) & (two < compared)
    judge = np.zeros(len(one), np.int64) if comparisons.judge is None else comparisons.judge
    counts = np.zeros((n_judges, compared), dtype=np.int64)
    for side in (one, two):
        np.add.at(counts, (judge[mixed], side[mixed]), 1)
    return counts


def _membership(group: Ints) -> Floats:
    return np.eye(int(group.max()) + 1)[group]


def _contrast_groups(counts: Floats, compared: int) -> Floats:
    """Return rows that turn group means into each group less the essays of all others, (k, K)."""
    others = np.where(np.eye(compared, dtype=bool), 0.0, counts[:compared])
    rows = np.zeros((compared, len(counts)))
    rows[:, :compared] = np.eye(compared) - others / others.sum(axis=1, keepdims=True)
    return rows


class _Bonuses:
    """The logistic model of abilities (n,) and bonuses (judges * groups,) in one vector `x`."""

    def __init__(self, fit: Fit, comparisons: Comparisons, group: Ints) -> None:
        judge = np.asarray(comparisons.judge)
        self.n_judges, self.n_groups = int(judge.max()) + 1, int(group.max()) + 1
        self.start = len(group)
        first, second = comparisons.first, comparisons.second
        bonus = self.start + judge * self.n_groups
        self.columns = np.stack(
            [first, second, bonus + group[first], bonus + group[second]], axis=1
        )
        scale, self.offset = fit.judged_scale(comparisons)
        self.signs = np.array([1.0, -1.0, 1.0, -1.0]) * scale[:, None]
        self.preferred = (np.sign(comparisons.outcome) + 1.0) / 2.0
        weight = weigh_evidence(comparisons, "shared")
        self.weight = np.ones(len(first)) if weight is None else weight
        size = self.start + self.n_judges * self.n_groups
        self.x = np.concatenate([fit.ability, np.zeros(size - self.start)])
        self.prior = _prior_precision(
            fit.prior_sd or np.inf, self.start, self.n_judges, self.n_groups
        )

    def estimate(self) -> Floats:
        """Move `x` to the posterior mode; return the covariance there."""
        precision = self.prior
        for _ in range(_STEPS):
            slope, precision = self._derivatives()
            step = np.linalg.solve(precision, slope)
            self.x = self.x + step
            if np.abs(step).max() < _CONVERGED:
                break
        return np.linalg.inv(precision)

    def _derivatives(self) -> tuple[Floats, Floats]:
        margin = (self.signs * self.x[self.columns]).sum(axis=1) + self.offset
        chance = 1.0 / (1.0 + np.exp(-margin))
        slope = -self.prior @ self.x
        rest = self.weight * (self.preferred - chance)
        np.add.at(slope, self.columns, self.signs * rest[:, None])
        precision = self.prior.copy()
        information = self.weight * chance * (1.0 - chance)
        outer = self.signs[:, :, None] * self.signs[:, None, :] * information[:, None, None]
        np.add.at(precision, (self.columns[:, :, None], self.columns[:, None, :]), outer)
        return slope, precision


def _prior_precision(prior_sd: float, n_essays: int, n_judges: int, n_groups: int) -> Floats:
    bonus = np.eye(n_judges * n_groups) / _BONUS_SD**2
    bonus += _TIED * np.kron(np.ones((n_judges, n_judges)), np.eye(n_groups))
    size = n_essays + len(bonus)
    precision = np.zeros((size, size))
    precision[:n_essays, :n_essays] = np.eye(n_essays) / prior_sd**2
    precision[n_essays:, n_essays:] = bonus
    return precision
