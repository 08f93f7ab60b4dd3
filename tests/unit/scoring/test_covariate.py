"""Regression of ability on a covariate: simulated verdicts with a known slope."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, Fit, fit
from scoring.covariate import MOST_ESSAYS, CovariateEffect, regress_ability
from scoring.errors import InvalidSettingError
from tests.present import present


def fit_rounds(rng: np.random.Generator, ability: np.ndarray, *, rounds: int) -> Fit:
    orders = [rng.permutation(len(ability)) for _ in range(rounds)]
    first = np.concatenate([order[: len(order) // 2] for order in orders])
    second = np.concatenate([order[len(order) // 2 :] for order in orders])
    margin = ability[first] - ability[second] + rng.logistic(size=len(first))
    outcome = np.where(margin > 0, 1, -1) * (1 + (np.abs(margin) > 1) + (np.abs(margin) > 2.5))
    return fit(
        Comparisons(len(ability), first, second, outcome), estimator="variational", prior_sd=2.0
    )


def regress(scores: Fit, covariate: np.ndarray) -> CovariateEffect:
    (effect,) = regress_ability(scores, [covariate])
    return present(effect)


def regress_simulated(seed: int, *, slope: float, rest: float, n: int = 40) -> CovariateEffect:
    rng = np.random.default_rng([7, seed])
    x = rng.normal(size=n)
    return regress(fit_rounds(rng, slope * x + rest * rng.normal(size=n), rounds=12), x)


def test_slope_and_rest_are_those_of_the_simulation() -> None:
    effects = [regress_simulated(seed, slope=1.2, rest=1.6) for seed in range(12)]
    assert np.mean([e.slope for e in effects]) == pytest.approx(1.2, abs=0.25)
    assert np.mean([e.residual_sd for e in effects]) == pytest.approx(1.6, abs=0.25)
    assert sum(e.slope_interval[0] <= 1.2 <= e.slope_interval[1] for e in effects) >= 10
    assert sum(e.residual_interval[0] <= 1.6 <= e.residual_interval[1] for e in effects) >= 10
    assert all(e.explained_interval[0] < e.explained < e.explained_interval[1] for e in effects)
    assert not any(e.explains_all for e in effects)


def test_a_judge_who_counts_is_found_out() -> None:
    effects = [regress_simulated(seed, slope=2.0, rest=0.0) for seed in range(6)]
    assert sum(e.explains_all for e in effects) >= 5
    assert min(e.explained for e in effects) > 0.8


def test_what_explains_nothing_is_not_said_to_explain_all() -> None:
    effects = [regress_simulated(seed, slope=0.0, rest=2.0) for seed in range(6)]
    assert not any(e.explains_all for e in effects)
    assert max(e.explained for e in effects) < 0.3


def test_unit_and_origin_of_the_covariate_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=20)
    scores = fit_rounds(rng, 1.5 * x, rounds=8)
    one, two = (present(effect) for effect in regress_ability(scores, [x, 100 + 10 * x]))
    assert two.slope == pytest.approx(one.slope / 10)
    assert two.explained == pytest.approx(one.explained)
    assert two.residual_sd == pytest.approx(one.residual_sd)


def test_of_very_many_essays_a_share_is_regressed() -> None:
    n = MOST_ESSAYS + 200
    rng = np.random.default_rng(2)
    x = rng.normal(size=n)
    effect = regress(fit_rounds(rng, 1.5 * x, rounds=4), x)
    assert effect.slope == pytest.approx(1.5, abs=0.4)


def test_what_cannot_be_regressed_is_refused() -> None:
    rng = np.random.default_rng(0)
    assert regress_ability(fit_rounds(rng, rng.normal(size=6), rounds=4), [np.ones(6)]) == [None]
    with pytest.raises(InvalidSettingError):
        regress_ability(fit_rounds(rng, rng.normal(size=2), rounds=4), [np.arange(2.0)])
