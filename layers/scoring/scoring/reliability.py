"""Reliability of the abilities: what share of their variance is not error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring._fit.spread_estimate import reduce_gaussian
from scoring.bradley_terry import fit as fit_abilities
from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from scoring._fit.result import Fit
    from scoring._fit.spread_estimate import Node
    from scoring._types import Floats
    from scoring.comparisons import Comparisons


_PAIR = 2
_QUANTILES = 61
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class ScaleSeparation:
    """The three formulas that go by the name of scale separation reliability (SSR).

    None of them is valid for adaptively paired comparisons unless the estimates are shrunk with
    the right prior; `scoring.null_replay` shows what they claim of a coin.

    Attributes
    ----------
    formula_a : float
        1 - MSE / V: sirt, d-pac, ComparativeJudgement.jl. For maximum likelihood estimates.
    formula_b : float
        G^2 / (1 + G^2) with G^2 = V / MSE, thus 1 / (2 - A): Kinnear, Jones & Davies (2025).
    formula_c : float
        V / (V + mean posterior variance): the reading for posterior means, whose variance has
        lost what the posterior variance holds. Numerically B.
    separation : float
        G, the ratio of the abilities' standard deviation to their root mean square error.
    """

    formula_a: float
    formula_b: float
    formula_c: float
    separation: float


@dataclass(frozen=True, eq=False)
class SplitHalf:
    """Agreement of the abilities from two halves of the comparisons.

    Attributes
    ----------
    correlations : (splits,) array
        Pearson correlation of the two halves, per random split.
    correlation : float
        Their mean.
    spearman_brown : float
        2 r / (1 + r): the reliability of the whole.
    """

    correlations: Floats
    correlation: float
    spearman_brown: float


@dataclass(frozen=True, slots=True)
class RealisedReliability:
    """Reliability of one set of abilities, with its interval.

    Attributes
    ----------
    value : float
        Posterior mean of the squared correlation between the reported and the true abilities of
        these essays.
    low, high : float
        Limits of its central interval.
    level : float
        Posterior probability of the interval.
    """

    value: float
    low: float
    high: float
    level: float


def realised_reliability(fit: Fit, *, level: float = 0.9) -> RealisedReliability:
    r"""Return the posterior of the squared correlation of reported and true abilities.

    Split the true abilities into the part along the reported ones and the rest. Under each
    Gaussian of the fit the first, :math:`a`, is Normal; the squared length of the rest, :math:`R`,
    is close to a multiple of a chi-square with its mean and variance (Satterthwaite 1946,
    Biometrics Bulletin 2:110). The squared correlation is :math:`a^2 / (a^2 + R)`; its distribution
    is tabulated on a grid of quantiles of both and mixed over the spreads of abilities.

    Parameters
    ----------
    fit : Fit
        With a prior on the abilities; best of ``estimator="variational"``.
    level : float, default 0.9
        Posterior probability of the interval.

    Returns
    -------
    RealisedReliability
        Value and interval, between 0 and 1.

    Raises
    ------
    InvalidSettingError
        If the fit has no prior, or the level is not inside (0, 1).
    """
    values, weights = _squared_correlations(fit)
    return _summarise(values, weights, level)


def forecast_reliability(
    fit: Fit, further: Sequence[float], *, level: float = 0.9
) -> list[RealisedReliability]:
    """Forecast the reliability after further comparisons of the same kind.

    Every value of the posterior of :func:`realised_reliability` is stepped up by the formula of
    Spearman (1910) and Brown (1910), with the ratio of comparisons per essay as the factor of
    length: information about an essay grows in proportion to its comparisons.

    Parameters
    ----------
    fit : Fit
        With a prior on the abilities.
    further : sequence of float
        Further comparisons per essay, at least 0.
    level : float, default 0.9
        Posterior probability of the intervals.

    Returns
    -------
    list of RealisedReliability
        One for each entry of ``further``.

    Raises
    ------
    InvalidSettingError
        If the fit has no prior, or an entry is negative.
    """
    if any(not extra >= 0.0 for extra in further):
        raise InvalidSettingError("further", f"must be at least 0, got {list(further)}")
    values, weights = _squared_correlations(fit)
    n_so_far = max(float(fit.n_comparisons.mean()), 1.0)
    forecasts = []
    for extra in further:
        factor = (n_so_far + extra) / n_so_far
        stepped = factor * values / (1.0 + (factor - 1.0) * values)  # rises with values
        forecasts.append(_summarise(stepped, weights, level))
    return forecasts


def _summarise(values: Floats, weights: Floats, level: float) -> RealisedReliability:
    """Mean and central interval of rising values with their probabilities."""
    if not 0.0 < level < 1.0:
        raise InvalidSettingError("level", f"must be inside (0, 1), got {level}")
    reached = np.cumsum(weights)
    tail = (1.0 - level) / 2.0
    low, high = np.interp([tail, 1.0 - tail], reached, values)
    value = float(np.clip(weights @ values, low, high))
    return RealisedReliability(value, float(low), float(high), level)


def _nodes(fit: Fit) -> tuple[Node, ...]:
    if fit.spread is not None:
        return fit.spread.nodes
    if fit.prior_sd is None:
        raise InvalidSettingError("fit", f"{fit.estimator!r} has no prior; use 'variational'")
    log_sd = float(np.log(fit.prior_sd))
    return (reduce_gaussian(fit.ability, fit.covariance, fit.ability, 1.0, log_sd),)


def _squared_correlations(fit: Fit) -> tuple[Floats, Floats]:
    """Values of the squared correlation in rising order, and their probabilities.

    The correlation of two essays is 1 or -1, so its square says nothing. They get the share of the
    prior variance, sd^2 / 2 in the sum-to-zero gauge, that the comparisons removed: one value for
    each node.

    Parameters
    ----------
    fit : Fit
        With a prior.

    Returns
    -------
    values, weights : (nodes * q * q,) array
        Of two essays, (nodes,).
    """
    nodes = _nodes(fit)
    if fit.ability.size == _PAIR:
        prior = [np.exp(2.0 * node.log_sd) / _PAIR for node in nodes]
        removed = [1.0 - node.mean_variance / p for node, p in zip(nodes, prior, strict=True)]
        return _sort(np.clip(removed, 0.0, 1.0), np.array([node.weight for node in nodes]))
    z = _normal_quantiles()
    values, weights = [], []
    for node in nodes:
        along = node.along + np.sqrt(node.along_variance) * z
        freedom = max(2.0 * node.across**2, _NOTHING) / max(node.across_variance, _NOTHING)
        # Wilson and Hilferty (1931): the cube root of a chi-square is nearly Normal.
        part = 2.0 / (9.0 * freedom)
        across = node.across * np.maximum(1.0 - part + np.sqrt(part) * z, 0.0) ** 3
        squared = along[:, None] ** 2
        total = squared + across[None, :]
        values.append(np.divide(squared, total, out=np.zeros_like(total), where=total > 0.0))
        weights.append(np.full(total.size, node.weight / total.size))
    return _sort(np.concatenate([v.ravel() for v in values]), np.concatenate(weights))


def _sort(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(values)
    return values[order], weights[order]


@cache
def _normal_quantiles() -> Floats:
    """Normal quantiles of equal probability, (q,)."""
    normal = NormalDist()
    shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return np.array([normal.inv_cdf(float(share)) for share in shares])


def model_reliability(fit: Fit) -> float:
    r"""Return the reliability that the model itself claims.

    The posterior mean of the squared correlation between reported and true abilities
    (:func:`realised_reliability`) where the fit has a posterior of it. Otherwise, with the prior
    standard deviation fixed, :math:`1 - \overline{se^2} / (prior\_sd^2 (1 - 1/n))`: the share of
    the prior variance of abilities that sum to zero which the comparisons have removed. Whether
    the judge follows the model at all is for :func:`scoring.audit.prequential_audit` to say.

    Parameters
    ----------
    fit : Fit
        A fit with a prior on the abilities.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InvalidSettingError
        If the fit has no prior.
    """
    if fit.spread is not None:
        return realised_reliability(fit).value
    if fit.prior_sd is None:
        raise InvalidSettingError(
            "fit", f"model reliability needs a prior; {fit.estimator!r} has none, use map"
        )
    left = float(np.mean(fit.standard_error**2)) / fit.prior_sd**2
    return max(0.0, 1.0 - left / (1.0 - 1.0 / len(fit.ability)))


def standardised_error(fit: Fit) -> float:
    r"""Return the standard error of abilities in standard deviations of abilities.

    The root of the mean of :math:`\overline{v} / sd^2` over the spreads of abilities, v being the
    variance of an ability: the inverse of the separation index (Wright & Masters 1982), and nearly
    :math:`\sqrt{1 - reliability}`. Unlike a standard error in logits it does not depend on the unit
    of the scale, the judges' noise, which further verdicts may shorten or lengthen.

    Parameters
    ----------
    fit : Fit
        With a prior on the abilities.

    Returns
    -------
    float
        1 - 1/n or less where nothing is known, towards 0.

    Raises
    ------
    InvalidSettingError
        If the fit has no prior.
    """
    shares = [node.weight * node.mean_variance * np.exp(-2.0 * node.log_sd) for node in _nodes(fit)]
    return float(np.sqrt(sum(shares)))


def scale_separation(
    ability: ArrayLike, standard_error: ArrayLike, *, ddof: int = 1
) -> ScaleSeparation:
    """Return the classical scale separation reliability in its three formulas.

    Parameters
    ----------
    ability : (n,) array_like
        Estimates, logits.
    standard_error : (n,) array_like
        Their standard errors, logits: ``Fit.standard_error``, or ``Fit.diagonal_standard_error``
        to repeat published figures.
    ddof : int, default 1
        Divisor n - ddof of the variance of the abilities (d-pac uses 0).

    Raises
    ------
    InvalidSettingError
        If the arrays do not match, hold fewer than two essays or infinite values, or the
        abilities do not vary.
    """
    theta = np.asarray(ability, dtype=np.float64)
    se = np.asarray(standard_error, dtype=np.float64)
    if theta.ndim != 1 or theta.shape != se.shape or len(theta) <= 1:
        raise InvalidSettingError(
            "standard_error", f"expected two equal columns, got {theta.shape} and {se.shape}"
        )
    if not (np.isfinite(theta).all() and np.isfinite(se).all()):
        raise InvalidSettingError(
            "standard_error", "every essay needs a finite ability and standard error"
        )
    variance, error = float(theta.var(ddof=ddof)), float(np.mean(se**2))
    if variance == 0.0:
        raise InvalidSettingError("ability", "all abilities are equal: nothing is separated")
    b = variance / (variance + error)
    g = float(np.sqrt(variance / error)) if error > 0.0 else np.inf
    return ScaleSeparation(1.0 - error / variance, b, b, g)


def split_half(
    comparisons: Comparisons,
    *,
    rng: np.random.Generator,
    splits: int = 20,
    **settings: Any,  # noqa: ANN401 - those of `fit`
) -> SplitHalf:
    """Correlate abilities fitted to random halves of the comparisons.

    All comparisons of one pair go to the same half, so that a judge who repeats a verdict does
    not agree with itself.

    Parameters
    ----------
    comparisons : Comparisons
        At least two different pairs.
    rng : numpy.random.Generator
        Draws the halves.
    splits : int, default 20
        Number of random splits.
    **settings : Any
        Passed to :func:`scoring.fit`; without an estimator among them it is the quick ``map``,
        whose abilities are in the same order.

    Raises
    ------
    InvalidSettingError
        If there is only one pair.
    """
    settings = {"estimator": "map", **settings}
    low = np.minimum(comparisons.first, comparisons.second)
    high = np.maximum(comparisons.first, comparisons.second)
    key = low * comparisons.n_essays + high
    if comparisons.list_rows is not None:
        # the pairs of one list go to one half together
        number = comparisons.list_rows.number
        key = np.where(number >= 0, number + comparisons.n_essays**2, key)
    _, pair = np.unique(key, return_inverse=True)
    n_pairs = int(pair.max()) + 1
    if n_pairs <= 1:
        raise InvalidSettingError("comparisons", "one pair cannot be split into halves")
    correlations = np.empty(splits)
    for s in range(splits):
        in_first = np.zeros(n_pairs, dtype=bool)
        in_first[rng.permutation(n_pairs)[: n_pairs // 2]] = True
        halves = [comparisons.take(in_first[pair]), comparisons.take(~in_first[pair])]
        one, two = (fit_abilities(half, **settings).ability for half in halves)
        correlations[s] = _correlation(one, two)
    mean = float(correlations.mean())
    return SplitHalf(correlations, mean, 2.0 * mean / (1.0 + mean) if mean > -1.0 else -1.0)


def _correlation(one: Floats, two: Floats) -> float:
    """Return Pearson's correlation, 0 when either side is constant."""
    x, y = one - one.mean(), two - two.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0.0 else 0.0
