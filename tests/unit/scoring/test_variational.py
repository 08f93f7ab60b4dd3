"""The Gaussian nearest to the posterior: its equations, exact posteriors, and honest intervals."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from scoring import Comparisons, fit
from scoring.bradley_terry import Estimator
from scoring.errors import InvalidSettingError
from scoring.simulate import LogisticJudge, random_matchings

Z95 = 1.959964


def simulate_class(n=12, rounds=6, *, cuts=(), sd=2.0, seed=1, judges=1, order_effect=0.4):
    rng = np.random.default_rng(seed)
    ability = rng.normal(0.0, sd, n)
    first, second = random_matchings(n, rounds, rng)
    outcome = LogisticJudge(ability, cuts, order_effect=order_effect).judge(first, second, rng)
    judge = rng.integers(0, judges, len(first)) if judges > 1 else None
    return ability, Comparisons(n, first, second, outcome, judge)


def exact_moments(prior_variance):
    """Mean and variance of d ~ N(0, v) after "first over second", P = F(d), by quadrature."""

    def weight(d):
        return np.exp(-0.5 * d * d / prior_variance) * expit(d)

    total, first, second = (
        quad(lambda d, k=k: d**k * weight(d), -60, 60, points=[0])[0] for k in range(3)
    )
    mean = first / total
    return mean, second / total - mean**2


@pytest.mark.parametrize("prior_sd", [0.5, 1.0, 2.0])
def test_one_verdict_gives_nearly_the_exact_posterior_and_nearer_than_the_mode(prior_sd):
    data = Comparisons(2, [0], [1], [1])
    mean, variance = exact_moments(2 * prior_sd**2)
    found = {}
    for estimator in ("map", "variational"):
        difference, se = fit(
            data, prior_sd=prior_sd, order_effect=False, estimator=estimator
        ).difference(0, 1)
        found[estimator] = abs(difference - mean) / mean, abs(se**2 - variance) / variance
    assert found["variational"][0] < 0.015
    assert found["variational"][1] < 0.05
    assert found["variational"][0] < found["map"][0] / 5
    assert found["variational"][1] < found["map"][1] / 2


def smooth_by_hand(data, fitted, *, nodes=80):
    """E_q of slope and curvature of every binary verdict, with nodes of our own."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    w = w / w.sum()
    information = fitted._information
    full = np.tril(information.lower) + np.tril(information.lower, -1).T
    design = np.zeros((len(data), len(full)))
    rows = np.arange(len(data))
    design[rows, data.first] += 1.0
    design[rows, data.second] -= 1.0
    design[:, data.n_essays] = 1.0
    delta = design @ np.append(fitted.ability, fitted.order_effect)
    sd = np.sqrt(np.einsum("ij,jk,ik->i", design, full, design))
    p = expit(delta[:, None] + sd[:, None] * z)
    won = 0.5 + 0.5 * np.sign(data.outcome)
    return design, full, won - p @ w, (p * (1 - p)) @ w


def test_mean_and_covariance_solve_the_equations_of_the_nearest_gaussian():
    _, data = simulate_class()
    fitted = fit(data, prior_sd=2.0, estimator="variational")
    design, covariance, slope, curvature = smooth_by_hand(data, fitted)
    precision = np.diag(np.append(np.full(data.n_essays, 1 / 4.0), 1.0))
    means = np.append(fitted.ability, fitted.order_effect)
    assert np.abs(design.T @ slope - precision @ means).max() < 1e-4
    wanted = np.linalg.inv(precision + design.T @ (curvature[:, None] * design))
    # What eleven nodes leave where differences are still uncertain by two logits.
    assert np.abs(covariance - wanted).max() < 5e-4


@pytest.mark.parametrize("settings", [{}, {"cuts": (1.0, 2.5)}, {"judges": 3}])
def test_the_solution_does_not_depend_on_where_it_started_or_on_the_order_of_rows(settings):
    _, data = simulate_class(**settings)
    fitted = fit(data, estimator="variational", prior_sd=2.0)
    far = fit(data, estimator="variational", start=np.linspace(3, -3, data.n_essays), prior_sd=2.0)
    assert np.allclose(far.ability, fitted.ability, atol=1e-4)
    assert np.allclose(far.standard_error, fitted.standard_error, rtol=1e-4)
    order = np.random.default_rng(0).permutation(len(data))
    judge = None if data.judge is None else data.judge[order]
    shuffled = Comparisons(
        data.n_essays, data.first[order], data.second[order], data.outcome[order], judge
    )
    again = fit(shuffled, estimator="variational", prior_sd=2.0)
    assert np.allclose(again.ability, fitted.ability, atol=1e-4)


@pytest.mark.parametrize("cuts", [(), (1.0,), (1.0, 2.5)])
@pytest.mark.parametrize("judges", ["pooled", "discrimination"])
def test_every_model_widens_with_few_comparisons_and_meets_the_mode_with_many(cuts, judges):
    ratios = []
    for rounds in (4, 80):
        _, data = simulate_class(rounds=rounds, cuts=cuts, judges=2, sd=1.0)
        mode, mean = (
            fit(data, judges=judges, repeats="independent", estimator=estimator, prior_sd=2.0)
            for estimator in ("map", "variational")
        )
        assert mean.prior_sd == mode.prior_sd == 2.0
        ratios.append((mean.standard_error / mode.standard_error).mean())
        assert abs(mean.ability.mean()) < 1e-12
    few, many = ratios
    assert few > 1.01
    assert abs(many - 1) < 0.02


@pytest.mark.parametrize("settings", [{"ties": "davidson"}, {"ties": "half"}, {"lapse": 0.05}])
def test_the_other_links_are_smoothed_too(settings):
    _, data = simulate_class(cuts=(1.0,))
    outcome = np.sign(data.outcome)
    outcome[::5] = 0
    ties = Comparisons(data.n_essays, data.first, data.second, outcome)
    mode, mean = (fit(ties, prior_sd=2.0, estimator=e, **settings) for e in ("map", "variational"))
    assert (mean.standard_error > mode.standard_error).mean() > 0.8
    assert np.corrcoef(mean.ability, mode.ability)[0, 1] > 0.998


@pytest.mark.slow
def test_intervals_cover_what_they_say_at_eight_comparisons_an_essay():
    inside, error, claimed = {}, {}, {}
    for estimator in ("map", "variational"):
        hits, squares, variances = [], [], []
        for seed in range(30):
            ability, data = simulate_class(100, 8, seed=seed, order_effect=0.0)
            fitted = fit(data, prior_sd=2.0, estimator=estimator)
            off = fitted.ability - (ability - ability.mean())
            hits.append(np.abs(off) < Z95 * fitted.standard_error)
            squares.append(off**2)
            variances.append(fitted.standard_error**2)
        inside[estimator], error[estimator] = np.mean(hits), np.mean(squares)
        claimed[estimator] = np.mean(variances)
    assert 0.935 < inside["variational"] < 0.96
    assert inside["map"] < inside["variational"] - 0.01
    assert error["variational"] < error["map"]
    assert claimed["variational"] == pytest.approx(error["variational"], rel=0.05)
    assert claimed["map"] < 0.9 * error["map"]


def test_what_needs_a_mode_says_so():
    _, data = simulate_class()
    with pytest.raises(InvalidSettingError, match="map"):
        _ = fit(data, estimator="variational", prior_sd=2.0).log_evidence
    with pytest.raises(InvalidSettingError, match="variational"):
        fit(data, estimator=cast("Estimator", "vb"))


@pytest.mark.slow
@pytest.mark.parametrize("n", [12, 30])
@pytest.mark.parametrize("discriminations", [(1.0, 1.0), (1.0, 1.0, 0.3), (0.0, 1.0)])
def test_small_juries_with_strong_and_weak_judges_always_have_an_answer(n, discriminations):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        ability = rng.normal(0.0, 2.0, n)
        first, second = random_matchings(n, 6, rng)
        judge = rng.integers(0, len(discriminations), len(first))
        delta = np.array(discriminations)[judge] * (ability[first] - ability[second])
        outcome = np.where(rng.random(len(first)) < expit(delta), 1, -1)
        data = Comparisons(n, first, second, outcome, judge)
        fitted = fit(data, judges="discrimination", estimator="variational", prior_sd=2.0)
        assert np.isfinite(fitted.standard_error).all(), seed
        assert (fitted.standard_error < 2.5).all(), seed


@pytest.mark.slow
@pytest.mark.parametrize("prior_sd", [5.0, 20.0])
def test_a_wide_prior_still_has_an_answer(prior_sd):
    for seed in range(5):
        _, data = simulate_class(20, 4, seed=seed)
        fitted = fit(data, prior_sd=prior_sd, estimator="variational")
        assert np.isfinite(fitted.standard_error).all(), seed
        assert (fitted.standard_error < 1.05 * prior_sd).all(), seed
