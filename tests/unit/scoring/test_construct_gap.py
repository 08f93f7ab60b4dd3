"""People's scale out of people's and a model's verdicts."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons
from scoring._fit.coupled import CoupledModel
from scoring._fit.link_choice import choose_link
from scoring._fit.observations import observe
from scoring._fit.spread_estimate import SpreadPrior
from scoring.batch_fit import fit_batch
from scoring.construct_gap import _Search, fit_people_scale
from scoring.errors import InvalidSettingError
from scoring.reliability import realised_reliability
from scoring.simulate import random_matchings
from tests.unit.scoring.numerical import assemble_hessian, differentiate

PEOPLE = 4
IS_MODEL = [False] * PEOPLE + [True]


def world(seed, *, n=40, per_essay=20, tau=0.6, share=0.3, sd=1.5, scale=2.0):
    """Verdicts of four people and a model whose construct differs by tau; simulated."""
    rng = np.random.default_rng([seed, n, 4100])
    ability, effect = rng.normal(0.0, sd, n), rng.normal(0.0, tau, n)
    first, second = random_matchings(n, per_essay, rng)
    judge = np.where(rng.random(len(first)) < share, rng.integers(0, PEOPLE, len(first)), PEOPLE)
    by_model = judge == PEOPLE
    seen = np.where(by_model[:, None], scale * (ability + effect), ability)
    rows = np.arange(len(first))
    margin = seen[rows, first] - seen[rows, second] + rng.logistic(size=len(first))
    outcome = np.where(margin > 0, 1, -1)
    return ability - ability.mean(), effect, Comparisons(n, first, second, outcome, judge)


def couple(data, is_model=IS_MODEL):
    observations = observe(data, ties="auto", degrees="auto", repeats="shared")
    scale = np.asarray(is_model)[observations.judge].astype(np.int64)
    link = choose_link(observations, 0.0, "lapses", is_model=np.asarray(is_model))
    model = CoupledModel(
        observations, link, scale, 2, order_effect=True, is_model=np.asarray(is_model)
    )
    model.set_covariance(np.array([[2.0, 2.5], [2.5, 4.0]]))
    return model


def test_gradient_and_hessian_are_those_of_the_objective():
    _, _, data = world(0, n=6, per_essay=5)
    model = couple(data)
    rng = np.random.default_rng(1)
    x = model.start(rng.normal(size=model.n))
    x[model.n :] += 0.3 * rng.normal(size=model.size - model.n)
    gradient, hessian = differentiate(model, x, 1e-6)
    assert np.allclose(model.evaluate(x).gradient, gradient, atol=1e-5)
    assert np.allclose(assemble_hessian(model, x), hessian, atol=1e-5)


def test_the_slope_of_the_evidence_is_that_of_the_bound():
    _, _, data = world(3, n=30)
    search = _Search(data, np.asarray(IS_MODEL), SpreadPrior())
    at = search.start + np.array([0.1, -0.2, 0.3])
    _, slope = search.density(at)
    step = 0.05
    numeric = [
        (search.density(at + u)[0] - search.density(at - u)[0]) / (2 * step)
        for u in step * np.eye(3)
    ]
    assert slope == pytest.approx(numeric, abs=0.25)


def test_intervals_are_for_peoples_truth_and_tau_is_found():
    held, taus, own = [], [], []
    for seed in range(8):
        truth, _, data = world(seed)
        result = fit_people_scale(data, IS_MODEL)
        (gap,) = result.construct_gaps
        held.append((np.abs(result.ability - truth) < 1.96 * result.standard_error).mean())
        taus.append(gap.tau)
        own.append(gap.tau_low <= 0.6 <= gap.tau_high)
        assert gap.judge == PEOPLE
        assert 1.0 < gap.scale < 4.0
    assert 0.92 <= np.mean(held) <= 0.99
    assert np.mean(taus) == pytest.approx(0.6, abs=0.15)
    assert np.mean(own) >= 0.75


def test_a_models_effects_on_essays_are_found_where_people_judged_much():
    _, effect, data = world(1, tau=1.0, share=0.5, per_essay=30)
    (gap,) = fit_people_scale(data, IS_MODEL).construct_gaps
    assert gap.shift.sum() == pytest.approx(0.0, abs=1e-9)
    assert np.corrcoef(gap.shift, effect)[0, 1] > 0.6
    assert (np.abs(gap.shift - effect + effect.mean()) < 1.96 * gap.shift_se).mean() > 0.85


def test_a_model_that_reads_as_people_do_sharpens_their_scale():
    truth, _, data = world(2, tau=0.0, share=0.15)
    by_people = data.take(data.judge < PEOPLE)
    both = fit_people_scale(data, IS_MODEL)
    correlation = np.corrcoef(both.ability, truth)[0, 1]
    assert correlation > 0.9
    assert len(by_people) < 80


def test_two_models_have_gaps_of_their_own():
    truth, _, data = world(5, per_essay=24)
    rng = np.random.default_rng(9)
    judge = np.where((data.judge == PEOPLE) & (rng.random(len(data)) < 0.5), 5, data.judge)
    two = Comparisons(data.n_essays, data.first, data.second, data.outcome, judge)
    result = fit_people_scale(two, [*IS_MODEL, True])
    assert [gap.judge for gap in result.construct_gaps] == [4, 5]
    assert (np.abs(result.ability - truth) < 1.96 * result.standard_error).mean() > 0.85


def test_batches_speak_of_peoples_scale_where_people_have_judged_enough():
    truth, _, data = world(6)
    both = fit_batch(data, is_model=IS_MODEL)
    assert len(both.construct_gaps) == 1
    assert np.isfinite(both.discrimination_se).all()
    assert np.isfinite(both.order_effect_se).all()
    assert np.isfinite(both.predict([0, 1], [2, 3], [4, 0])).all()
    reliability = realised_reliability(both)
    true = np.corrcoef(both.ability, truth)[0, 1] ** 2
    assert reliability.low - 0.05 <= true <= reliability.high + 0.05
    few = np.flatnonzero(data.judge < PEOPLE)[:5]
    kept = (data.judge == PEOPLE) | np.isin(np.arange(len(data)), few)
    assert fit_batch(data.take(kept), is_model=IS_MODEL).construct_gaps == ()


@pytest.mark.parametrize("is_model", [[True] * 5, [False] * 5, [True]])
def test_what_cannot_be_told_apart_is_named(is_model):
    _, _, data = world(0, n=8)
    with pytest.raises(InvalidSettingError, match="is_model"):
        fit_people_scale(data, is_model)


def test_people_have_an_order_effect_of_their_own_beside_a_model():
    rng = np.random.default_rng(20)
    n = 40
    first, second = random_matchings(n, 20, rng)
    judge = np.where(rng.random(len(first)) < 0.2, rng.integers(0, PEOPLE, len(first)), PEOPLE)
    ability = rng.normal(0.0, 1.5, n)
    margin = ability[first] - ability[second] - 2.0 * (judge == PEOPLE)
    outcome = np.where(margin + rng.logistic(size=len(first)) > 0, 1, -1)
    data = Comparisons(n, first, second, outcome, judge)
    order = fit_people_scale(data, IS_MODEL).order_effect
    assert order[PEOPLE] < -1.3
    assert order[:PEOPLE].mean() > -0.5


def test_people_who_never_lapse_are_told_from_those_who_do():
    rng = np.random.default_rng(11)
    _, _, data = world(11, n=40, per_essay=60, share=0.5, sd=3.0)
    chance = np.array([0.4, 0.2, 0.2, 0.2, 0.0])[data.judge]
    is_lapse = rng.random(len(data)) < chance
    outcome = np.where(is_lapse, rng.choice([-1, 1], len(data)), data.outcome)
    lapsing = Comparisons(data.n_essays, data.first, data.second, outcome, data.judge)
    honest = fit_people_scale(data, IS_MODEL)
    fitted = fit_people_scale(lapsing, IS_MODEL)
    assert fitted.lapse.shape == (PEOPLE + 1,)
    assert honest.lapse[:PEOPLE].max() < 0.02
    assert fitted.lapse[:PEOPLE].min() > 0.1
    assert fitted.lapse[0] == fitted.lapse.max()
    assert fitted.lapse[PEOPLE] < 0.02


def test_many_people_beside_a_model_lapse_alike():
    _, _, data = world(12, share=0.5)
    rng = np.random.default_rng(12)
    judge = np.where(data.judge == PEOPLE, 24, rng.integers(0, 24, len(data)))
    crowd = Comparisons(data.n_essays, data.first, data.second, data.outcome, judge)
    fitted = fit_people_scale(crowd, [False] * 24 + [True])
    assert np.ptp(fitted.lapse[:24]) == 0.0
    assert fitted.lapse[0] != fitted.lapse[24]
