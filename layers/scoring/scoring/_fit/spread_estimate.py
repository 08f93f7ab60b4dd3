"""The standard deviation of abilities: its prior, and what the verdicts say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring._types import Floats

# Of more essays sd is so well known that one covariance is enough.
_MOST_KEPT = 300


@dataclass(frozen=True, slots=True)
class SpreadPrior:
    """A log-normal prior of the standard deviation of abilities.

    Attributes
    ----------
    median : float
        Its median, logits. Spreads of real judging by people lie between .6 and 3.6 (90% of 57
        public sessions, half of them below 1.4), that of a sharp model at 6.
    log_sd : float
        Standard deviation of the logarithm: 1.2 says that two of three classes lie within a
        factor of 3.3 of the median; earlier batches of an assignment allow .2.
    """

    median: float = 1.2
    log_sd: float = 1.2

    def __post_init__(self) -> None:
        for name in ("median", "log_sd"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InvalidSettingError(
                    "prior_sd", f"{name} must be positive and finite, got {value}"
                )

    def log_density(self, log_sd: Floats) -> Floats:
        """Log density of log sd, up to a constant."""
        density: Floats = -0.5 * ((log_sd - np.log(self.median)) / self.log_sd) ** 2
        return density


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One Gaussian of the mixture over sd, reduced to what is asked of it.

    Attributes
    ----------
    log_sd : float
        Its log sd.
    weight : float
        Its share of the mixture.
    along, along_variance : float
        Mean and variance of the true abilities' component along the reported ones, logits.
    across, across_variance : float
        Mean and variance of the squared length of the rest, logits^2.
    mean_variance : float
        Mean variance of an ability, sum-to-zero gauge, logits^2.
    ability, variance : (n,) arrays
        Mean and variance of every ability, sum-to-zero gauge, logits and logits^2.
    covariance : (n, n) array or None
        Covariance of the abilities, logits^2; None of more than 300 essays.
    """

    log_sd: float
    weight: float
    along: float
    along_variance: float
    across: float
    across_variance: float
    mean_variance: float
    ability: Floats
    variance: Floats
    covariance: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What is known of the standard deviation of abilities.

    Attributes
    ----------
    mean_log, sd_log : float
        Posterior mean and standard deviation of log sd; sd_log is 0 where sd was assumed.
    measured_log, measured_precision : float
        Maximum of a parabola through the likelihood alone, without the prior of sd, and its
        curvature: what a later batch may learn from this one. The precision is 0 where the
        verdicts bound the spread on one side only, or where sd was assumed.
    nodes : tuple of Node
        The mixture.
    prior : SpreadPrior or None
        The prior of sd; None where sd was assumed.
    """

    mean_log: float
    sd_log: float
    measured_log: float
    measured_precision: float
    nodes: tuple[Node, ...]
    prior: SpreadPrior | None

    @property
    def median(self) -> float:
        """The posterior's geometric mean of sd, logits."""
        return float(np.exp(self.mean_log))

    def interval(self, z: float = 1.959963984540054) -> tuple[float, float]:
        """Interval of sd, Normal on the log scale, logits."""
        low, high = self.mean_log - z * self.sd_log, self.mean_log + z * self.sd_log
        return float(np.exp(low)), float(np.exp(high))


def reduce_gaussian(
    mean: Floats, covariance: Floats, reported: Floats, weight: float, log_sd: float
) -> Node:
    """Reduce a Gaussian to the moments that the realised reliability depends on.

    Parameters
    ----------
    mean : (n,) array
        Means of the abilities, logits.
    covariance : (n, n) array
        Their covariance in the sum-to-zero gauge, logits^2.
    reported : (n,) array
        The abilities that are reported; they sum to zero.
    weight, log_sd : float
        Of the node.
    """
    n = len(reported)
    mean = mean - mean.mean()
    length = float(np.sqrt(reported @ reported))
    direction = reported / length if length > 0.0 else np.zeros(n)
    image = covariance @ direction
    along = float(direction @ mean)
    own = float(direction @ image)
    rest = mean - along * direction
    trace = float(covariance.diagonal().sum())
    squares = float(np.einsum("ij,ij->", covariance, covariance))
    left = max(squares - 2.0 * float(image @ image) + own**2, 0.0)
    return Node(
        log_sd=log_sd,
        weight=weight,
        along=along,
        along_variance=max(own, 0.0),
        across=float(rest @ rest) + max(trace - own, 0.0),
        across_variance=2.0 * left + 4.0 * float(rest @ covariance @ rest),
        mean_variance=trace / n,
        ability=mean,
        variance=covariance.diagonal().copy(),
        covariance=covariance if n <= _MOST_KEPT else None,
    )
