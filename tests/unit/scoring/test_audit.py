"""The audit of the judge: its figures, its intervals, and its verdict on coins and positions."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.audit import evidence_against_chance, prequential_audit
from scoring.errors import InvalidComparisonError, InvalidSettingError
from scoring.simulate import (
    CoinFlipJudge,
    LogisticJudge,
    PositionOnlyJudge,
    random_matchings,
)


def test_figures_by_hand():
    audit = prequential_audit([0.8, 0.8, 0.4, 0.5], [1, 0, 0, 0.5])
    assert audit.n == 4
    assert audit.agreement == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    losses = [np.log(0.8), np.log(0.2), np.log(0.6), np.log(0.5)]
    assert audit.log_loss == pytest.approx(-np.mean(losses))
    assert audit.log_loss_interval[0] < audit.log_loss < audit.log_loss_interval[1]
    # Wilson's interval for 2.5 of 4
    assert audit.agreement_interval == pytest.approx((0.2194, 0.9081), abs=1e-4)


def test_nothing_audited_knows_nothing():
    audit = prequential_audit([], [])
    assert (audit.n, audit.at_chance, audit.agreement) == (0, False, 0.5)
    assert audit.agreement_interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("predicted", "preferred"), [([0.5, 0.5], [1, 0]), ([0.9], [1]), ([0.3, 0.8, 0.1], [1, 1, 1])]
)
def test_figures_are_never_nan(predicted, preferred):
    audit = prequential_audit(predicted, preferred)
    figures = [audit.agreement, audit.log_loss, audit.slope, audit.chance_z]
    figures += [*audit.agreement_interval, *audit.log_loss_interval, *audit.slope_interval]
    assert not np.isnan(figures).any()


def test_certain_predictions_that_fail_cost_a_finite_loss():
    assert np.isfinite(prequential_audit([1.0, 0.0], [0, 1]).log_loss)


@pytest.mark.parametrize(
    ("predicted", "preferred", "field", "row"),
    [
        ([0.5, 1.2], [1, 0], "predicted", 1),
        ([0.5, np.nan], [1, 0], "predicted", 1),
        ([0.5, 0.5], [1, 0.3], "preferred", 1),
        ([0.5], [1, 0], "preferred", None),
    ],
)
def test_malformed_input_names_the_row(predicted, preferred, field, row):
    with pytest.raises(InvalidComparisonError) as caught:
        prequential_audit(predicted, preferred)
    assert (caught.value.field, caught.value.row) == (field, row)


def test_slope_is_half_when_predictions_are_twice_too_confident():
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 1.5, 4000)
    preferred = rng.random(4000) < 1 / (1 + np.exp(-logit))
    audit = prequential_audit(1 / (1 + np.exp(-2 * logit)), preferred.astype(float))
    assert audit.slope == pytest.approx(0.5, abs=0.06)
    assert audit.slope_interval[0] < 0.5 < audit.slope_interval[1] < 1


def test_always_preferring_one_position_agrees_with_no_prediction():
    rng = np.random.default_rng(1)
    assert prequential_audit(rng.uniform(size=500), np.ones(500)).chance_z == 0.0


def judge_rounds(judge, rounds=12, n=40, seed=0):
    rng = np.random.default_rng(seed)
    first, second = random_matchings(n, rounds, rng)
    return Comparisons(n, first, second, judge.judge(first, second, rng))


@pytest.mark.parametrize("judge", [CoinFlipJudge(), PositionOnlyJudge(), PositionOnlyJudge(False)])
def test_evidence_favours_chance_for_judges_who_do_not_read(judge):
    assert evidence_against_chance(judge_rounds(judge)) < 0


@pytest.mark.parametrize("cuts", [(), (1.0, 2.5)])
def test_evidence_favours_reading_for_a_judge_of_seventy_percent(cuts):
    ability = np.random.default_rng(5).normal(0, 0.85, 40)
    assert evidence_against_chance(judge_rounds(LogisticJudge(ability, cuts), rounds=24)) > np.log(
        100
    )


def test_evidence_on_two_essays_is_the_exact_integral():
    # P(k wins of m) under theta_1 - theta_2 ~ N(0, 2 sd^2), by quadrature
    wins, losses, sd = 9, 3, 1.0
    data = Comparisons(2, [0] * 12, [1] * 12, [1] * wins + [-1] * losses)
    got = evidence_against_chance(data, prior_sds=[sd], order_effect=False)
    grid = np.linspace(-12, 12, 20001)
    density = np.exp(-(grid**2) / (4 * sd**2)) / np.sqrt(4 * np.pi * sd**2)
    likelihood = (1 + np.exp(-grid)) ** -wins * (1 + np.exp(grid)) ** -losses
    exact = np.log((density * likelihood).sum() * (grid[1] - grid[0])) - 12 * np.log(0.5)
    # the remaining difference is Laplace's method
    assert got == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize(
    ("evidence", "at_chance"), [(None, False), (10.0, False), (-4.6, False), (-4.7, True)]
)
def test_only_evidence_for_a_coin_calls_a_judge_at_chance(evidence, at_chance):
    # Predictions that failed are no such evidence.
    audit = prequential_audit([0.9] * 40, [0] * 40, log_bayes_factor=evidence)
    assert audit.at_chance is at_chance


def test_few_verdicts_never_speak_for_a_coin():
    assert evidence_against_chance(judge_rounds(CoinFlipJudge(), rounds=4, n=12)) > np.log(1 / 100)


def test_many_coins_speak_for_a_coin():
    assert evidence_against_chance(judge_rounds(CoinFlipJudge(), rounds=30, n=60)) < np.log(1 / 100)


def test_evidence_needs_a_prior():
    result = fit(judge_rounds(CoinFlipJudge()), estimator="firth")
    with pytest.raises(InvalidSettingError, match="prior"):
        _ = result.log_evidence
