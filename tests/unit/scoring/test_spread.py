"""The spread of abilities integrated over: exact integrals, calibration, reliability."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy

from scoring import Comparisons, SpreadPrior, fit
from scoring._fit.ability_intervals import Posterior, outward_share
from scoring.errors import InvalidSettingError
from scoring.rank_intervals import rank_intervals
from scoring.ranks import competition_ranks
from scoring.reliability import forecast_reliability, model_reliability, realised_reliability
from scoring.simulate import CoinFlipJudge, LogisticJudge, random_matchings
from tests.present import present

PRIOR = SpreadPrior()


def simulate_class(n, rounds, sd, seed, cuts=()):
    rng = np.random.default_rng([seed, n, 500])
    ability = rng.normal(0.0, sd, n)
    first, second = random_matchings(n, rounds, rng)
    outcome = LogisticJudge(ability, cuts).judge(first, second, rng)
    return ability - ability.mean(), Comparisons(n, first, second, outcome)


def importance_weighted(data, prior, *, draws=20_000, seed=1):
    """Exact moments of log sd and of the abilities, by importance sampling from the fits."""
    rng = np.random.default_rng(seed)
    grid = np.linspace(np.log(0.1), np.log(20.0), 41)
    n, sign = data.n_essays, np.sign(data.outcome)
    log_evidence, means, squares = [], [], []
    for x in grid:
        sd = float(np.exp(x))
        fitted = fit(data, prior_sd=sd, estimator="variational", order_effect=False)
        root = np.linalg.cholesky(1.3 * fitted.covariance + 1.3 * sd**2 / n)
        z = rng.standard_normal((draws, n))
        drawn = fitted.ability + z @ root.T
        delta = sign * (drawn[:, data.first] - drawn[:, data.second])
        target = -np.logaddexp(0.0, -delta).sum(axis=1) - 0.5 * (drawn**2).sum(axis=1) / sd**2
        weight = target - n * x + 0.5 * (z**2).sum(axis=1) + np.log(root.diagonal()).sum()
        share = np.exp(weight - weight.max())
        log_evidence.append(weight.max() + np.log(share.mean()))
        drawn -= drawn.mean(axis=1, keepdims=True)
        means.append(share @ drawn / share.sum())
        squares.append(share @ drawn**2 / share.sum())
    density = np.array(log_evidence) + prior.log_density(grid)
    density = np.exp(density - density.max())
    density /= density.sum()
    mean = density @ np.array(means)
    return density @ grid, mean, np.sqrt(density @ np.array(squares) - mean**2)


@pytest.mark.slow
@pytest.mark.parametrize("sd", [0.7, 2.0])
def test_moments_are_those_of_the_exact_posterior(sd):
    _, data = simulate_class(10, 6, sd, seed=3)
    log_sd, mean, deviation = importance_weighted(data, PRIOR)
    fitted = fit(data, prior_sd=PRIOR, estimator="variational", order_effect=False)
    assert present(fitted.spread).mean_log == pytest.approx(log_sd, abs=0.12)
    assert (np.abs(fitted.ability - mean) < 0.25 * deviation).all()
    assert np.allclose(fitted.standard_error, deviation, rtol=0.16)


def test_the_spread_of_a_sharp_judges_few_verdicts_is_that_of_the_exact_posterior():
    """By the variational bound alone log sd is .2 too small here."""
    _, data = simulate_class(12, 4, 5.0, seed=3)
    log_sd, _, deviation = importance_weighted(data, PRIOR)
    fitted = fit(data, prior_sd=PRIOR, estimator="variational", order_effect=False)
    assert present(fitted.spread).mean_log == pytest.approx(log_sd, abs=0.1)
    assert np.allclose(fitted.standard_error, deviation, rtol=0.3)


@pytest.mark.parametrize(("sd", "wins"), [(2.0, 1), (4.0, 1), (4.0, 2), (6.0, 1), (6.0, 2)])
def test_reliability_has_the_variance_of_far_abilities_nearly_exactly(sd, wins):
    """Two essays, one better in every verdict: half of what the Gaussian lacks at least."""
    rows = np.zeros(wins, dtype=np.int64)
    fitted = fit(
        Comparisons(2, rows, rows + 1, rows + 1, rows),
        prior_sd=SpreadPrior(sd, 0.01),
        estimator="variational",
        repeats="independent",
        order_effect=False,
    )
    difference = np.linspace(-12.0 * sd, 12.0 * sd, 100_001)
    density = np.exp(-((difference / (2.0 * sd)) ** 2) - wins * np.logaddexp(0.0, -difference))
    density /= density.sum()
    exact = density @ difference**2 - (density @ difference) ** 2
    gaussian = 4.0 * fitted.standard_error[0] ** 2
    corrected = 2.0 * present(fitted.spread).nodes[0].along_variance
    assert 0.5 * (gaussian + exact) < corrected < exact


def test_reliability_of_a_jury_of_equal_judges_is_that_of_one():
    """Discriminations, which are then near 1, are part of every verdict's own correction."""
    _, data = simulate_class(20, 12, 5.0, 3)
    jury = replace(data, judge=np.arange(len(data)) % 2)
    by_two, by_one = (
        realised_reliability(
            fit(jury, prior_sd=PRIOR, estimator="variational", judges=judges)
        ).value
        for judges in ("discrimination", "pooled")
    )
    assert by_two == pytest.approx(by_one, abs=0.01)


@pytest.mark.parametrize("sd", [0.6, 1.2, 2.5, 5.0])
def test_the_spread_of_many_essays_is_found_whatever_the_prior_thought(sd):
    _, data = simulate_class(150, 14, sd, seed=4)
    for median in (1.0, 3.0):
        spread = fit(data, prior_sd=SpreadPrior(median, 1.0), estimator="variational").spread
        low, high = present(spread).interval()
        assert low < sd < high
        assert high / low < 2.2
        assert np.exp(present(spread).measured_log) == pytest.approx(sd, rel=0.3)


@pytest.mark.slow
def test_intervals_and_reliability_hold_at_any_spread():
    """Simulated: 24 essays, 10 comparisons each; spreads that the prior was not tuned on."""
    for sd in (0.8, 1.7, 3.5):
        hits, held, inside, errors = [], [], [], []
        for seed in range(60):
            truth, data = simulate_class(24, 10, sd, seed=seed)
            fitted = fit(data, prior_sd=PRIOR, estimator="variational")
            hits.append(np.abs(fitted.ability - truth) < 1.96 * fitted.standard_error)
            low, high = fitted.interval().T
            held.append((low < truth) & (truth < high))
            true = np.corrcoef(fitted.ability, truth)[0, 1] ** 2
            reliability = realised_reliability(fitted)
            inside.append(reliability.low <= true <= reliability.high)
            errors.append(reliability.value - true)
        assert 0.92 < np.mean(hits) < 0.985, sd
        assert 0.93 < np.mean(held) < 0.975, sd
        assert 0.78 < np.mean(inside) <= 1.0, sd
        assert abs(np.mean(errors)) < 0.07, sd


def test_a_coin_is_not_called_reliable():
    values, highs = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        first, second = random_matchings(30, 12, rng)
        data = Comparisons(30, first, second, CoinFlipJudge().judge(first, second, rng))
        reliability = realised_reliability(fit(data, prior_sd=PRIOR, estimator="variational"))
        values.append(reliability.value)
        highs.append(reliability.high)
    assert np.mean(values) < 0.3
    assert np.mean(highs) < 0.6


def test_a_known_spread_stays_possible_and_has_an_interval_too():
    truth, data = simulate_class(40, 10, 2.0, seed=5)
    fitted = fit(data, prior_sd=2.0, estimator="variational")
    assert fitted.spread is None
    assert fitted.prior_sd == 2.0
    reliability = realised_reliability(fitted)
    assert reliability.low < model_reliability(fitted) < reliability.high
    assert reliability.low < np.corrcoef(fitted.ability, truth)[0, 1] ** 2 < reliability.high
    sharp = fit(data, prior_sd=SpreadPrior(2.0, 0.01), estimator="variational")
    assert np.allclose(sharp.ability, fitted.ability, atol=0.02)
    assert np.allclose(sharp.standard_error, fitted.standard_error, rtol=0.02)


def test_intervals_are_quantiles_of_the_mixture():
    """Draws from the mixture itself: as many below and above, and further out than in."""
    _, data = simulate_class(10, 6, 2.0, seed=4)
    fitted = fit(data, prior_sd=PRIOR, estimator="variational")
    nodes = present(fitted.spread).nodes
    rng = np.random.default_rng(0)
    which = rng.choice(len(nodes), size=40_000, p=[node.weight for node in nodes])
    mean = np.array([node.ability for node in nodes])[which]
    sd = np.sqrt(np.array([node.variance for node in nodes]))[which]
    drawn = mean + sd * rng.standard_normal(mean.shape)
    low, high = fitted.interval(0.8).T
    assert np.allclose((drawn < low).mean(axis=0), 0.1, atol=0.01)
    assert np.allclose((drawn > high).mean(axis=0), 0.1, atol=0.01)
    best, last = fitted.ability.argmax(), fitted.ability.argmin()
    low, high = fitted.interval().T
    assert high[best] - fitted.ability[best] > fitted.ability[best] - low[best]
    assert fitted.ability[last] - low[last] > high[last] - fitted.ability[last]


@pytest.mark.slow
def test_rank_intervals_hold_where_the_spread_is_hardly_known():
    """Simulated: 12 essays, 8 comparisons each; by one Normal for all spreads they hold 97%."""
    held, widths = [], []
    for seed in range(60):
        truth, data = simulate_class(12, 8, 4.0, seed=seed)
        fitted = fit(data, prior_sd=PRIOR, estimator="variational")
        low, high = rank_intervals(fitted).T
        own = competition_ranks(fitted.ability)
        assert ((low <= own) & (own <= high)).all()
        rank = competition_ranks(truth)
        held.append((low <= rank) & (rank <= high))
        widths.append(high - low + 1)
    assert 0.87 < np.mean(held) < 0.95
    assert np.mean(widths) < 4.5


def test_intervals_at_a_known_spread_are_symmetric():
    _, data = simulate_class(10, 6, 2.0, seed=4)
    fitted = fit(data, prior_sd=2.0)
    half = 1.644854 * fitted.standard_error
    assert fitted.interval(0.9) == pytest.approx(
        np.stack([fitted.ability - half, fitted.ability + half], axis=1), abs=1e-5
    )
    with pytest.raises(InvalidSettingError, match="level"):
        fitted.interval(1.0)


def test_covariance_standard_errors_and_differences_agree():
    _, data = simulate_class(20, 8, 1.0, seed=6, cuts=(1.0, 2.5))
    fitted = fit(data, prior_sd=PRIOR, estimator="variational")
    covariance = fitted.covariance
    assert np.allclose(np.sqrt(covariance.diagonal()), fitted.standard_error)
    assert np.abs(covariance.sum(axis=0)).max() < 1e-6
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    contrast = covariance[2, 2] + covariance[7, 7] - 2 * covariance[2, 7]
    assert fitted.difference(2, 7)[1] == pytest.approx(np.sqrt(contrast))


@pytest.mark.slow
def test_the_forecast_foretells_what_more_comparisons_bring():
    """Simulated: reliability at 8 comparisons per essay foretells that at 16 and 24."""
    forecast, reached = [], []
    for seed in range(40):
        truth, data = simulate_class(40, 24, 1.5, seed=seed)
        early = fit(
            data.take(np.arange(len(data)) < 8 * 20), prior_sd=PRIOR, estimator="variational"
        )
        later = fit(
            data.take(np.arange(len(data)) < 16 * 20), prior_sd=PRIOR, estimator="variational"
        )
        last = fit(data, prior_sd=PRIOR, estimator="variational")
        now, *further = forecast_reliability(early, [0, 8, 16])
        assert now == realised_reliability(early)
        forecast.append([f.value for f in further])
        reached.append([np.corrcoef(f.ability, truth)[0, 1] ** 2 for f in (later, last)])
    assert np.mean(forecast, axis=0) == pytest.approx(np.mean(reached, axis=0), abs=0.035)


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        ([(0, 1, 1)], {}),
        ([(0, 1, 1), (1, 2, 1), (2, 3, 1)], {}),
        ([(0, 1, 1)] * 30, {}),
        ([(0, 1, 1), (1, 0, 1), (0, 1, 3), (1, 2, -2)], {}),
        ([(0, 1, 0), (1, 2, 1), (2, 0, 1)], {"ties": "davidson"}),
        ([(i, k, 1) for i in range(12) for k in range(i + 1, 12)], {}),
        ([(i, k, -3) for i in range(12) for k in range(i + 1, 12)], {}),
    ],
)
def test_every_connected_input_has_an_answer(data, settings):
    first, second, outcome = (list(column) for column in zip(*data, strict=True))
    n = max(*first, *second) + 1
    for median, log_sd in ((1.8, 1.0), (0.2, 0.2), (10.0, 2.0)):
        fitted = fit(
            Comparisons(n, first, second, outcome),
            prior_sd=SpreadPrior(median, log_sd),
            estimator="variational",
            **settings,
        )
        assert np.isfinite(fitted.ability).all()
        assert (fitted.standard_error > 0).all()
        reliability = realised_reliability(fitted)
        assert 0.0 <= reliability.low <= reliability.value <= reliability.high <= 1.0


@pytest.mark.parametrize(
    "wrong", [{"median": 0.0}, {"median": np.inf}, {"log_sd": -1.0}, {"log_sd": np.nan}]
)
def test_a_prior_of_the_spread_that_is_none_is_named(wrong):
    with pytest.raises(InvalidSettingError, match=next(iter(wrong))):
        SpreadPrior(**wrong)


def test_only_the_nearest_gaussian_integrates():
    _, data = simulate_class(10, 4, 1.0, seed=1)
    with pytest.raises(InvalidSettingError, match="variational"):
        fit(data, prior_sd=PRIOR, estimator="map")
    with pytest.raises(InvalidSettingError, match="further"):
        forecast_reliability(fit(data, estimator="map"), [-1.0])
    with pytest.raises(InvalidSettingError, match="level"):
        realised_reliability(fit(data, estimator="map"), level=1.0)


def test_the_unit_is_doubted_where_attention_is_estimated():
    """Further out than the mixture, never further in than its inner limit by the other half."""
    _, data = simulate_class(30, 12, 2.0, seed=8)
    fitted = fit(data, prior_sd=PRIOR, estimator="variational", attention="lapses")
    assert fitted.unit_doubt > 0.0
    certain = replace(fitted, unit_doubt=0.0)
    (low, high), (least, most) = fitted.interval().T, certain.interval().T
    best, last = fitted.ability.argmax(), fitted.ability.argmin()
    assert high[best] > most[best] + 0.02
    assert low[last] < least[last] - 0.02
    # Half of the probability has the unit of the verdicts, and at most 3.5% lie on the inner side:
    # of what has that unit at most 7%.
    inner, outer = certain.interval(0.86).T
    assert (low <= inner + 1e-9).all()
    assert (high >= outer - 1e-9).all()
    assert fit(data, prior_sd=PRIOR, estimator="variational").unit_doubt == 0.0


def test_more_of_what_lies_outside_an_interval_lies_on_its_inner_side():
    """Of the mixture that the interval is of, exactly 95% inside, 3.5% in the larger tail."""
    weight = np.array([0.3, 0.7])
    mean = np.array([[6.0, -6.0, 0.0], [9.0, -9.0, 0.0]])
    posterior = Posterior(weight, mean, np.array([[1.0], [1.5]]) * np.ones(3))
    low, high = posterior.interval(0.95, outward=0.4).T
    below = weight @ scipy.stats.norm.cdf(low, mean, np.sqrt(posterior.variance))
    above = weight @ scipy.stats.norm.sf(high, mean, np.sqrt(posterior.variance))
    assert np.allclose(below + above, 0.05)
    assert np.allclose(below, [0.035, 0.015, 0.025], atol=1e-6)
    central = posterior.interval(0.95)
    assert np.allclose(posterior.interval(0.95, outward=0.0), central)
    assert np.allclose(central[2], [low[2], high[2]])
    assert outward_share(0.0) == 0.0
    assert outward_share(0.2) < outward_share(0.4) < outward_share(0.6) == outward_share(9.0)


def test_the_better_the_spread_is_known_the_more_the_unit_is_doubted():
    doubts = []
    for rounds in (4, 24):
        _, data = simulate_class(60, rounds, 2.0, seed=9)
        doubts.append(fit(data, estimator="variational", attention="lapses").unit_doubt)
    assert 0.0 < doubts[0] < doubts[1]
    known = fit(data, prior_sd=2.0, estimator="variational", attention="lapses")
    assert known.unit_doubt > doubts[1]
    # Assumed spreads have stretched intervals too; without attention they are symmetric.
    best = known.ability.argmax()
    low, high = known.interval()[best]
    assert high - known.ability[best] > known.ability[best] - low
