"""Reliability of the abilities: what share of their variance is not error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.bradley_terry import fit as fit_abilities
from scoring.comparisons import Comparisons
from scoring.errors import InvalidSettingError
from scoring.simulate import CoinFlipJudge

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from scoring._fit.result import Fit
    from scoring._types import Floats, Ints
    from scoring.simulate import Judge

    type Planner = Callable[
        [Ints, Ints, Fit | None, np.random.Generator], tuple[ArrayLike, ArrayLike]
    ]


@dataclass(frozen=True, slots=True)
class ScaleSeparation:
    """The three formulas that go by the name of scale separation reliability (SSR).

    None of them is valid for adaptively paired comparisons unless the estimates are shrunk with
    the right prior; see :func:`null_judge_replay` for what they claim of a coin.

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


@dataclass(frozen=True, eq=False)
class NullReplay:
    """What the schedule makes of a judge who knows nothing.

    Attributes
    ----------
    separation : (runs,) array
        Formula A of each replay.
    split_half : (runs,) array
        Spearman-Brown split-half reliability of each replay, by the posterior mode, which
        exists for every half.
    """

    separation: Floats
    split_half: Floats


def model_reliability(fit: Fit) -> float:
    r"""Return the reliability that the model itself claims.

    :math:`1 - \overline{se^2} / prior\_sd^2`, the share of the prior variance that the
    comparisons have removed. It is right when the prior standard deviation is; whether the judge
    follows the model at all is for :func:`scoring.audit.prequential_audit` to say.

    Parameters
    ----------
    fit : Fit
        A fit with ``estimator="map"``.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InvalidSettingError
        If the fit has no prior.
    """
    if fit.prior_sd is None:
        raise InvalidSettingError(
            "fit", f"model reliability needs a prior; {fit.estimator!r} has none, use map"
        )
    return float(1.0 - np.mean(fit.standard_error**2) / fit.prior_sd**2)


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
    if theta.ndim != 1 or theta.shape != se.shape or len(theta) < 2:  # noqa: PLR2004
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
    **settings: Any,  # noqa: ANN401
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
    **settings
        Passed to :func:`scoring.fit`.

    Raises
    ------
    InvalidSettingError
        If there is only one pair.
    """
    low = np.minimum(comparisons.first, comparisons.second)
    high = np.maximum(comparisons.first, comparisons.second)
    _, pair = np.unique(low * comparisons.n_essays + high, return_inverse=True)
    n_pairs = int(pair.max()) + 1
    if n_pairs < 2:  # noqa: PLR2004
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


def null_judge_replay(
    n_essays: int,
    planner: Planner,
    *,
    waves: int,
    rng: np.random.Generator,
    runs: int = 20,
    judge: Judge | None = None,
    **settings: Any,  # noqa: ANN401
) -> NullReplay:
    """Run the schedule again with a judge who flips coins.

    Adaptive pairing makes agreement out of noise: essays that won early meet each other, and the
    scale stretches. The replay shows how much of an observed figure the schedule alone explains.

    Parameters
    ----------
    n_essays : int
        Number of essays.
    planner : callable
        ``planner(first, second, fit, rng) -> (first, second)``: the next wave given all pairs so
        far in shown order and the standing fit (None before the first wave).
    waves : int
        Number of waves.
    rng : numpy.random.Generator
        Draws the coins and serves the planner.
    runs : int, default 20
        Number of replays.
    judge : Judge, optional
        Another judge than a fair coin.
    **settings
        Passed to :func:`scoring.fit`.
    """
    coin = CoinFlipJudge() if judge is None else judge
    separation, halves = np.empty(runs), np.empty(runs)
    for run in range(runs):
        standing, comparisons = None, None
        first = second = outcome = np.empty(0, dtype=np.int64)
        for _ in range(waves):
            wave = planner(first, second, standing, rng)
            i, k = (np.asarray(column, dtype=np.int64) for column in wave)
            first, second = np.concatenate([first, i]), np.concatenate([second, k])
            outcome = np.concatenate([outcome, coin.judge(i, k, rng)])
            comparisons = Comparisons(n_essays, first, second, outcome)
            standing = fit_abilities(comparisons, start=standing, **settings)
        if standing is None or comparisons is None:
            raise InvalidSettingError("waves", "at least one wave is needed")
        separated = scale_separation(standing.ability, standing.standard_error)
        separation[run] = separated.formula_a
        halves[run] = split_half(comparisons, rng=rng, splits=1).spearman_brown
    return NullReplay(separation, halves)


def _correlation(one: Floats, two: Floats) -> float:
    """Return Pearson's correlation, 0 when either side is constant."""
    x, y = one - one.mean(), two - two.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0.0 else 0.0
