"""Juries: an answer for every connected input, and judges shrunk to what the verdicts can tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import Comparisons, SpreadPrior, fit
from scoring.batch_fit import fit_batch
from scoring.simulate import LogisticJudge, random_matchings
from tests.examples import scale_examples


@st.composite
def connected_juries(draw):
    """Verdicts of two judges or more on essays that a chain connects; possible, not plausible."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_judges = draw(st.integers(2, 14)), draw(st.integers(2, 6))
    more = draw(st.integers(0, 5 * n))
    first = np.concatenate([np.arange(n - 1), rng.integers(0, n, more)])
    second = np.concatenate([np.arange(1, n), rng.integers(0, n, more)])
    kept = first != second
    first, second = first[kept], second[kept]
    judge = rng.integers(0, n_judges, len(first))
    ability = rng.normal(0.0, draw(st.sampled_from([0.0, 0.3, 1.0, 3.0, 10.0])), n)
    sharpness = np.exp(rng.normal(0.0, draw(st.sampled_from([0.0, 1.0, 2.5])), n_judges))
    noise = draw(st.sampled_from([0.0, 1.0]))
    margin = sharpness[judge] * (ability[first] - ability[second])
    margin += noise * rng.logistic(size=len(first)) + 1e-9
    top = draw(st.sampled_from([1, 3]))
    degree = np.minimum(top, 1 + (np.abs(margin) / draw(st.sampled_from([0.3, 1.0, 5.0]))))
    outcome = np.where(margin > 0, 1, -1) * degree.astype(np.int64)
    if draw(st.booleans()):
        outcome = np.abs(outcome)
    outcome[1:][rng.random(len(first) - 1) < draw(st.sampled_from([0.0, 0.1, 0.9]))] = 0
    return Comparisons(n, first, second, outcome, judge)


@settings(max_examples=scale_examples(60))
@given(connected_juries(), st.sampled_from([None, 0.3, 2.0]))
def test_every_connected_jury_has_an_answer(data, prior_sd):
    result = fit_batch(data, prior_sd=prior_sd)
    assert result.estimator == "variational"
    assert np.isfinite(result.ability).all()
    assert (result.standard_error > 0).all()
    assert np.isfinite(result.standard_error).all()
    assert np.linalg.eigvalsh(result.covariance).min() > -1e-9
    for estimate in (result.discrimination, result.discrimination_se, result.order_effect_se):
        assert np.isfinite(estimate).all()


def test_turns_that_chase_each_other_are_shortened():
    # among 600 juries drawn at random one in a hundred does not settle by whole turns
    rng = np.random.default_rng([1180, 5])
    n, m = 11, 48
    ability, first = rng.normal(0.0, 3.0, n), rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    judge = rng.integers(0, 5, m)
    outcome = np.where(ability[first] > ability[second], 2, -2)
    data = Comparisons(n, first, second, outcome, judge)
    result = fit(
        data,
        prior_sd=2.0,
        estimator="variational",
        judges="discrimination",
        attention="estimated",
    )
    assert np.isfinite(result.standard_error).all()


def people(n_people, *, order=0.3, factor=1.0):
    """Verdicts on 30 essays; order effects and discriminations are one for all or one for each."""
    rng = np.random.default_rng([n_people, 77])
    ability = rng.normal(0.0, 1.3, 30)
    first, second = random_matchings(30, 16, rng)
    judge = rng.integers(0, n_people, len(first))
    order, factor = np.broadcast_to(order, n_people), np.broadcast_to(factor, n_people)
    outcome = np.empty(len(first), dtype=np.int64)
    for j in range(n_people):
        own = judge == j
        one = LogisticJudge(ability, order_effect=order[j], discrimination=factor[j])
        outcome[own] = one.judge(first[own], second[own], rng)
    return Comparisons(30, first, second, outcome, judge)


def fit_jury(data, **kwargs):
    return fit(data, prior_sd=SpreadPrior(), estimator="variational", **kwargs)


def test_order_effects_of_many_people_lie_around_a_common_one():
    result = fit_jury(people(24))
    assert result.order_effect.std() < 0.12
    assert result.order_effect.mean() == pytest.approx(0.3, abs=0.25)


def test_order_effects_that_differ_are_told_apart():
    order = np.array([-1.2, 0.0, 0.8, 1.6])
    result = fit_jury(people(4, order=order))
    assert np.corrcoef(result.order_effect, order)[0, 1] > 0.9
    assert result.order_effect.std() > 0.6 * order.std()


def test_people_of_equal_sharpness_are_not_told_apart():
    result = fit_jury(people(24), judges="discrimination")
    assert np.log(result.discrimination).std() < 0.2


def test_judges_of_unequal_sharpness_are():
    factor = np.array([0.3, 1.0, 3.0])
    result = fit_jury(people(3, factor=factor), judges="discrimination")
    truth = np.log(factor) - np.log(factor).mean()
    found = np.log(result.discrimination)
    assert np.corrcoef(found, truth)[0, 1] > 0.9
    assert found.std() > 0.5 * truth.std()


@pytest.mark.parametrize("seed", range(4))
def test_two_equal_judges_with_few_verdicts_are_not_told_apart_as_one_of_noise(seed):
    # the mode of abilities and discriminations together says .08 and 12 of such judges
    rng = np.random.default_rng([seed, 60, 812])
    ability = rng.normal(0.0, 2.0, 60)
    first, second = random_matchings(60, 8, rng)
    judge = rng.integers(0, 2, len(first))
    habits = [
        LogisticJudge(ability, cuts).judge(first, second, rng) for cuts in ((0.3, 0.8), (2.5, 5.0))
    ]
    data = Comparisons(60, first, second, np.where(judge == 0, *habits), judge)
    result = fit_batch(data)
    assert 0.5 < result.discrimination.min() <= result.discrimination.max() < 2.0
    held = np.abs(result.ability - ability + ability.mean()) < 1.96 * result.standard_error
    assert held.mean() > 0.85
