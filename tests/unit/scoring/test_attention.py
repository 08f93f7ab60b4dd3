"""Judges who lapse, and degrees that tell less than the model says: estimated, and in intervals."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, SpreadPrior, fit
from scoring._fit.attention import Attention
from scoring._fit.link_choice import choose_link
from scoring._fit.model import Model
from scoring._fit.observations import observe
from scoring._fit.priors import Priors
from scoring.batch_fit import fit_batch
from scoring.bradley_terry import sum_to_zero_basis
from scoring.errors import InvalidSettingError
from scoring.simulate import LogisticJudge, random_matchings
from tests.unit.scoring.numerical import assemble_hessian, differentiate

CUTS = (1.0, 2.5)


def fit_data(data, **settings):
    settings = {"prior_sd": SpreadPrior(), "attention": "estimated", **settings}
    return fit(data, estimator="variational", **settings)


def simulate_class(n, rounds, seed, *, cuts=CUTS, lapse=0.0, sd=2.0):
    rng = np.random.default_rng([seed, n, 900])
    ability = rng.normal(0.0, sd, n)
    first, second = random_matchings(n, rounds, rng)
    outcome = LogisticJudge(ability, cuts, lapse=lapse).judge(first, second, rng)
    return ability - ability.mean(), Comparisons(n, first, second, outcome), rng


def add_random_degrees(data, rng, top=3):
    outcome = np.sign(data.outcome) * rng.integers(1, top + 1, len(data))
    return Comparisons(data.n_essays, data.first, data.second, outcome)


def holds(result, truth):
    return float((np.abs(result.ability - truth) < 1.96 * result.standard_error).mean())


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("degrees", [1, 3])
def test_gradient_and_hessian_are_those_of_the_objective(ties, degrees):
    rng = np.random.default_rng(0)
    n, m, judges = 6, 40, 2
    first = rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    outcome = rng.integers(1, degrees + 1, m) * rng.choice([-1, 1], m)
    if ties:
        outcome[::6] = 0
    data = Comparisons(n, first, second, outcome, rng.integers(0, judges, m))
    observations = observe(data, ties="auto", degrees=degrees, repeats="shared")
    model = Model(
        observations,
        choose_link(observations, 0.0, "estimated"),
        Priors(0.25),
        order_effect=True,
        discrimination=sum_to_zero_basis(judges),
    )
    x = model.start(rng.normal(size=n))
    x[n:] += 0.3 * rng.normal(size=len(x) - n)
    x[model.gaps_at] = np.abs(x[model.gaps_at]) + 0.1
    gradient, hessian = differentiate(model, x, 1e-6)
    assert np.allclose(model.evaluate(x).gradient, gradient, atol=1e-6)
    assert np.allclose(assemble_hessian(model, x), hessian, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("comparisons_per_essay", [8, 20])
def test_batches_do_not_believe_degrees_that_tell_nothing_and_do_believe_honest_ones(
    comparisons_per_essay,
):
    honest, random, shares = [], [], []
    for seed in range(8):
        truth, data, rng = simulate_class(40, comparisons_per_essay // 2, seed)
        told = fit_batch(data)
        untold = fit_batch(add_random_degrees(data, rng))
        shares.append((told.degree_share[0], untold.degree_share[0]))
        honest.append(holds(told, truth))
        random.append(holds(untold, truth))
    told_share, untold_share = np.mean(shares, axis=0)
    assert told_share > 0.8
    assert untold_share < 0.5
    assert np.mean(honest) > 0.92
    assert np.mean(random) > 0.92


def test_honest_degrees_keep_what_they_save():
    losses = []
    for seed in range(12):
        truth, data, _ = simulate_class(40, 10, seed)
        signs = Comparisons(40, data.first, data.second, np.sign(data.outcome))
        fits = (fit_batch(signs), fit_batch(data), fit_data(data, attention="full"))
        losses.append([1.0 - np.corrcoef(f.ability, truth)[0, 1] ** 2 for f in fits])
    by_signs, estimated, on_trust = np.mean(losses, axis=0)
    assert by_signs > 1.5 * on_trust
    assert (by_signs - estimated) / (by_signs - on_trust) > 0.85


def test_a_scale_that_lapses_compress_is_not_taken_for_the_judges():
    inside: dict[str, list[float]] = {"full": [], "estimated": []}
    rates: list[float] = []
    for seed in range(12):
        truth, data, _ = simulate_class(40, 20, seed, cuts=(), lapse=0.1)
        for attention, held in inside.items():
            result = fit_data(data, attention=attention)
            held.append(holds(result, truth))
        rates.append(result.lapse[0])
    assert np.mean(inside["estimated"]) > 0.9
    assert np.mean(inside["estimated"]) > np.mean(inside["full"]) + 0.03
    assert 0.01 < np.mean(rates) < 0.15


def test_every_judge_has_cut_points_of_their_own():
    rng = np.random.default_rng(3)
    ability = rng.normal(0.0, 2.0, 40)
    first, second = random_matchings(40, 14, rng)
    judge = rng.integers(0, 2, len(first))
    habits = [
        LogisticJudge(ability, cuts).judge(first, second, rng) for cuts in ((0.3, 0.8), (2.5, 5.0))
    ]
    data = Comparisons(40, first, second, np.where(judge == 0, *habits), judge)
    result = fit_data(data)
    early, late = result.cut_points.reshape(2, 2)
    assert early[0] == pytest.approx(0.3, abs=0.25)
    assert early[1] == pytest.approx(0.8, abs=0.4)
    assert late[0] == pytest.approx(2.5, abs=0.9)
    assert (result.cut_points_se > 0).all()
    assert holds(result, ability - ability.mean()) > 0.85
    assert result.lapse.shape == result.degree_share.shape == (2,)


def test_what_cannot_be_estimated_together_is_named():
    _, data, _ = simulate_class(10, 6, 1)
    for wrong in (
        {"attention": "some"},
        {"attention": "estimated", "lapse": 0.1},
        {"attention": "estimated", "estimator": "mle"},
    ):
        with pytest.raises(InvalidSettingError, match="attention"):
            fit(data, **wrong)
    ties = Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 0, 1])
    with pytest.raises(InvalidSettingError, match="Davidson"):
        fit(ties, ties="davidson", attention="estimated", estimator="map")


def test_juries_of_any_kind_have_an_answer():
    for seed in range(12):
        rng = np.random.default_rng([seed, 901])
        n, judges = int(rng.integers(3, 15)), int(rng.integers(1, 5))
        first, second = random_matchings(n, int(rng.integers(2, 8)), rng)
        outcome = rng.integers(1, 4, len(first)) * rng.choice([-1, 1], len(first))
        outcome[rng.random(len(first)) < 0.2 * (seed % 3)] = 0
        outcome[0] = 1
        judge = rng.integers(0, judges, len(first))
        data = Comparisons(n, first, second, outcome, judge)
        several = np.unique(judge).size > 1
        result = fit_data(data, judges="discrimination" if several else "pooled")
        assert np.isfinite(result.ability).all(), seed
        assert (result.standard_error > 0).all(), seed
        assert ((result.lapse > 0) & (result.lapse < 1)).all()
        assert ((result.degree_share > 0) & (result.degree_share <= 1)).all()


@pytest.mark.parametrize("n_judges", [1, 3])
@pytest.mark.parametrize(
    ("outcomes", "attention"),
    [
        ([-1, 1], "lapses"),
        ([-1, 0, 1], "lapses"),
        ([-3, -2, -1, 1, 2, 3], "estimated"),
        ([-2, -1, 0, 1, 2], "estimated"),
    ],
)
def test_averages_are_those_of_every_difference_by_itself(outcomes, attention, n_judges):
    rng = np.random.default_rng([17, n_judges, len(outcomes)])
    m = 40
    first, second = random_pairs(9, m, rng)
    judge = rng.integers(n_judges, size=m)
    data = Comparisons(9, first, second, rng.choice(outcomes, m), judge)
    link = choose_link(observed(data), 0.0, attention)
    assert isinstance(link, Attention)
    shape = rng.uniform(0.2, 1.5, link.n_shape)
    differences, weights = rng.normal(0.0, 3.0, (4, m)), rng.dirichlet(np.ones(4))
    weight = rng.uniform(0.3, 1.0, m)
    averaged = link.average_terms(differences, weights, shape)
    each = [link.terms(one, shape) for one in differences]
    for name in ("value", "slope", "curvature", "shape_slope", "shape_cross"):
        mean = sum(w * getattr(one, name) for w, one in zip(weights, each, strict=True))
        assert getattr(averaged, name) == pytest.approx(mean), name
    curvature = sum(
        w * link.shape_curvature(one, shape, weight) for w, one in zip(weights, each, strict=True)
    )
    assert link.shape_curvature(averaged, shape, weight) == pytest.approx(curvature)


def random_pairs(n, m, rng):
    first = rng.integers(n, size=m)
    return first, (first + rng.integers(1, n, size=m)) % n


def test_differences_of_hundreds_of_logits_stay_finite():
    data = Comparisons(3, [0, 1, 2, 0], [1, 2, 0, 2], [3, 1, -2, 0])
    link = choose_link(observed(data), 0.0, "estimated")
    shape = np.full(link.n_shape, 1.0)
    for far in (-900.0, 900.0):
        terms = link.terms(np.full(4, far), shape)
        assert np.isfinite(terms.value).all()
        assert np.isfinite(terms.shape_slope).all()
        assert np.isfinite(link.shape_curvature(terms, shape, np.ones(4))).all()


def observed(data):
    return observe(data, ties="auto", degrees="auto", repeats="independent")
