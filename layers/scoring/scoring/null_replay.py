"""What a schedule makes of a judge who knows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.bradley_terry import fit as fit_abilities
from scoring.comparisons import Comparisons
from scoring.errors import InvalidSettingError
from scoring.reliability import scale_separation, split_half
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


def null_judge_replay(
    n_essays: int,
    planner: Planner,
    *,
    waves: int,
    rng: np.random.Generator,
    runs: int = 20,
    judge: Judge | None = None,
    **settings: Any,  # noqa: ANN401 - those of `fit`
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
    **settings : Any
        Passed to :func:`scoring.fit`; without an estimator among them it is the quick ``map``.
    """
    settings = {"estimator": "map", **settings}
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
