"""Misfit of essays and judges, circular triads, and verdicts that follow the position."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.misfit import (
    essay_misfit,
    judge_misfit,
    order_inconsistency,
    standardised_residuals,
    three_cycles,
)
from scoring.simulate import CoinFlipJudge, LogisticJudge, PositionOnlyJudge, random_matchings

# nmmBtm README: see test_golden_judges for the decisions
OUTFIT = [0.2832907, 1.0249959, 0.6388080, 0.7273256, 3.6950837, 1.0218883, 0.3789122, 4.1464650]
INFIT = [0.5234000, 0.9997418, 0.8528773, 0.7835082, 0.9933821, 1.1319734, 0.6238115, 1.2546210]
JUDGE_INFIT = [0.5473409, 0.5349529, 1.5866191]


def test_published_infit_and_outfit(nmm_demo):
    result = fit(nmm_demo, estimator="epsilon")
    essays = essay_misfit(result, nmm_demo)
    assert essays.infit == pytest.approx(INFIT, abs=1e-4)
    assert essays.outfit == pytest.approx(OUTFIT, abs=1e-3)
    judges = judge_misfit(result, nmm_demo)
    assert judges.infit == pytest.approx(JUDGE_INFIT, abs=1e-4)
    assert judges.n.tolist() == [27, 27, 27]
    assert judges.infit_z.argmax() == 2


def simulate_class(judge_of, n=30, rounds=20, seed=3):
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 1.5, n)
    first, second = random_matchings(n, rounds, rng)
    outcome = judge_of(ability).judge(first, second, rng)
    return Comparisons(n, first, second, outcome), rng


@pytest.mark.parametrize("cuts", [(), (1.0, 2.5)])
def test_verdicts_that_follow_the_model_fit(cuts):
    data, _ = simulate_class(lambda a: LogisticJudge(a, cuts), rounds=40)
    result = fit(data, estimator="map")
    misfit = essay_misfit(result, data)
    assert abs(misfit.infit.mean() - 1) < 0.1
    assert (np.abs(misfit.infit_z) > 2).mean() < 0.15
    residuals = standardised_residuals(result, data)
    assert abs(residuals.std() - 1) < 0.1


def test_a_judge_of_coins_among_good_ones_misfits():
    data, rng = simulate_class(LogisticJudge, rounds=30)
    judge = rng.integers(0, 3, len(data))
    outcome = data.outcome.copy()
    coins = judge == 2
    outcome[coins] = CoinFlipJudge().judge(data.first[coins], data.second[coins], rng)
    mixed = Comparisons(30, data.first, data.second, outcome, judge)
    misfit = judge_misfit(fit(mixed, estimator="map"), mixed)
    assert misfit.infit.argmax() == 2
    assert misfit.infit_z[2] > 2 > misfit.infit_z[:2].max()


def test_an_essay_never_compared_fits():
    data = Comparisons(3, [0, 0], [1, 1], [1, -1])
    misfit = essay_misfit(fit(data, estimator="map"), data)
    assert misfit.n.tolist() == [2, 2, 0]
    assert misfit.infit[2] == misfit.outfit[2] == 1
    assert misfit.infit_z[2] == 0


def test_three_cycles_of_one_circle_and_one_line():
    first, second = [0, 1, 2, 0, 0, 1], [1, 2, 0, 3, 3, 3]
    data = Comparisons(4, first, second, [1, 1, 1, 1, 1, 1])
    counted = three_cycles(fit(data, estimator="map"), data, rng=np.random.default_rng(0))
    # triangles 0-1-2 once, 0-1-3 twice (0-3 was compared twice)
    assert counted.triads == 3
    assert counted.observed == 1
    assert counted.expected_by_chance == 0.75


def test_three_cycles_of_a_coin_exceed_those_of_a_reader():
    rng = np.random.default_rng(4)
    low, high = np.triu_indices(20, 1)
    ability = rng.normal(0, 2, 20)
    rate = {}
    for name, judge in (("reader", LogisticJudge(ability)), ("coin", CoinFlipJudge())):
        data = Comparisons(20, low, high, judge.judge(low, high, rng))
        counted = three_cycles(fit(data, estimator="map"), data, rng=rng)
        assert counted.triads == 20 * 19 * 18 // 6
        assert abs(counted.z) < 4
        rate[name] = counted.observed / counted.expected_by_chance
    assert rate["reader"] < 0.6
    assert rate["coin"] > 0.85


def test_order_inconsistency_of_a_position_only_judge():
    first, second = random_matchings(12, 2, np.random.default_rng(2))
    both = np.concatenate([first, second]), np.concatenate([second, first])
    outcome = PositionOnlyJudge().judge(*both, np.random.default_rng(0))
    data = Comparisons(12, *both, outcome, np.zeros(len(outcome), dtype=int))
    seen = order_inconsistency(fit(data, estimator="map"), data)
    assert seen.inconsistent == seen.toward_first == seen.pairs >= 12
    assert seen.expected > 0.5 * seen.pairs


def test_order_inconsistency_needs_the_order():
    data = Comparisons.from_winners(2, [0, 1], [1, 0])
    with pytest.raises(ValueError, match="order"):
        order_inconsistency(fit(data, estimator="map"), data)
