"""Reliability formulas against published values, split halves, and the replay with a coin."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.batch_fit import fit_batch
from scoring.errors import InvalidSettingError
from scoring.null_replay import null_judge_replay
from scoring.reliability import (
    model_reliability,
    scale_separation,
    split_half,
    standardised_error,
)
from scoring.simulate import CoinFlipJudge, LogisticJudge, random_matchings


def test_standardised_error_is_that_of_the_known_spread():
    judged = Comparisons(3, [0, 1, 0], [1, 2, 2], [1, 1, -1])
    fitted = fit(judged, prior_sd=1.7, estimator="variational")
    known = np.sqrt(np.mean(fitted.standard_error**2)) / 1.7
    assert standardised_error(fitted) == pytest.approx(known)
    with pytest.raises(InvalidSettingError, match="prior"):
        standardised_error(fit(judged, estimator="epsilon"))


def test_more_verdicts_of_a_sharp_judge_stretch_the_scale_but_not_the_standardised_error():
    rng = np.random.default_rng(14)
    judge = LogisticJudge(rng.normal(0.0, 4.0, 30))
    first, second = random_matchings(30, 12, rng)
    outcome = judge.judge(first, second, rng)
    fits = [
        fit_batch(Comparisons(30, first[:upto], second[:upto], outcome[:upto]))
        for upto in (60, 120, 180)
    ]
    errors = [standardised_error(each) for each in fits]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * errors[0]
    assert fits[1].standard_error.mean() > fits[0].standard_error.mean()


def two_essays(sd, rmse):
    return scale_separation([-sd / np.sqrt(2), sd / np.sqrt(2)], [rmse, rmse])


def test_formulas_of_d_pac():
    # d-pac.functions README
    assert two_essays(4, 2).formula_a == pytest.approx(0.75)
    published = two_essays(2.6246692913372702, 0.7615773105863908)
    assert published.formula_a == pytest.approx(0.9158064516129032, abs=1e-12)
    values = scale_separation([1, 2, 3, 5, 8], [4, 2, 0, 0.45, 3], ddof=0)
    assert values.formula_a == pytest.approx(0.05186688311688284, abs=1e-12)


def test_relation_of_the_formulas():
    result = scale_separation([-1.0, 0.2, 2.0, 0.5], [0.5, 0.4, 0.6, 0.5])
    assert result.formula_a == pytest.approx(2 - 1 / result.formula_b)
    assert result.formula_c == result.formula_b
    assert result.separation**2 / (1 + result.separation**2) == pytest.approx(result.formula_b)


def test_no_more_marking_demo(nmm_demo):
    published = fit(nmm_demo, estimator="epsilon")
    diagonal = scale_separation(published.ability, published.diagonal_standard_error)
    assert diagonal.formula_a == pytest.approx(0.80130694, abs=1e-5)
    assert diagonal.separation == pytest.approx(2.24341, abs=1e-4)
    full = scale_separation(published.ability, published.standard_error)
    assert full.formula_a == pytest.approx(0.8403395, abs=1e-5)
    likely = fit(nmm_demo, estimator="mle", repeats="independent")
    assert scale_separation(likely.ability, likely.standard_error).formula_a == pytest.approx(
        0.8495752, abs=1e-6
    )


@pytest.mark.parametrize(
    ("ability", "se"),
    [([1.0], [1.0]), ([1, 2], [1]), ([1, 2], [1, np.inf]), ([np.nan, 1], [1, 1]), ([1, 1], [1, 1])],
)
def test_separation_never_returns_a_nan(ability, se):
    with pytest.raises(InvalidSettingError):
        scale_separation(ability, se)


def simulate_class(judge_of, seed=0, n=40, rounds=16):
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 2, n)
    first, second = random_matchings(n, rounds, rng)
    return ability, Comparisons(n, first, second, judge_of(ability).judge(first, second, rng)), rng


def test_split_half_is_near_the_true_reliability():
    ability, data, rng = simulate_class(LogisticJudge)
    halves = split_half(data, rng=rng)
    truth = np.corrcoef(fit(data, estimator="map").ability, ability)[0, 1] ** 2
    assert halves.spearman_brown == pytest.approx(truth, abs=0.08)
    assert len(halves.correlations) == 20


def test_split_half_of_a_coin_is_nothing():
    _, data, rng = simulate_class(lambda _: CoinFlipJudge())
    assert abs(split_half(data, rng=rng).correlation) < 0.25


def test_split_half_keeps_repeats_of_a_pair_together():
    # one judge repeats two coin flips 50 times each: nothing is left to agree on
    data = Comparisons(4, [0] * 50 + [2] * 50, [1] * 50 + [3] * 50, [1] * 50 + [-1] * 50)
    assert split_half(data, rng=np.random.default_rng(0), splits=4).correlation < 1e-9


def test_one_pair_cannot_be_split():
    with pytest.raises(InvalidSettingError, match="one pair"):
        split_half(Comparisons(2, [0, 0], [1, 1], [1, -1]), rng=np.random.default_rng(0))


def neighbours(first, second, standing, rng):
    """Pair at random three times, then by the current order: how reliability is inflated."""
    n = 30
    if standing is None:
        return random_matchings(n, 3, rng)
    order = np.argsort(standing.ability + rng.normal(0, 1e-3, n))
    order = np.roll(order, len(first) // (n // 2) % 2)
    return order[::2], order[1::2]


@pytest.mark.slow
def test_adaptive_neighbours_make_reliability_out_of_coins():
    # a coin judged adaptively and fitted without a prior: published as .94 for sirt's estimator
    replay = null_judge_replay(
        30, neighbours, waves=9, rng=np.random.default_rng(0), runs=6, estimator="epsilon"
    )
    assert replay.separation.mean() > 0.7
    at_random = null_judge_replay(
        30,
        lambda _first, _second, _fit, rng: random_matchings(30, 11, rng),
        waves=1,
        rng=np.random.default_rng(0),
        runs=6,
        estimator="epsilon",
    )
    assert at_random.separation.mean() < 0.3


def test_model_reliability_needs_a_prior():
    _, data, _ = simulate_class(LogisticJudge)
    with pytest.raises(InvalidSettingError, match="prior"):
        model_reliability(fit(data, estimator="firth"))
