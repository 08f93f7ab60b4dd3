"""Essays that divide judges: their disagreement makes abilities less certain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scoring import Comparisons, SpreadPrior, fit
from scoring.batch_fit import fit_batch, refit_at_one_spread
from scoring.divided_essays import disagreement_variance, widen_divided
from scoring.rank_intervals import rank_intervals
from scoring.reliability import realised_reliability
from scoring.simulate import random_matchings

N, N_JUDGES, N_DIVIDING = 40, 3, 8


def judge_divided(
    *, effect: float, seed: int, rounds: int = 24, n_judges: int = N_JUDGES
) -> Comparisons:
    """Simulate verdicts; every judge sees the first essays with an effect of its own."""
    rng = np.random.default_rng([seed, 11])
    ability = rng.normal(0.0, 1.5, N)
    view = np.zeros((N, n_judges))
    view[:N_DIVIDING] = effect * rng.normal(size=(N_DIVIDING, n_judges))
    first, second = random_matchings(N, rounds, rng)
    judge = rng.integers(n_judges, size=len(first))
    seen = (ability[:, None] + view)[:, judge]
    row = np.arange(len(first))
    margin = seen[first, row] - seen[second, row] + rng.logistic(size=len(first))
    return Comparisons(N, first, second, np.where(margin > 0, 1, -1), judge)


def test_essays_that_divide_judges_are_less_certain_than_others():
    dividing, others, agreed = [], [], []
    for seed in range(6):
        data = judge_divided(effect=2.5, seed=seed)
        added = disagreement_variance(fit(data, estimator="map"), data)
        dividing.append(added[:N_DIVIDING].mean())
        others.append(added[N_DIVIDING:].mean())
        data = judge_divided(effect=0.0, seed=seed)
        agreed.append(disagreement_variance(fit(data, estimator="map"), data).mean())
    assert np.mean(dividing) > 4.0 * np.mean(others)
    assert np.mean(dividing) > 0.1
    assert np.mean(agreed) < 0.05


def test_a_jurys_disagreement_reaches_errors_intervals_ranks_and_reliability():
    data = judge_divided(effect=2.5, seed=3)
    fitted = fit(data, estimator="variational", prior_sd=SpreadPrior())
    added = disagreement_variance(fitted, data)
    widened = widen_divided(fitted, data)
    assert np.array_equal(widened.ability, fitted.ability)
    # In the sum-to-zero gauge an independent error of one essay is shared a little by all.
    own = added * (1.0 - 2.0 / N) + added.sum() / N**2
    assert widened.standard_error**2 == pytest.approx(fitted.standard_error**2 + own)
    most = int(added.argmax())
    other = int(added.argmin())
    assert np.ptp(widened.interval()[most]) > np.ptp(fitted.interval()[most])
    ranks, narrower = (np.ptp(rank_intervals(each), axis=1) for each in (widened, fitted))
    assert ranks.sum() > narrower.sum()
    assert realised_reliability(widened).value < realised_reliability(fitted).value
    assert widened.difference(most, other)[0] == fitted.difference(most, other)[0]
    assert widened.difference(most, other)[1] > fitted.difference(most, other)[1]


def test_what_grades_are_read_from_knows_of_the_disagreement_too():
    data = judge_divided(effect=2.5, seed=3)
    at_one_spread = refit_at_one_spread(fit_batch(data), data)
    added = disagreement_variance(at_one_spread, data)
    assert added.max() > 0.1
    assert (at_one_spread.standard_error**2 > 0.9 * added).all()


def test_one_judge_and_single_verdicts_say_nothing_of_disagreement():
    data = judge_divided(effect=2.5, seed=1, rounds=8)
    fitted = fit(data, estimator="variational")
    unknown = replace(data, judge=None)
    assert widen_divided(fitted, unknown) is fitted
    alone = judge_divided(effect=2.5, seed=1, rounds=8, n_judges=1)
    of_one = fit(alone, estimator="variational")
    assert widen_divided(of_one, alone) is of_one
    # Everybody judges one pair: an error of the judge's view is that of the verdict.
    crowd = replace(data, judge=np.arange(len(data)))
    assert disagreement_variance(fit(crowd, estimator="variational"), crowd).max() == 0.0
