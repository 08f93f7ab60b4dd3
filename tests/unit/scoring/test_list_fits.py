"""Fits of lists and pairs together: derivatives, limits, and what is said of judges in lists."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring._fit import sharpness
from scoring._fit.link_choice import choose_link
from scoring._fit.model import Model
from scoring._fit.observations import observe
from scoring._fit.priors import Priors
from scoring.audit import evidence_against_chance, prequential_audit
from scoring.batch_fit import fit_batch
from scoring.bradley_terry import sum_to_zero_basis
from scoring.errors import AllTiesError, InvalidComparisonError, InvalidSettingError
from scoring.lists import Lists, join_lists
from scoring.misfit import essay_misfit, judge_misfit
from tests.unit.scoring.numerical import assemble_hessian, differentiate

N = 8


def draw_lists(seed, n, k, rounds, *, ratio=1.0, places=None, gaps=True, sd=2.0, n_judges=1):
    """Rankings by Gumbel noise; every essay in `rounds` lists of k."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, sd, n)
    shown = np.concatenate([rng.permutation(n)[: n - n % k].reshape(-1, k) for _ in range(rounds)])
    places = np.zeros(k) if places is None else np.asarray(places)
    utility = ratio * ability[shown] + places + rng.gumbel(size=shown.shape)
    order = np.argsort(-utility, axis=1)
    margins = -np.diff(np.take_along_axis(utility, order, 1), axis=1)
    steps = list(1 + np.searchsorted([1.0, 2.5], margins)) if gaps else None
    judge = np.arange(len(shown)) % n_judges
    ranked = np.take_along_axis(shown, order, 1)
    return ability, Lists(n, list(shown), list(ranked), gaps=steps, judge=judge)


def draw_pairs(seed, ability, rounds, *, n_judges=1):
    rng = np.random.default_rng([seed, 1])
    n = len(ability)
    orders = [rng.permutation(n)[: n - n % 2].reshape(-1, 2) for _ in range(rounds)]
    first, second = np.concatenate(orders).T
    margin = ability[first] - ability[second] + rng.logistic(size=len(first))
    outcome = np.sign(margin) * (1 + np.searchsorted([1.0, 2.5], np.abs(margin)))
    judge = np.arange(len(first)) % n_judges
    return Comparisons(n, first, second, outcome.astype(int), judge)


def make_mixed_model(attention):
    """Two judges; pairs with degrees, lists of three and eight with gaps and ties, four without.

    Lists of eight have six degrees, the others three.
    """
    rng = np.random.default_rng(2)
    shown = [rng.permutation(N)[:3] for _ in range(8)]
    ranked = [rng.permutation(row) for row in shown]
    gaps = list(rng.integers(0, 4, (8, 2)))
    of_three = Lists(N, shown, ranked, gaps=gaps, judge=[0, 0, 0, 1, 0, 1, 0, 0])
    shown = [rng.permutation(N)[:4] for _ in range(6)]
    of_four = Lists(N, shown, [rng.permutation(row) for row in shown], judge=np.ones(6, int))
    ability = rng.normal(size=N)
    shown = [rng.permutation(N) for _ in range(3)]
    ranked = [rng.permutation(N) for _ in range(3)]
    gaps = list(rng.integers(0, 4, (3, N - 1)))
    of_eight = Lists(N, shown, ranked, gaps=gaps, judge=np.zeros(3, int))
    joined = draw_pairs(3, ability, 4, n_judges=2)
    for lists in (of_three, of_four, of_eight):
        joined = join_lists(joined, lists)
    observations = observe(joined, ties="auto", degrees="auto", repeats="shared")
    assert observations.judgings is not None
    return Model(
        observations,
        choose_link(observations, 0.0, attention),
        Priors(0.25),
        order_effect=True,
        discrimination=observations.judgings.sharpness_basis(sum_to_zero_basis(2)),
    )


@pytest.mark.parametrize("attention", ["full", "lapses", "estimated"])
def test_gradient_and_hessian_with_lists(attention):
    m = make_mixed_model(attention)
    rng = np.random.default_rng(11)
    x = m.start(rng.normal(0, 1, N))
    x[N : N + m.n_order] = rng.normal(0, 0.5, m.n_order)
    x[m.gaps_at] = rng.uniform(0.4, 1.2, m.link.n_gaps)
    x[m.shape_at.stop :] = rng.normal(0, 0.4, m.n_log)
    # order effects of two judges, places of four kinds of lists; one ratio for each kind
    assert (m.n_order, m.n_ratios, m.n_log) == (2 + 3 + 8 + 3 + 4, 4, 5)
    assert m.link.n_gaps == 5 * 3 + 6
    gradient, hessian = differentiate(m, x, 1e-5)
    assert m.evaluate(x).gradient == pytest.approx(gradient, abs=1e-6)
    assert assemble_hessian(m, x) == pytest.approx(hessian, abs=1e-6)


def test_lists_of_two_are_fitted_as_pairs_to_the_last_digit():
    rng = np.random.default_rng(4)
    ability = rng.normal(0, 2, 20)
    pairs = draw_pairs(4, ability, 6)
    rows = zip(pairs.first, pairs.second, pairs.outcome, strict=True)
    shown, ranked, gaps = [], [], []
    for first, second, outcome in rows:
        shown.append([first, second])
        ranked.append([first, second] if outcome > 0 else [second, first])
        gaps.append([abs(outcome)])
    lists = Lists(20, shown, ranked, gaps=gaps, judge=np.zeros(len(shown), int))
    one, other = fit_batch(pairs), fit_batch(join_lists(None, lists))
    assert one.ability.tobytes() == other.ability.tobytes()
    assert one.covariance.tobytes() == other.covariance.tobytes()
    assert other.list_judging == ()


def test_lists_alone_have_no_ratio_and_stand_on_their_own_scale():
    _, lists = draw_lists(1, 40, 5, 6, ratio=0.6)
    (judged,) = fit_batch(join_lists(None, lists)).list_judging
    assert (judged.ratio, judged.is_ratio_known, judged.n_lists) == (1.0, False, 48)
    assert judged.ratio_interval == (0.0, np.inf)
    assert judged.compute_cdf(0.75) == 0.0


def test_the_search_for_the_ratio_ends_where_it_would_not_move_any_more(monkeypatch):
    ability, lists = draw_lists(2, 40, 5, 4, ratio=0.5)
    judged = join_lists(draw_pairs(2, ability, 2), lists)
    (found,) = fit_batch(judged, prior_sd=1.0).list_judging
    monkeypatch.setattr(sharpness, "_TURNS_OF_RATIOS", 200)
    monkeypatch.setattr(sharpness, "_CLOSE_RATIO", 1e-5)
    (exact,) = fit_batch(judged, prior_sd=1.0).list_judging
    assert abs(np.log(found.ratio / exact.ratio)) < 0.1 * exact.log_ratio_se


def test_a_blunt_judge_of_lists_is_seen_beside_its_pairs():
    ability, lists = draw_lists(2, 40, 5, 8, ratio=0.4)
    fitted = fit_batch(join_lists(draw_pairs(2, ability, 8), lists))
    (judged,) = fitted.list_judging
    assert abs(np.log(judged.ratio / 0.4)) < 3.0 * judged.log_ratio_se
    assert judged.compute_cdf(0.75) > 0.9
    # precise knowledge from before outweighs these verdicts, and vague knowledge does not
    assert judged.compute_cdf(0.75, expected=1.0, expected_sd=0.01) < 1e-6
    assert judged.compute_cdf(0.75, expected=1.0, expected_sd=10.0) > 0.9
    # most of the evidence is of lists: abilities are in their unit
    assert fitted.discrimination[0] == pytest.approx(1.0 / judged.ratio)
    assert fitted.n_comparisons.max() <= 16


def test_a_jury_has_a_ratio_for_every_judge_and_size():
    ability, lists = draw_lists(3, 20, 5, 4, gaps=False, n_judges=2)
    pairs = draw_pairs(3, ability, 4, n_judges=2)
    fitted = fit_batch(join_lists(pairs, lists))
    assert [(one.judge, one.size) for one in fitted.list_judging] == [(0, 5), (1, 5)]
    assert all(one.is_ratio_known for one in fitted.list_judging)
    for name in ("discrimination", "discrimination_se", "order_effect", "order_effect_se"):
        assert len(getattr(fitted, name)) == 2
    assert len(fitted.lapse) == len(fitted.degree_share) == 2


def test_effects_of_places_are_found_and_sum_to_zero():
    places = [0.8, 0.0, -0.4, -0.4, 0.0]
    ability, lists = draw_lists(5, 60, 5, 12, places=places)
    (judged,) = fit_batch(join_lists(draw_pairs(5, ability, 2), lists)).list_judging
    assert judged.place_effects.sum() == pytest.approx(0.0, abs=1e-12)
    off = (judged.place_effects - places) / judged.place_effects_se
    assert np.abs(off).max() < 3.0
    assert judged.place_effects[0] > 4 * judged.place_effects_se[0]


def test_an_essay_that_is_always_first_stays_finite():
    _, lists = draw_lists(6, 20, 5, 6)
    ranked = [np.concatenate([row[row == 0], row[row != 0]]) for row in lists.rankings]
    always = Lists(20, lists.shown, ranked, judge=lists.judge)
    fitted = fit_batch(join_lists(None, always))
    assert np.isfinite(fitted.ability).all()
    assert fitted.ability.argmax() == 0
    assert fitted.standard_error[0] > 1.2 * np.median(fitted.standard_error)


def test_lists_of_ties_draw_essays_together_and_alone_order_nothing():
    shown = [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    ties = Lists(4, shown, shown, gaps=[[0, 0]] * 3, judge=[0, 0, 0])
    with pytest.raises(AllTiesError):
        fit(join_lists(None, ties))
    pairs = Comparisons(4, [0, 1, 2, 0, 3], [1, 2, 3, 2, 1], [2, 1, 1, 2, -1], [0] * 5)
    alone, tied = fit(pairs, prior_sd=2.0), fit(join_lists(pairs, ties), prior_sd=2.0)
    assert abs(tied.difference(0, 1)[0]) < abs(alone.difference(0, 1)[0])


def test_a_list_asked_again_adds_no_evidence():
    _, lists = draw_lists(7, 20, 5, 4)
    twice = Lists(
        20,
        lists.shown * 2,
        lists.rankings * 2,
        gaps=None,
        judge=np.zeros(2 * len(lists), int),
    )
    once = Lists(20, lists.shown, lists.rankings, judge=lists.judge)
    one, two = (fit(join_lists(None, rows), prior_sd=2.0) for rows in (once, twice))
    np.testing.assert_allclose(two.ability, one.ability, atol=1e-6)
    np.testing.assert_allclose(two.standard_error, one.standard_error, atol=1e-6)


def test_a_coin_in_lists_is_at_chance_and_a_judge_is_not():
    rng = np.random.default_rng(8)
    _, lists = draw_lists(8, 60, 5, 8, gaps=False)
    coin = Lists(60, lists.shown, [rng.permutation(row) for row in lists.shown], judge=lists.judge)
    assert evidence_against_chance(join_lists(None, coin)) < -3.0
    assert evidence_against_chance(join_lists(None, lists)) > 3.0


def test_estimators_without_a_prior_know_pairs_only():
    _, lists = draw_lists(9, 20, 5, 2, gaps=False)
    joined = join_lists(None, lists)
    for estimator in ("mle", "firth", "epsilon", "choix"):
        with pytest.raises(InvalidSettingError):
            fit(joined, estimator=estimator)
    with pytest.raises(InvalidSettingError, match="davidson"):
        fit(join_lists(Comparisons(20, [0, 1], [1, 2], [0, 1], [0, 0]), lists), ties="davidson")


def test_people_in_pairs_beside_a_model_in_lists_are_on_two_scales():
    ability, lists = draw_lists(10, 16, 4, 4, gaps=False)
    by_people = draw_pairs(10, ability, 4)
    people = Comparisons(
        16, by_people.first, by_people.second, np.sign(by_people.outcome), [1] * 32
    )
    fitted = fit_batch(join_lists(people, lists), is_model=[True, False])
    (gap,) = fitted.construct_gaps
    assert gap.judge == 0
    assert np.corrcoef(fitted.ability, ability)[0, 1] > 0.8
    assert [one.is_ratio_known for one in fitted.list_judging] == [False]


def test_deviates_of_misfit_vary_as_they_should_under_lists():
    deviates = []
    for seed in range(6):
        ability, lists = draw_lists(20 + seed, 60, 5, 6, gaps=False)
        comparisons = join_lists(draw_pairs(20 + seed, ability, 1), lists)
        fitted = fit(comparisons, prior_sd=2.0)
        found = essay_misfit(fitted, comparisons)
        assert found.n.max() <= 7
        deviates.append(found.infit_z)
    assert 0.7 < np.concatenate(deviates).std() < 1.2
    assert judge_misfit(fitted, comparisons).n.tolist() == [72 + 30]


def test_lists_are_predicted_as_sharply_as_they_are_judged():
    ability, lists = draw_lists(12, 40, 5, 8, ratio=0.5)
    fitted = fit_batch(join_lists(draw_pairs(12, ability, 8), lists))
    best, worst = int(fitted.ability.argmax()), int(fitted.ability.argmin())
    in_pairs, in_lists = (float(fitted.predict([best], [worst], size=k)[0]) for k in (2, 5))
    assert 0.5 < in_lists < in_pairs


def test_the_audit_rests_on_lists_and_not_on_their_pairs():
    rng = np.random.default_rng(13)
    inside, n_runs = 0, 200
    for _ in range(n_runs):
        ranks = np.argsort(rng.normal(size=(12, 5)), axis=1)
        one, other = np.triu_indices(5, 1)
        preferred = (ranks[:, one] < ranks[:, other]).astype(float).ravel()
        audit = prequential_audit(
            np.full(120, 0.6), preferred, cluster=np.repeat(np.arange(12), 10)
        )
        inside += audit.agreement_interval[0] < 0.5 < audit.agreement_interval[1]
    assert audit.n == 12
    assert inside / n_runs > 0.92
    alone = prequential_audit([0.8, 0.3], [1, 1], cluster=[4, 7])
    assert alone == prequential_audit([0.8, 0.3], [1, 1])
    with pytest.raises(InvalidComparisonError, match="cluster"):
        prequential_audit([0.5], [1], cluster=[0, 1])
