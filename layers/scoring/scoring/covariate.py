"""How far a figure of the texts, such as their length, explains their abilities.

theta_i = a + b x_i + u_i with u_i ~ N(0, s^2), estimated from the verdicts and not from the
abilities, which their common prior pulls together (latent regression; Mislevy, Psychometrika 49,
1984). With posterior mean m and covariance C under the common prior N(0, sd^2), the verdicts have

    precision L = C^-1 - I / sd^2,   L * estimate = C^-1 m,

and in the eigenvectors of L everything is in closed form for a given s. The slope and what is left
over are integrated over s on a grid, under a flat prior of s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.batch_fit import covering_prior_sd
from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring import Fit
    from scoring._types import Floats, Ints

MOST_ESSAYS = 1000
"""Of more essays so many are drawn, evenly: their eigenvectors would take too long."""

_GRID = 81
# The largest s on the grid, in units of the fit's spread.
_WIDEST = 3.0
_QUANTILES = np.array([0.025, 0.5, 0.975])
# Points of the slope's normal distribution at every s, for quantiles of what depends on both.
_NORMAL_POINTS = 41
_Z95 = 1.959963984540054
# Half of the chi-square distribution with one degree of freedom exceeds this with probability .05:
# s lies at the edge of its range when there is nothing to find (Self & Liang 1987).
_BEYOND_CHANCE = 2.705543
_LEAST_ESSAYS = 4


@dataclass(frozen=True)
class CovariateEffect:
    """Regression of ability on a covariate.

    Attributes
    ----------
    slope : float
        Logits for a unit of the covariate.
    slope_interval : tuple of float
        95% interval.
    explained : float
        Share of the abilities' variance that the covariate explains, the middle of its
        distribution.
    explained_interval : tuple of float
        95% interval.
    residual_sd : float
        Standard deviation of what it does not explain, logits, the middle of its distribution.
    residual_interval : tuple of float
        95% interval.
    has_rest : bool
        Whether the verdicts show, at 5%, that something is left over at all.
    """

    slope: float
    slope_interval: tuple[float, float]
    explained: float
    explained_interval: tuple[float, float]
    residual_sd: float
    residual_interval: tuple[float, float]
    has_rest: bool

    @property
    def explains_all(self) -> bool:
        """Whether the covariate matters for sure, and nothing is known to be left over."""
        low, high = self.slope_interval
        return (low > 0 or high < 0) and not self.has_rest


def regress_ability(fit: Fit, covariates: Sequence[Floats]) -> list[CovariateEffect | None]:
    """Regress abilities on covariates, on each alone, from the verdicts.

    Parameters
    ----------
    fit : Fit
        Of n essays, best at one spread of abilities.
    covariates : sequence of (n,) ndarray of float
        Of every essay.

    Returns
    -------
    list of CovariateEffect or None
        None for a covariate whose values are all equal.

    Raises
    ------
    InvalidSettingError
        The fit has no prior, or there are fewer than four essays.
    """
    n = len(fit.ability)
    if fit.prior_sd is None or n < _LEAST_ESSAYS:
        raise InvalidSettingError("fit", "needs a prior, and four essays")
    rows = np.arange(n)
    if n > MOST_ESSAYS:
        rows = np.linspace(0, n - 1, MOST_ESSAYS).astype(np.int64)
    likelihood = _Likelihood.from_fit(fit, rows)
    return [_regress(likelihood, covariate[rows]) for covariate in covariates]


def _regress(likelihood: _Likelihood, covariate: Floats) -> CovariateEffect | None:
    if float(np.ptp(covariate)) == 0.0:
        return None
    centred = covariate - covariate.mean()
    design = likelihood.rotate(np.column_stack([np.ones(len(centred)), centred]))
    return _summarise(likelihood, design, float(centred.var()))


@dataclass(frozen=True)
class _Likelihood:
    """The verdicts on abilities in the eigenvectors of their precision.

    `precision` (n,) are its eigenvalues, `pull` (n,) is precision * estimate, `vectors` (n, n) the
    eigenvectors; `widest` is the largest s to consider, logits.
    """

    precision: Floats
    pull: Floats
    vectors: Floats
    widest: float

    @classmethod
    def from_fit(cls, fit: Fit, rows: Ints) -> _Likelihood:
        """Divide the prior out of the fit; sum-to-zero abilities get their free mean back."""
        prior_sd = covering_prior_sd(fit, rows)
        posterior = fit.covariance[np.ix_(rows, rows)] + prior_sd**2 / len(fit.ability)
        variance, vectors = np.linalg.eigh(posterior)
        inverse = 1.0 / np.maximum(variance, 1e-12)
        return cls(
            precision=np.maximum(inverse - prior_sd**-2, 0.0),
            pull=inverse * (vectors.T @ fit.ability[rows]),
            vectors=vectors,
            widest=_WIDEST * prior_sd,
        )

    def rotate(self, design: Floats) -> Floats:
        """The design, a constant and a covariate, in the eigenvectors, (n, 2)."""
        rotated: Floats = self.vectors.T @ design
        return rotated

    def evaluate(self, sd: float, design: Floats) -> tuple[float, float, float, float]:
        """Profile and marginal log likelihood at s, and the slope with its standard error."""
        shrunk = 1.0 / (1.0 + sd**2 * self.precision)
        precision = (design.T * (self.precision * shrunk)) @ design
        pull = design.T @ (self.pull * shrunk)
        covariance = np.linalg.pinv(precision, hermitian=True, rcond=1e-10)
        mean = covariance @ pull
        profile = 0.5 * float(
            pull @ mean + (self.pull**2 * sd**2 * shrunk).sum() + np.log(shrunk).sum()
        )
        slope_variance = max(float(covariance[1, 1]), 1e-12)
        return profile, profile + 0.5 * np.log(slope_variance), float(mean[1]), slope_variance**0.5


def _summarise(likelihood: _Likelihood, design: Floats, variance: float) -> CovariateEffect:
    """Average the regression over the residual standard deviation.

    Parameters
    ----------
    likelihood : _Likelihood
        Of n abilities.
    design : (n, 2) array
        A constant and the centred covariate, in the likelihood's eigenvectors.
    variance : float
        Of the covariate, in its unit squared.

    Returns
    -------
    CovariateEffect
    """
    grid = np.linspace(0.0, likelihood.widest, _GRID)
    profile, marginal, slope, error = np.array(
        [likelihood.evaluate(float(sd), design) for sd in grid]
    ).T
    weight = np.exp(marginal - marginal.max())
    weight /= weight.sum()
    mean = float(weight @ slope)
    spread = float(np.sqrt(weight @ (error**2 + (slope - mean) ** 2)))
    explained = _find_explained_quantiles(grid, weight, slope, error, variance)
    residual = np.interp(_QUANTILES, np.cumsum(weight), grid)
    return CovariateEffect(
        slope=mean,
        slope_interval=(mean - _Z95 * spread, mean + _Z95 * spread),
        explained=float(explained[1]),
        explained_interval=(float(explained[0]), float(explained[2])),
        residual_sd=float(residual[1]),
        residual_interval=(float(residual[0]), float(residual[2])),
        has_rest=bool(2.0 * (profile.max() - profile[0]) > _BEYOND_CHANCE),
    )


def _find_explained_quantiles(
    grid: Floats, weight: Floats, slope: Floats, error: Floats, variance: float
) -> Floats:
    """Quantiles of b^2 var(x) / (b^2 var(x) + s^2), (3,)."""
    from scipy.special import ndtri

    points = ndtri((np.arange(_NORMAL_POINTS) + 0.5) / _NORMAL_POINTS)
    by_slope = (slope[:, None] + error[:, None] * points) ** 2 * variance
    shares = (by_slope / np.maximum(by_slope + grid[:, None] ** 2, 1e-12)).ravel()
    order = np.argsort(shares)
    cumulative = np.cumsum(np.repeat(weight / _NORMAL_POINTS, _NORMAL_POINTS)[order])
    quantiles: Floats = np.interp(_QUANTILES, cumulative, shares[order])
    return quantiles
