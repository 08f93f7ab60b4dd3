"""The joint fit: what it estimates, its invariances, and its behaviour at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import Comparisons, fit
from scoring._fit.links import Binary
from scoring._fit.model import Model
from scoring._fit.newton import maximise
from scoring._fit.observations import observe
from scoring._fit.priors import Priors
from scoring.audit import prequential_audit
from scoring.errors import (
    AllTiesError,
    DisconnectedError,
    InvalidComparisonError,
    InvalidSettingError,
    NotConvergedError,
    OneJudgeError,
    SeparationError,
)
from scoring.reliability import model_reliability
from scoring.simulate import LogisticJudge, random_matchings
from tests.examples import scale_examples


def simulate_class(seed=0, n=40, rounds=12, judges=None, **judge):
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
    _, data = simulate_class(order_effect=0.4, cut_points=(1.0, 2.5))
    forward, backward = fit(data, estimator="map"), fit(data.reversed_order(), estimator="map")
    assert backward.ability == pytest.approx(forward.ability, abs=1e-7)
    assert backward.standard_error == pytest.approx(forward.standard_error, abs=1e-7)
    assert backward.cut_points == pytest.approx(forward.cut_points, abs=1e-7)
    assert backward.order_effect == pytest.approx(-forward.order_effect, abs=1e-7)
    assert forward.order_effect[0] > 0.1


def test_order_effect_works_on_three_comparisons():
    result = fit(Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 1, 1]), estimator="map")
    assert np.isfinite(result.standard_error).all()
    assert 0 < result.order_effect[0] < 2
    assert 0 < result.order_effect_se[0] < 1


def test_abilities_and_covariance_sum_to_zero():
    _, data = simulate_class()
    result = fit(data, estimator="map")
    assert result.ability.sum() == pytest.approx(0, abs=1e-9)
    assert np.abs(result.covariance.sum(axis=0)).max() < 1e-9
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(result.standard_error)
    i, k = 3, 17
    v = result.covariance
    assert result.difference(i, k)[1] == pytest.approx(np.sqrt(v[i, i] + v[k, k] - 2 * v[i, k]))
    assert result.difference(k, i)[0] == -result.difference(i, k)[0]
    assert result.difference(i, i) == (0.0, 0.0)


def test_a_warm_start_changes_nothing():
    _, data = simulate_class()
    cold = fit(data, estimator="map")
    warm = fit(data, start=cold, estimator="map")
    assert warm.ability == pytest.approx(cold.ability, abs=1e-7)
    assert warm.iterations < cold.iterations


def test_prediction_without_a_judge_ignores_the_order_effect():
    _, data = simulate_class(order_effect=0.8)
    result = fit(data, estimator="map")
    forward = result.predict([0, 1], [2, 3])
    assert forward + result.predict([2, 3], [0, 1]) == pytest.approx([1.0, 1.0])
    assert (result.predict([0, 1], [2, 3], [0, 0]) > forward).all()


@pytest.mark.parametrize(
    ("first", "second", "field"), [([0, 40], [1, 2], "first"), ([0, 1], [2, -1], "second")]
)
def test_predicting_an_essay_that_is_none_names_the_row(first, second, field):
    result = fit(simulate_class()[1], estimator="map")
    with pytest.raises(InvalidComparisonError) as caught:
        result.predict(first, second)
    assert (caught.value.field, caught.value.row) == (field, 1)
    with pytest.raises(InvalidComparisonError):
        result.difference(0, 40)


def test_reliability_grows_with_evidence():
    few, many = (
        model_reliability(fit(simulate_class(rounds=r)[1], estimator="map")) for r in (3, 24)
    )
    assert 0 < few < many < 1


def test_audit_tells_a_judge_from_a_coin():
    rng = np.random.default_rng(1)
    predicted = rng.uniform(0.1, 0.9, 400)
    good = prequential_audit(predicted, (rng.random(400) < predicted).astype(float))
    coin = prequential_audit(predicted, rng.integers(0, 2, 400).astype(float))
    assert good.slope_interval[0] < 1 < good.slope_interval[1]
    assert coin.slope_interval[0] < 0 < coin.slope_interval[1]
    assert good.log_loss < np.log(2) < coin.log_loss
    assert good.agreement > coin.agreement_interval[1]


def test_repeats_by_one_judge_are_one_piece_of_evidence():
    # the rule: r comparisons of a pair by one judge, in whichever order, weigh 1/r each
    once = Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 1, -1], [0, 0, 0])
    same = Comparisons(3, [0, 0, 0, 1, 2], [1, 1, 1, 2, 0], [1, 1, 1, 1, -1], [0] * 5)
    one, many = fit(once, estimator="map"), fit(same, estimator="map")
    assert many.ability == pytest.approx(one.ability, abs=1e-7)
    assert many.standard_error == pytest.approx(one.standard_error, abs=1e-7)
    assert many.n_comparisons.tolist() == one.n_comparisons.tolist() == [2, 2, 2]
    counted = fit(same, repeats="independent", estimator="map")
    assert counted.standard_error[0] < one.standard_error[0]
    assert counted.n_comparisons.tolist() == [4, 4, 2]


def test_a_pair_reversed_by_one_judge_shares_the_weight_and_cancels_the_order():
    both = Comparisons(2, [0, 1], [1, 0], [1, 1], [0, 0])
    result = fit(both, estimator="map")
    assert result.ability == pytest.approx([0, 0], abs=1e-7)
    assert result.n_comparisons.tolist() == [1, 1]
    assert result.order_effect[0] > 0


def test_two_judges_on_one_pair_are_two_pieces_of_evidence():
    result = fit(Comparisons(2, [0, 0], [1, 1], [1, 1], [0, 1]), estimator="map")
    unknown = fit(Comparisons(2, [0, 0], [1, 1], [1, 1]), estimator="map")
    assert result.n_comparisons.tolist() == unknown.n_comparisons.tolist() == [2, 2]


def test_four_times_the_evidence_halves_the_standard_error():
    _, data = simulate_class(n=8, rounds=30)
    four = Comparisons(8, *(np.tile(c, 4) for c in (data.first, data.second, data.outcome)))
    once = fit(data, estimator="mle", order_effect=False)
    quadruple = fit(four, estimator="mle", order_effect=False)
    assert quadruple.standard_error == pytest.approx(once.standard_error / 2, rel=1e-6)


def test_renumbering_essays_and_shuffling_comparisons_change_nothing():
    _, data = simulate_class(order_effect=0.3)
    rng = np.random.default_rng(8)
    name, rows = rng.permutation(data.n_essays), rng.permutation(len(data))
    moved = Comparisons(
        data.n_essays, name[data.first][rows], name[data.second][rows], data.outcome[rows]
    )
    assert fit(moved, estimator="map").ability[name] == pytest.approx(
        fit(data, estimator="map").ability, abs=1e-7
    )


def test_two_separate_halves():
    data = Comparisons(5, [0, 0, 2, 2], [1, 1, 3, 3], [1, -1, 1, -1])
    for estimator in ("map", "mle", "firth"):
        result = fit(data, estimator=estimator, order_effect=False)
        assert result.components.tolist() == [0, 0, 1, 1, 2]
        assert result.difference(0, 1)[0] == pytest.approx(0, abs=1e-7)
        with pytest.raises(DisconnectedError, match="no chain of comparisons") as caught:
            result.difference(1, 2)
        assert caught.value.essays == (1, 2)
        assert result.predict([0], [2]) == pytest.approx([0.5])
    # the likelihood knows nothing of an essay that was never compared
    likely = fit(data, estimator="mle", order_effect=False)
    assert np.isinf(likely.standard_error[4])
    assert np.isinf(likely.diagonal_standard_error[4])
    assert np.isfinite(fit(data, estimator="map").standard_error[4])


def test_components_are_fitted_on_their_own():
    left = [(0, 1)] * 3 + [(1, 0)] * 2
    right = [(2, 3)] * 4 + [(3, 2)]
    winner, loser = np.array(left + right).T
    result = fit(Comparisons.from_winners(4, winner, loser), estimator="mle")
    assert result.ability == pytest.approx(
        [np.log(1.5) / 2, -np.log(1.5) / 2, np.log(4) / 2, -np.log(4) / 2], abs=1e-7
    )


def test_separation_names_the_essays_outside_the_core():
    # 0, 1, 2 beat each other in a circle; 3 beat 0 once, 4 lost twice
    winner, loser = np.array([(0, 1), (1, 2), (2, 0), (3, 0), (1, 4), (2, 4)]).T
    with pytest.raises(SeparationError) as caught:
        fit(Comparisons.from_winners(5, winner, loser), estimator="mle")
    assert caught.value.essays == (3, 4)


def test_separation_by_the_order_alone():
    # everybody beats everybody, but only ever when shown first
    first, second = np.array([(i, k) for i in range(3) for k in range(3) if i != k]).T
    data = Comparisons(3, first, second, np.ones(6, dtype=int))
    with pytest.raises(SeparationError, match="order effect"):
        fit(data, estimator="mle")
    assert fit(data, estimator="mle", order_effect=False).ability == pytest.approx([0, 0, 0])


def test_perfectly_ordered_degrees_have_no_maximum():
    data = Comparisons(3, [0, 1, 0], [1, 2, 2], [1, 1, 2])
    with pytest.raises(SeparationError):
        fit(data, estimator="mle", order_effect=False)


def test_a_degree_never_given_has_no_maximum_likelihood_cut_point():
    _, data = simulate_class(cut_points=(1.0,))
    with pytest.raises(InvalidSettingError, match="degree 3"):
        fit(data, estimator="mle", degrees=3)
    shrunk = fit(data, degrees=3, estimator="map")
    assert (np.diff(shrunk.cut_points) > 0).all()
    assert np.isfinite(shrunk.cut_points_se).all()


@pytest.mark.parametrize(
    ("given_settings", "error"),
    [
        ({"prior_sd": 0}, InvalidSettingError),
        ({"prior_sd": -1}, InvalidSettingError),
        ({"prior_sd": np.nan}, InvalidSettingError),
        ({"lapse": 1.0}, InvalidSettingError),
        ({"ties": "sometimes"}, InvalidSettingError),
        ({"degrees": 0}, InvalidSettingError),
        ({"degrees": 1.5}, InvalidSettingError),
        ({"degrees": "many"}, InvalidSettingError),
        ({"estimator": "choix", "alpha": 0.0}, InvalidSettingError),
        ({"judges": "all"}, InvalidSettingError),
        ({"estimator": "bayes"}, InvalidSettingError),
        ({"repeats": "never"}, InvalidSettingError),
        ({"start": [0.0, np.nan, 0.0]}, InvalidSettingError),
        ({"start": [0.0, 1.0]}, InvalidSettingError),
        ({"judges": "discrimination"}, OneJudgeError),
        ({"estimator": "firth", "lapse": 0.1}, InvalidSettingError),
        ({"estimator": "firth", "ties": "davidson"}, InvalidSettingError),
        ({"estimator": "mle", "judges": "discrimination"}, InvalidSettingError),
    ],
)
def test_impossible_settings(given_settings, error):
    data = Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 1, 1])
    with pytest.raises(error):
        fit(data, **given_settings)


def test_verdicts_that_do_not_suit_the_settings():
    with pytest.raises(AllTiesError):
        fit(Comparisons(3, [0, 1], [1, 2], [0, 0]), estimator="map")
    degrees = Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 3, -2])
    with pytest.raises(InvalidComparisonError) as caught:
        fit(degrees, degrees=2, estimator="map")
    assert (caught.value.field, caught.value.row) == ("outcome", 1)
    with pytest.raises(InvalidSettingError, match="degree"):
        fit(degrees, ties="davidson", estimator="map")
    with pytest.raises(InvalidSettingError, match="wins only"):
        fit(degrees, estimator="epsilon")
    with pytest.raises(InvalidSettingError, match="no ties"):
        fit(Comparisons(3, [0, 1, 0], [1, 2, 2], [0, 1, 1]), estimator="choix")


def test_non_convergence_raises_with_the_state():
    _, data = simulate_class()
    observations = observe(data, ties="auto", degrees="auto", repeats="shared")
    model = Model(observations, Binary(len(data)), Priors(0.25), order_effect=True)
    with pytest.raises(NotConvergedError, match="2 iterations") as caught:
        maximise(model, np.zeros(model.size), max_iterations=2)
    state = caught.value.state
    assert state.iterations == 2
    assert state.ability.shape == (40,)
    assert np.isfinite(state.objective)
    assert state.largest_step > 1e-3


def test_cut_points_and_order_effect_are_recovered():
    _, data = simulate_class(seed=3, n=120, rounds=60, cut_points=(0.5, 1.5, 3.0), order_effect=0.3)
    result = fit(data, estimator="map")
    assert result.cut_points == pytest.approx([0.5, 1.5, 3.0], abs=0.15)
    assert result.order_effect == pytest.approx([0.3], abs=3 * result.order_effect_se[0])


def test_ties_as_an_interval_are_recovered():
    _, data = simulate_class(seed=4, n=100, rounds=40, cut_points=(0.6, 2.0), ties=True)
    result = fit(data, estimator="map")
    assert result.cut_points == pytest.approx([0.6, 2.0], abs=4 * result.cut_points_se.max())
    tied = (data.outcome == 0).mean()
    assert 0.05 < tied < 0.4


def test_discrimination_per_judge_is_recovered():
    rng = np.random.default_rng(6)
    ability = rng.normal(0, 2, 80)
    first, second = random_matchings(80, 50, rng)
    judge = rng.integers(0, 2, len(first))
    outcome = np.where(
        judge == 0,
        LogisticJudge(ability, discrimination=0.5).judge(first, second, rng),
        LogisticJudge(ability, discrimination=2.0).judge(first, second, rng),
    )
    data = Comparisons(80, first, second, outcome, judge)
    result = fit(data, judges="discrimination", repeats="independent", estimator="map")
    ratio = result.discrimination[1] / result.discrimination[0]
    assert ratio == pytest.approx(4, rel=0.25)
    pooled = fit(data, repeats="independent", estimator="map")
    truth = ability - ability.mean()
    assert np.corrcoef(result.ability, truth)[0, 1] > np.corrcoef(pooled.ability, truth)[0, 1]


def test_order_bias_leaves_abilities_unbiased():
    # judge order bias .3; two groups of equal mean ability, one always shown before the other
    rng = np.random.default_rng(9)
    shift = []
    for _ in range(400):
        ability = rng.normal(0, 2, 60)
        ability -= np.repeat([ability[:30].mean(), ability[30:].mean()], 30)
        one, two = random_matchings(60, 20, rng)
        swap = (one >= 30) & (two < 30)
        first, second = np.where(swap, two, one), np.where(swap, one, two)
        outcome = LogisticJudge(ability, order_effect=0.3).judge(first, second, rng)
        data = Comparisons(60, first, second, outcome)
        fits = (fit(data, estimator="map"), fit(data, order_effect=False, estimator="map"))
        shift.append([f.ability[:30].mean() - f.ability[30:].mean() for f in fits])
    corrected, ignored = np.mean(shift, axis=0)
    assert ignored > 0.15
    assert abs(corrected) < 0.02 * 2.0


@settings(max_examples=scale_examples(60))
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 25), st.booleans())
def test_the_posterior_mode_exists_for_every_set(seed, n, m, graded):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    outcome = rng.integers(-3, 4, m) if graded else rng.integers(0, 2, m) * 2 - 1
    outcome[0] = outcome[0] or 1
    judge = rng.integers(0, 2, m) if rng.random() < 0.5 else None
    lapse = float(rng.choice([0.0, 0.05]))
    result = fit(Comparisons(n, first, second, outcome, judge), lapse=lapse, estimator="map")
    assert np.isfinite(result.ability).all()
    assert np.isfinite(result.covariance).all()
    assert (result.standard_error > 0).all()
    assert (np.abs(result.ability) < 40).all()
    assert result.n_comparisons.sum() <= 2 * m
