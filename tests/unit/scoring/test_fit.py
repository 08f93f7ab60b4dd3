"""The joint fit: what it estimates, its invariances, and its behaviour at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.audit import prequential_audit
from scoring.reliability import model_reliability
from scoring.simulate import LogisticJudge, random_matchings


def simulated(seed=0, n=40, rounds=12, judges=None, **judge):
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 2, n)
    first, second = random_matchings(n, rounds, rng)
    outcome = LogisticJudge(ability, **judge).judge(first, second, rng)
    who = None if judges is None else rng.integers(0, judges, len(first))
    return ability, Comparisons(n, first, second, outcome, who)


def test_two_essays_seven_to_three():
    # log(7/3) = .8472979, SE .6900656: BradleyTerry2 on 7 wins to 3
    data = Comparisons(2, [0] * 10, [1] * 10, [1] * 7 + [-1] * 3)
    result = fit(data, estimator="mle", order_effect=False)
    difference, error = result.difference(0, 1)
    assert difference == pytest.approx(0.8472979, abs=1e-7)
    assert error == pytest.approx(0.6900656, abs=1e-7)
    assert result.ability == pytest.approx([0.4236489, -0.4236489], abs=1e-7)
    assert result.standard_error == pytest.approx([0.3450328] * 2, abs=1e-7)


def test_swapping_all_shown_orders_flips_only_the_order_effect():
    _, data = simulated(order_effect=0.4, cut_points=(1.0, 2.5))
    forward, backward = fit(data), fit(data.reversed_order())
    assert backward.ability == pytest.approx(forward.ability, abs=1e-9)
    assert backward.standard_error == pytest.approx(forward.standard_error, abs=1e-9)
    assert backward.cut_points == pytest.approx(forward.cut_points, abs=1e-9)
    assert backward.order_effect == pytest.approx(-forward.order_effect, abs=1e-9)
    assert forward.order_effect[0] > 0.1


def test_order_effect_works_on_three_comparisons():
    result = fit(Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 1, 1]))
    assert np.isfinite(result.standard_error).all()
    assert 0 < result.order_effect[0] < 2
    assert 0 < result.order_effect_se[0] < 1


def test_abilities_and_covariance_sum_to_zero():
    _, data = simulated()
    result = fit(data)
    assert result.ability.sum() == pytest.approx(0, abs=1e-9)
    assert np.abs(result.covariance.sum(axis=0)).max() < 1e-9
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(result.standard_error)
    i, k = 3, 17
    v = result.covariance
    assert result.difference(i, k)[1] == pytest.approx(np.sqrt(v[i, i] + v[k, k] - 2 * v[i, k]))
    assert result.difference(k, i)[0] == -result.difference(i, k)[0]
    assert result.difference(i, i) == (0.0, 0.0)


def test_a_warm_start_changes_nothing():
    _, data = simulated()
    cold = fit(data)
    warm = fit(data, start=cold)
    assert warm.ability == pytest.approx(cold.ability, abs=1e-9)
    assert warm.iterations < cold.iterations


def test_prediction_without_a_judge_ignores_the_order_effect():
    _, data = simulated(order_effect=0.8)
    result = fit(data)
    forward = result.predict([0, 1], [2, 3])
    assert forward + result.predict([2, 3], [0, 1]) == pytest.approx([1.0, 1.0])
    assert (result.predict([0, 1], [2, 3], [0, 0]) > forward).all()


def test_reliability_grows_with_evidence():
    few, many = (model_reliability(fit(simulated(rounds=r)[1])) for r in (3, 24))
    assert 0 < few < many < 1


def test_audit_tells_a_judge_from_a_coin():
    rng = np.random.default_rng(1)
    predicted = rng.uniform(0.1, 0.9, 400)
    good = prequential_audit(predicted, (rng.random(400) < predicted).astype(float))
    coin = prequential_audit(predicted, rng.integers(0, 2, 400).astype(float))
    assert not good.at_chance
    assert coin.at_chance
    assert good.slope_interval[0] < 1 < good.slope_interval[1]
    assert coin.slope_interval[0] < 0 < coin.slope_interval[1]
    assert good.log_loss < np.log(2) < coin.log_loss
    assert good.agreement > coin.agreement_interval[1]
