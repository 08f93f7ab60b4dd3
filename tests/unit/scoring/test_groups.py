"""Groups: differences that are there, that are not, and judges who favour one (all simulated)."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, Fit, fit
from scoring.errors import InvalidSettingError
from scoring.groups import count_mixed, group_differences, judge_group_effects
from scoring.simulate import LogisticJudge, random_matchings

Z95 = 1.96


def fit_groups(
    difference: float,
    rng: np.random.Generator,
    *,
    rounds: int,
    bonuses: tuple[float, ...] = (0.0,),
    n: int = 40,
) -> tuple[Fit, Comparisons, np.ndarray]:
    """Two groups N(0, 1.5) and N(difference, 1.5); each judge gives group 1 a bonus."""
    group = np.arange(n) % 2
    ability = rng.normal(0, 1.5, n) + difference * group
    first, second, outcome, judge = [], [], [], []
    for number, bonus in enumerate(bonuses):
        one, two = random_matchings(n, rounds, rng)
        seen = LogisticJudge(ability + bonus * group)
        first.append(one)
        second.append(two)
        outcome.append(seen.judge(one, two, rng))
        judge.append(np.full(len(one), number))
    comparisons = Comparisons(
        n, *(np.concatenate(column) for column in (first, second, outcome, judge))
    )
    return fit(comparisons, prior_sd=1.6, estimator="variational"), comparisons, group


@pytest.mark.slow
@pytest.mark.parametrize("difference", [0.0, 1.5])
def test_intervals_of_a_difference_hold_and_are_not_pulled_together(difference):
    """Six comparisons an essay: a plain difference of abilities would lose a third of it."""
    rng = np.random.default_rng(31)
    estimates, held = [], []
    for _ in range(150):
        fitted, _, group = fit_groups(difference, rng, rounds=6)
        found = group_differences(fitted, group, compared=2)
        estimates.append(found.estimate[1])
        held.append(abs(found.estimate[1] - difference) < Z95 * found.standard_error[1])
        assert found.estimate[0] == pytest.approx(-found.estimate[1])
    assert np.mean(estimates) == pytest.approx(difference, abs=0.2)
    assert 0.89 < np.mean(held) < 0.99


def test_essays_that_are_not_compared_have_a_mean_of_their_own():
    """Anchors far above both groups move neither."""
    rng = np.random.default_rng(3)
    fitted, _, group = fit_groups(0.0, rng, rounds=20)
    marked = group.copy()
    marked[np.argsort(-fitted.ability)[:4]] = 2
    without = group_differences(fitted, marked, compared=2)
    rest = marked < 2
    plain = [fitted.ability[rest & (marked == g)].mean() for g in (0, 1)]
    assert without.estimate[1] == pytest.approx(plain[1] - plain[0], abs=0.2)


def test_a_judge_who_favours_a_group_is_found_and_the_others_are_not():
    """Three judges; the third gives group 1 a bonus of 1.2: .8 above the mean judge, others -.4."""
    rng = np.random.default_rng(12)
    truth = np.array([-0.4, -0.4, 0.8])
    estimates, held = [], []
    for _ in range(40):
        fitted, comparisons, group = fit_groups(0.5, rng, rounds=10, bonuses=(0.0, 0.0, 1.2))
        found = judge_group_effects(fitted, comparisons, group, compared=2)
        estimate = np.array([contrast.estimate[1] for contrast in found])
        error = np.array([contrast.standard_error[1] for contrast in found])
        assert estimate.sum() == pytest.approx(0, abs=1e-3)
        estimates.append(estimate)
        held.append(np.abs(estimate - truth) < Z95 * error)
    assert np.mean(estimates, axis=0) == pytest.approx(truth, abs=0.15)
    assert np.mean(held) > 0.88


def test_one_judge_alone_shows_no_favour():
    fitted, comparisons, group = fit_groups(0.0, np.random.default_rng(1), rounds=4)
    with pytest.raises(InvalidSettingError, match="two judges"):
        judge_group_effects(fitted, comparisons, group, compared=2)


def test_mixed_verdicts_are_counted_for_both_groups():
    comparisons = Comparisons(4, [0, 0, 2, 1], [1, 2, 3, 3], [1, 1, 1, 1], [0, 0, 1, 1])
    group = np.array([0, 1, 1, 2])
    counts = count_mixed(comparisons, group, compared=2, n_judges=2)
    assert counts.tolist() == [[2, 2], [0, 0]]


def test_repeats_weigh_in_bonuses_as_in_the_fit():
    """Every verdict twice: with the weight of one nothing is gained, as new evidence a half is."""
    _, comparisons, group = fit_groups(0.5, np.random.default_rng(5), rounds=10, bonuses=(0.0, 1.2))
    twice = comparisons.take(np.tile(np.arange(len(comparisons)), 2))
    errors = []
    for data in (comparisons, twice.with_repeat_correlation(1.0), twice.with_repeat_correlation(0)):
        fitted = fit(data, prior_sd=1.6, estimator="variational")
        found = judge_group_effects(fitted, data, group, compared=2)
        errors.append(found[1].standard_error[1])
    assert errors[1] == pytest.approx(errors[0], rel=1e-3)
    assert errors[2] < 0.8 * errors[0]
