"""How far a judge repeats itself, and what its repeats then weigh."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.batch_fit import fit_batch
from scoring.reliability import standardised_error
from scoring.repeats import estimate_repeat_correlation
from scoring.simulate import LogisticJudge

N = 10
PAIRS = np.array(list(itertools.combinations(range(N), 2)))


def judge_pairs(rng, rounds):
    """Every pair in both orders in turn, each time judged anew."""
    judge = LogisticJudge(rng.normal(0.0, 2.0, N))
    pairs = np.vstack([PAIRS[:, ::-1] if turn % 2 else PAIRS for turn in range(rounds)])
    first, second = pairs.T
    return Comparisons(N, first, second, judge.judge(first, second, rng), np.zeros_like(first))


def copy_rows(data, times):
    """The same verdicts again and again."""
    rows = np.tile(np.arange(len(data)), times)
    return data.take(rows)


def test_a_judge_who_repeats_itself_adds_nothing():
    data = judge_pairs(np.random.default_rng(3), 1)
    assert estimate_repeat_correlation(data) == 1.0
    correlation = estimate_repeat_correlation(copy_rows(data, 3))
    assert correlation > 0.9
    again = fit_batch(copy_rows(data, 3).with_repeat_correlation(1.0))
    assert np.allclose(again.ability, fit_batch(data).ability, atol=0.02)


def test_repeats_that_fall_as_chance_says_are_evidence():
    """Simulated: by the weight of one comparison a pair, each repeat made the fit less precise."""
    found, errors = [], []
    for seed in range(12):
        rounds = judge_pairs(np.random.default_rng(seed), 3)
        found.append(estimate_repeat_correlation(rounds))
        once = fit_batch(rounds.take(np.arange(len(PAIRS))))
        thrice = fit_batch(rounds.with_repeat_correlation(found[-1]))
        errors.append((standardised_error(once), standardised_error(thrice)))
    assert np.mean(found) < 0.3
    once, thrice = np.mean(errors, axis=0)
    assert thrice < 0.8 * once


@pytest.mark.parametrize(("correlation", "weight"), [(1.0, 1.0), (0.5, 4 / 2.5), (0.0, 4.0)])
def test_repeats_weigh_by_the_design_effect(correlation, weight):
    pairs = Comparisons(2, [0, 1, 0, 1], [1, 0, 1, 0], [1, -1, 1, 1], [0, 0, 0, 0])
    fitted = fit(pairs.with_repeat_correlation(correlation), repeats="shared")
    assert fitted.n_comparisons.tolist() == [round(weight)] * 2
    assert pairs.take(np.arange(2)).repeat_correlation == 1.0
    kept = pairs.with_repeat_correlation(correlation).reversed_order()
    assert kept.repeat_correlation == correlation


def test_unknown_judges_repeat_nothing():
    assert estimate_repeat_correlation(Comparisons(2, [0, 0], [1, 1], [1, -1])) == 1.0
