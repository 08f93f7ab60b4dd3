"""Where the verdicts disagree with the fit: essays, judges, circular triads and reversed orders.

A result holds infit and outfit. `three_cycles` and `order_inconsistency` are for research only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring._fit.result import Fit
    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons


@dataclass(frozen=True, eq=False)
class Misfit:
    """Mean squares of the residuals of each essay, or of each judge.

    1 is what the model expects; above 1 the verdicts are noisier than it says, below 1 more
    regular. Under adaptive pairing probabilities stay near one half and both lose power.

    Attributes
    ----------
    n : (g,) array of int
        Comparisons of each essay or judge, a list counted once. For the deviates the pairs of a
        list count less than one each, as their residuals depend on each other.
    infit : (g,) array
        Sum of squared residuals over the sum of their variances (information-weighted).
    outfit : (g,) array
        Mean squared standardised residual, sensitive to single surprising verdicts.
    infit_z, outfit_z : (g,) arrays
        The same as approximate standard Normal deviates (Wilson & Hilferty's cube root, Wright
        & Masters 1982); above 2 is a usual flag.

    All are 1 (deviates 0) for an essay or judge without comparisons.
    """

    n: Ints
    infit: Floats
    outfit: Floats
    infit_z: Floats
    outfit_z: Floats


@dataclass(frozen=True, slots=True)
class ThreeCycles:
    """Circular triads: A over B, B over C, C over A.

    Attributes
    ----------
    triads : int
        Triples of comparisons that form a triangle, ties left out.
    observed : int
        How many of them are circular.
    expected : float
        How many the fitted model expects.
    expected_by_chance : float
        How many a coin would give: a quarter.
    z : float
        (observed - expected) over the standard deviation in verdicts simulated from the fit; 0
        when that does not vary.
    """

    triads: int
    observed: int
    expected: float
    expected_by_chance: float
    z: float


@dataclass(frozen=True, slots=True)
class OrderInconsistency:
    """Pairs that one judge compared in both orders.

    Attributes
    ----------
    pairs : int
        Ordered-both-ways pairs of verdicts, ties left out.
    inconsistent : int
        How many preferred a position instead of an essay.
    expected : float
        How many the fitted model, its order effect included, expects of independent verdicts.
    toward_first : int
        How many of the inconsistent ones preferred the first position.
    """

    pairs: int
    inconsistent: int
    expected: float
    toward_first: int


def standardised_residuals(fit: Fit, comparisons: Comparisons) -> Floats:
    """Return (outcome - expected) / standard deviation of each comparison.

    Positive when the essay shown first did better than the fit expects.

    Parameters
    ----------
    fit : Fit
        Abilities and observation model.
    comparisons : Comparisons
        The verdicts, usually those that were fitted.

    Returns
    -------
    (m,) ndarray of float
    """
    mean, variance, _ = _moments(fit, comparisons)
    residuals: Floats = (comparisons.outcome - mean) / np.sqrt(variance)
    return residuals


def essay_misfit(fit: Fit, comparisons: Comparisons) -> Misfit:
    """Return infit and outfit of every essay.

    Parameters
    ----------
    fit : Fit
        Abilities and observation model.
    comparisons : Comparisons
        The verdicts, usually those that were fitted.

    Returns
    -------
    Misfit
        For the n essays.
    """
    groups = np.concatenate([comparisons.first, comparisons.second])
    return _misfit(fit, comparisons, groups, 2, comparisons.n_essays)


def judge_misfit(fit: Fit, comparisons: Comparisons) -> Misfit:
    """Return infit and outfit of every judge (of all together when judges are unknown).

    Parameters
    ----------
    fit : Fit
        Abilities and observation model.
    comparisons : Comparisons
        The verdicts, usually those that were fitted.

    Returns
    -------
    Misfit
        For the judges.
    """
    judge = comparisons.judge
    groups = np.zeros(len(comparisons), dtype=np.int64) if judge is None else judge
    return _misfit(fit, comparisons, groups, 1, comparisons.n_judges)


def three_cycles(
    fit: Fit, comparisons: Comparisons, *, rng: np.random.Generator, replicates: int = 200
) -> ThreeCycles:
    """Count circular triads and compare with what the fit expects (Kendall & Smith 1940).

    Every triple of single comparisons counts, so repeated pairs weigh by their number.

    Parameters
    ----------
    fit : Fit
        Abilities and observation model.
    comparisons : Comparisons
        The verdicts, usually those that were fitted.
    rng : numpy.random.Generator
        Draws the simulated verdicts.
    replicates : int
        Number of simulations.

    Returns
    -------
    ThreeCycles
    """
    has_winner = comparisons.outcome != 0
    i, k = comparisons.first[has_winner], comparisons.second[has_winner]
    n = comparisons.n_essays
    p = _preference_probability(fit, comparisons)[has_winner]
    won = comparisons.outcome[has_winner] > 0
    met = _wins(n, i, k, np.ones(len(i))) + _wins(n, k, i, np.ones(len(i)))
    triads = round(_triangles(met) / 2.0)
    expected_wins = _wins(n, i, k, p) + _wins(n, k, i, 1.0 - p)
    draws = np.array(
        [_circles(n, i, k, rng.random(len(p)) < p) for _ in range(replicates)], dtype=np.float64
    )
    observed = _circles(n, i, k, won)
    expected = _triangles(expected_wins)
    sd = float(draws.std(ddof=1)) if replicates > 1 else 0.0
    return ThreeCycles(
        triads, observed, expected, triads / 4.0, (observed - expected) / sd if sd > 0.0 else 0.0
    )


def order_inconsistency(fit: Fit, comparisons: Comparisons) -> OrderInconsistency:
    """Compare verdicts on the same pair by the same judge shown in both orders.

    Parameters
    ----------
    fit : Fit
        Abilities and observation model.
    comparisons : Comparisons
        The verdicts, usually those that were fitted.

    Returns
    -------
    OrderInconsistency

    Raises
    ------
    InvalidSettingError
        If the shown order was not recorded.
    """
    if not comparisons.order_known:
        raise InvalidSettingError("comparisons", "the shown order was not recorded")
    both = _find_both_orders(fit, comparisons)
    toward_first = sum(there[0] and back[0] for there, back in both)
    toward_second = sum(not there[0] and not back[0] for there, back in both)
    expected = sum(a[1] * b[1] + (1 - a[1]) * (1 - b[1]) for a, b in both)
    return OrderInconsistency(
        pairs=len(both),
        inconsistent=toward_first + toward_second,
        expected=float(expected),
        toward_first=toward_first,
    )


def _find_both_orders(
    fit: Fit, comparisons: Comparisons
) -> list[tuple[tuple[bool, float], tuple[bool, float]]]:
    """Pairs of verdicts of one judge on one pair in both orders: first preferred, and P of it."""
    c = comparisons
    judge = np.zeros(len(c), dtype=np.int64) if c.judge is None else c.judge
    p_first = _preference_probability(fit, c)
    shown: dict[tuple[int, int, int], list[tuple[bool, float]]] = {}
    columns = (judge.tolist(), c.first.tolist(), c.second.tolist(), c.outcome.tolist())
    for j, i, k, outcome, p in zip(*columns, p_first.tolist(), strict=True):
        if outcome:
            shown.setdefault((j, i, k), []).append((outcome > 0, p))
    return [
        (there, back)
        for (j, i, k), forward in shown.items()
        if i < k
        for there in forward
        for back in shown.get((j, k, i), [])
    ]


def _moments(fit: Fit, comparisons: Comparisons) -> tuple[Floats, Floats, Floats]:
    """Moments of each outcome; a tie counts as the middle where the fit has no tie outcome."""
    delta = fit.judged_difference(comparisons)
    mean, variance, fourth = fit.outcomes.moments(delta)
    rows = comparisons.list_rows
    if rows is not None:
        judge = np.zeros(len(delta), np.int64) if comparisons.judge is None else comparisons.judge
        for known in fit.list_judging:
            own = (rows.size == known.size) & (judge == known.judge)
            mean[own], variance[own], fourth[own] = known.outcomes.moments(delta[own])
    return mean, variance, fourth


def _preference_probability(fit: Fit, comparisons: Comparisons) -> Floats:
    delta = fit.judged_difference(comparisons)
    return fit.outcomes.preference(delta, np.zeros_like(delta))


def _misfit(fit: Fit, comparisons: Comparisons, groups: Ints, copies: int, size: int) -> Misfit:
    """Compute mean squares of residuals by group.

    Parameters
    ----------
    fit : Fit
        What predicts the verdicts.
    comparisons : Comparisons
        m verdicts.
    groups : (copies m,) array of int
        Group of each verdict, for every copy of them.
    copies : int
        In how many groups each verdict is.
    size : int
        Number of groups.

    Returns
    -------
    Misfit
        Arrays of (size,).
    """
    mean, variance, fourth = _moments(fit, comparisons)
    squared = (comparisons.outcome - mean) ** 2
    rows = comparisons.list_rows
    worth = np.ones(len(mean)) if rows is None else rows.weight_of_squares

    def total(values: Floats) -> Floats:
        summed: Floats = np.bincount(groups, np.tile(values * worth, copies), size)
        return summed

    n = np.bincount(groups, minlength=size)
    weight = total(variance)
    some = n > 0
    worths = total(np.ones(len(mean)))
    safe_n, safe_weight = np.where(some, worths, 1.0), np.where(some, weight, 1.0)
    if rows is not None:
        own = np.where(rows.is_listed, rows.share_of_list, 1.0)
        counted = own if copies == 1 else rows.share_of_reading
        n = np.rint(np.bincount(groups, np.tile(counted, copies), size)).astype(np.int64)
    infit = np.where(some, total(squared) / safe_weight, 1.0)
    outfit = np.where(some, total(squared / variance) / safe_n, 1.0)
    infit_sd = np.sqrt(total(fourth - variance**2)) / safe_weight
    outfit_sd = np.sqrt(total(fourth / variance**2 - 1.0)) / safe_n
    return Misfit(n, infit, outfit, _cube_root_z(infit, infit_sd), _cube_root_z(outfit, outfit_sd))


def _cube_root_z(mean_square: Floats, sd: Floats) -> Floats:
    """Turn a mean square with expectation 1 into a Normal deviate (0 when it cannot vary)."""
    safe = np.where(sd > 0.0, sd, 1.0)
    return np.where(sd > 0.0, (np.cbrt(mean_square) - 1.0) * 3.0 / safe + safe / 3.0, 0.0)


def _wins(n: int, winner: Ints, loser: Ints, weight: Floats) -> Floats:
    counted: Floats = np.bincount(winner * n + loser, weight, n * n).reshape(n, n)
    return counted


def _triangles(wins: Floats) -> float:
    """Return the number of directed triangles, trace(W^3) / 3."""
    return float(((wins @ wins) * wins.T).sum() / 3.0)


def _circles(n: int, first: Ints, second: Ints, first_won: Floats) -> int:
    winner, loser = np.where(first_won, first, second), np.where(first_won, second, first)
    return round(_triangles(_wins(n, winner, loser, np.ones(len(winner)))))
