"""Priors, penalties and separation against published and independently computed values."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring._fit.classical import adjust_epsilon
from scoring._fit.links import Binary
from scoring._fit.model import Model
from scoring._fit.observations import observe
from scoring._fit.priors import NO_PRIORS
from scoring.errors import SeparationError

# choix, tests/test_opt.py: winner, loser
EIGHT = [(7, 3), (2, 0), (5, 2), (4, 2), (2, 1), (4, 5), (6, 3), (5, 4), (7, 0), (2, 3)]
EIGHT += [(4, 0), (0, 4), (6, 5), (3, 2), (3, 4), (3, 4), (5, 2), (7, 3), (7, 6), (6, 5)]


def winners(n, pairs):
    winner, loser = np.array(pairs).T
    return Comparisons.from_winners(n, winner, loser)


def posterior_sd(result):
    """Undo the sum-to-zero gauge: add back the variance of the common shift under the prior."""
    return np.sqrt(result.standard_error**2 + result.prior_sd**2 / len(result.ability))


def test_eight_essays_under_a_standard_normal_prior():
    # choix.opt_pairwise(alpha=.5) is the prior N(0, 1): it penalises alpha * theta^2
    result = fit(winners(8, EIGHT), prior_sd=1.0, estimator="map")
    theta = [-0.51974039, -0.46280878, -0.31376862, -0.06854694, -0.3185146, -0.00346107]
    theta += [0.63032783, 1.05651257]
    sd = [0.762153, 0.904422, 0.656601, 0.673295, 0.663741, 0.693708, 0.757366, 0.782843]
    assert result.ability == pytest.approx(theta, abs=1e-7)
    assert posterior_sd(result) == pytest.approx(sd, abs=1e-6)


def test_choix_is_called_with_its_alpha():
    choix = pytest.importorskip("choix")
    result = fit(winners(8, EIGHT), estimator="choix", alpha=0.05)
    assert result.ability == pytest.approx(choix.ilsr_pairwise(8, EIGHT, alpha=0.05), abs=1e-6)


def test_choix_standard_errors_are_those_of_its_own_prior():
    # the log posterior sum log F - alpha n sum(e^theta - theta), by brute-force differences
    result = fit(winners(8, EIGHT), estimator="choix", alpha=0.05)
    winner, loser = np.array(EIGHT).T
    theta = result.ability + np.log(8 / np.exp(result.ability).sum())

    def gradient(x):
        q = 1 / (1 + np.exp(x[winner] - x[loser]))
        pull = 0.05 * 8 * (1 - np.exp(x))
        return np.bincount(winner, q, 8) - np.bincount(loser, q, 8) + pull

    assert np.abs(gradient(theta)).max() < 1e-6
    h = 1e-5
    hessian = np.array(
        [(gradient(theta - d) - gradient(theta + d)) / (2 * h) for d in np.eye(8) * h]
    )
    centre = np.eye(8) - 1 / 8
    covariance = centre @ np.linalg.inv(hessian) @ centre
    assert result.standard_error == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-6)


def test_a_cycle_is_a_draw():
    # choix tests/data/testcase-pairwise-1.json
    for estimator in ("map", "mle", "firth", "epsilon", "choix"):
        result = fit(winners(3, [(0, 1), (1, 2), (2, 0)]), estimator=estimator)
        assert result.ability == pytest.approx([0, 0, 0], abs=1e-7)


UNBEATEN = [(0, 1)] * 3 + [(0, 2)] + [(1, 2)] * 2 + [(1, 3), (2, 1), (2, 3), (2, 3), (3, 1), (3, 2)]


def test_unbeaten_essay():
    data = winners(4, UNBEATEN)
    firth = fit(data, estimator="firth")
    assert firth.ability == pytest.approx([1.7390925, -0.3570143, -0.5736983, -0.8083799], abs=1e-6)
    assert firth.standard_error == pytest.approx(
        [1.2670756, 0.6395871, 0.6984134, 0.8067837], abs=1e-6
    )
    unit = fit(data, prior_sd=1.0, estimator="map")
    assert unit.ability == pytest.approx([0.9272304, -0.2663775, -0.2845423, -0.3763107], abs=1e-6)
    assert posterior_sd(unit) == pytest.approx(
        [0.8048929, 0.6877696, 0.7016669, 0.7424045], abs=1e-6
    )
    wide = fit(data, prior_sd=2.0, estimator="map")
    assert wide.ability == pytest.approx([1.6944669, -0.4048148, -0.5466696, -0.7429825], abs=1e-6)


def test_unbeaten_essay_with_adjusted_scores():
    # Adjusted scores here add up to 11.878 of 12 comparisons. These values spread what is
    # missing evenly; sirt's own iteration, which `fit` follows, spreads it by information.
    data = observe(winners(4, UNBEATEN), ties="half", degrees="auto", repeats="independent")
    model = Model(data, Binary(12), NO_PRIORS, order_effect=False)
    even = adjust_epsilon(
        model, np.zeros(4), np.zeros(4, dtype=int), 0.3, share_equally=True
    ).point.x
    assert even == pytest.approx([2.1037466, -0.4726369, -0.6940638, -0.9370458], abs=1e-6)
    result = fit(winners(4, UNBEATEN), estimator="epsilon")
    shortfall = compute_shortfall(result.ability)
    multiple = shortfall * result.diagonal_standard_error**2
    assert np.ptp(multiple) < 1e-8
    assert shortfall.sum() == pytest.approx(11.878 - 12, abs=1e-3)


def compute_shortfall(ability):
    winner, loser = np.array(UNBEATEN).T
    p = 1 / (1 + np.exp(ability[loser] - ability[winner]))
    expected = np.bincount(winner, p, 4) + np.bincount(loser, 1 - p, 4)
    won, judged = np.bincount(winner, minlength=4), np.bincount(np.append(winner, loser))
    return 0.3 + (judged - 0.6) * won / judged - expected


def test_unbeaten_essay_has_no_maximum_likelihood_estimate():
    with pytest.raises(SeparationError, match="essays 0") as caught:
        fit(winners(4, UNBEATEN), estimator="mle")
    assert caught.value.essays == (0,)
