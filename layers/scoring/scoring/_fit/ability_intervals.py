"""Intervals of abilities: quantiles of a mixture over the spread of abilities and their unit.

How far abilities lie apart is known as a factor: the posterior of log sd is nearly Normal, and all
abilities stretch with it. An ability's posterior is then skewed away from zero, the more the fewer
the verdicts. The interval that reaches 1.96 standard deviations to both sides of the mean is too
long on the inner side and too short on the outer one; quantiles of the mixture are not.

Another factor is the unit. A logit is the noise of a judge's verdicts. Preferences about single
pairs that no scale explains (cyclic ones, say) look like noise where a pair is judged once. They
make the unit larger than the noise alone: by sqrt(1 + s^2 / 3.29), where s^2 is their variance and
3.29 that of the logistic. The verdicts do not tell s. It is 0 with probability one half; otherwise
the logarithm of the factor is half-Normal. An interval holds the ability in the unit of the noise
alone with the probability that this gives. Order, ranks, grades and reliability do not depend on
the unit.

A third is how often a judge answers at random. Few verdicts do not tell, so that the abilities of
a judge who never does are stretched too far, and those of one who often does too little: what is
missed of the first lies on the inner side, of the second on the outer side. Of the probability
outside an interval more is therefore left on the inner side than on the outer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring._types import Floats

# Scale of the half-Normal where the spread of abilities is known, a median s^2 of 2, and the doubt
# of the spread's logarithm that halves the scale. Both were chosen in simulated worlds.
_UNIT_DOUBT, _HALVED_AT = 0.35, 0.2
_UNITS = 5
# By which part of a tail the inner one is larger and the outer one smaller: this for every unit of
# the doubt of the spread's logarithm, and at most that. Both were chosen in simulated worlds.
_OUTWARD, _MOST_OUTWARD = 0.8, 0.4
_REACH = 9.0
_HALVINGS = 50


def unit_doubt(sd_log: float) -> float:
    """Return the scale of the half-Normal prior of the log of the unit.

    Where the spread of abilities is hardly known intervals are so wide that they hold the ability
    in any such unit, and the more that is known of it, the more the unit matters. An independent
    doubt of both would make intervals of few verdicts hold 98 to 99%.

    Parameters
    ----------
    sd_log : float
        Posterior standard deviation of the log of the spread of abilities.
    """
    return _UNIT_DOUBT / (1.0 + (sd_log / _HALVED_AT) ** 2)


def outward_share(sd_log: float) -> float:
    """Return the part of an outer tail that an interval leaves to the inner one.

    Parameters
    ----------
    sd_log : float
        Posterior standard deviation of the log of the spread of abilities. Where it is small the
        verdicts are many, and tell how often the judge answers at random.

    Returns
    -------
    float
        0 where the spread is known, at most .4.
    """
    return min(_OUTWARD * sd_log, _MOST_OUTWARD)


@dataclass(frozen=True, slots=True)
class Posterior:
    """Every ability's posterior as a mixture of Normals.

    Attributes
    ----------
    weight : (K,) array
        Shares of the parts; they sum to 1.
    mean, variance : (K, n) arrays
        Logits and logits^2.
    """

    weight: Floats
    mean: Floats
    variance: Floats

    def stretch(self, doubt: float) -> Posterior:
        """Return the posterior in the unit of the noise alone.

        Parameters
        ----------
        doubt : float
            Scale of the half-Normal of the logarithm of the unit; 0 leaves the unit as it is.
        """
        if doubt == 0.0:
            return self
        # Half of the probability as it is, the rest in parts of equal size, each at its median.
        shares = (np.arange(_UNITS) + 0.5) / _UNITS
        standard = NormalDist()
        logs = [0.0, *(doubt * standard.inv_cdf(0.5 + 0.5 * share) for share in shares)]
        factor = np.exp(logs)
        share = np.repeat([0.5, 0.5 / _UNITS], [1, _UNITS])
        return Posterior(
            np.outer(share, self.weight).ravel(),
            np.concatenate([f * self.mean for f in factor]),
            np.concatenate([f**2 * self.variance for f in factor]),
        )

    def interval(self, level: float, outward: float = 0.0) -> Floats:
        """Return an interval of every ability, logits, (n, 2).

        Parameters
        ----------
        level : float
            Posterior probability of each interval.
        outward : float, default 0
            Part of the outer tail, 0 to 1, that is left to the inner one where it is certain on
            which side of the mean an ability lies. Less is left where it is not. 0 makes intervals
            central.

        Raises
        ------
        InvalidSettingError
            If the level is not inside (0, 1).
        """
        if not 0.0 < level < 1.0:
            raise InvalidSettingError("level", f"must be inside (0, 1), got {level}")
        tail = 0.5 * (1.0 - level)
        if len(self.weight) == 1 and outward == 0.0:
            half = NormalDist().inv_cdf(1.0 - tail) * np.sqrt(self.variance[0])
            return np.stack([self.mean[0] - half, self.mean[0] + half], axis=1)
        shift = outward * tail * self._side() if outward else np.zeros(self.mean.shape[1])
        limits = [self._quantile(tail + shift), self._quantile(1.0 - tail + shift)]
        return np.stack(limits, axis=1)

    def _side(self) -> Floats:
        """Return how certain it is that an ability lies above the mean, -1 to 1, (n,)."""
        from scipy.special import ndtr  # lazily: it brings scipy.linalg; waves need no intervals

        mean = self.weight @ self.mean
        variance = self.weight @ (self.variance + (self.mean - mean) ** 2)
        certainty: Floats = 2.0 * ndtr(mean / np.sqrt(variance + np.finfo(np.float64).tiny)) - 1.0
        return certainty

    def _quantile(self, probability: Floats) -> Floats:
        """Find every ability's quantile of its own probability by bisection, (n,)."""
        from scipy.special import ndtr  # lazily: it brings scipy.linalg; waves need no intervals

        sd = np.sqrt(self.variance)
        low, high = (self.mean - _REACH * sd).min(axis=0), (self.mean + _REACH * sd).max(axis=0)
        sd = np.maximum(sd, np.finfo(np.float64).tiny)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            is_below = self.weight @ ndtr((middle - self.mean) / sd) < probability
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        quantile: Floats = 0.5 * (low + high)
        return quantile
