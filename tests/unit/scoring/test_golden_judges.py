"""The No More Marking demo: 8 scripts, 81 decisions, 3 judges (nmmBtm README)."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import fit
from scoring._fit.links import Binary
from scoring._fit.model import Model
from scoring._fit.newton import maximise
from scoring._fit.observations import observe
from scoring._fit.priors import Priors

THETA = [1.6181586, -0.8096793, -0.3380090, 0.2557483, -2.5250944, 1.0694315, -1.0288182, 1.7582626]
SE_DIAGONAL = [0.6756065, 0.5501271, 0.5572187, 0.5167205, 0.9427159, 0.6121592]
SE_DIAGONAL += [0.6295691, 0.6616685]
SE_FULL = [0.604357, 0.495092, 0.501888, 0.470858, 0.837283, 0.548349, 0.560554, 0.599704]
MLE = [1.7567398, -0.8575527, -0.3517264, 0.2774948, -2.7994726, 1.1652806, -1.0937662, 1.9030028]
MLE_SE = [0.6327766, 0.5126288, 0.5190993, 0.4850555, 0.9347943, 0.5705477, 0.5835867, 0.6265618]


def test_epsilon_reproduces_the_published_scale(nmm_demo):
    # the published run stops at a change below 1e-4
    result = fit(nmm_demo, estimator="epsilon")
    assert result.ability == pytest.approx(THETA, abs=3e-5)
    assert result.diagonal_standard_error == pytest.approx(SE_DIAGONAL, abs=1e-4)
    assert result.standard_error == pytest.approx(SE_FULL, abs=1e-4)


def test_maximum_likelihood(nmm_demo):
    result = fit(nmm_demo, estimator="mle", repeats="independent")
    assert result.ability == pytest.approx(MLE, abs=1e-6)
    assert result.standard_error == pytest.approx(MLE_SE, abs=1e-6)


def test_posterior_mode_under_a_standard_normal_prior(nmm_demo):
    result = fit(nmm_demo, prior_sd=1.0, repeats="independent", estimator="map")
    theta = [1.168416, -0.615894, -0.284375, 0.197619, -1.659995, 0.781926, -0.840680, 1.252982]
    sd = [0.574341, 0.534617, 0.538968, 0.526885, 0.616387, 0.556178, 0.562849, 0.572202]
    assert result.ability == pytest.approx(theta, abs=1e-6)
    assert np.sqrt(result.standard_error**2 + 1 / 8) == pytest.approx(sd, abs=1e-6)
    objective = -result.log_likelihood + 0.5 * result.ability @ result.ability
    assert objective == pytest.approx(36.82467, abs=1e-5)


def test_discrimination_with_a_free_mean(nmm_demo):
    # log a_j ~ N(0, .5^2) without the constraint on their mean that `fit` adds
    data = observe(nmm_demo, ties="auto", degrees="auto", repeats="independent")
    model = Model(data, Binary(81), Priors(1.0), order_effect=False, discrimination=np.eye(3))
    point = maximise(model, np.zeros(model.size)).point
    assert point.x[8:] == pytest.approx([0.955621, 0.973796, -0.366238], abs=1e-6)
    theta = [0.773692, -0.774111, 0.069275, -0.101635, -1.504002, 0.781736, -0.592418, 1.347464]
    assert point.x[:8] == pytest.approx(theta, abs=2e-6)
    assert -point.value == pytest.approx(30.9117, abs=1e-4)


def test_the_noisy_judge_gets_the_small_discrimination(nmm_demo):
    result = fit(
        nmm_demo, prior_sd=1.0, judges="discrimination", repeats="independent", estimator="map"
    )
    assert np.log(result.discrimination).sum() == pytest.approx(0, abs=1e-12)
    assert result.discrimination.argmin() == 2
    assert (result.discrimination_se > 0).all()
    assert result.discrimination[2] + 1.96 * result.discrimination_se[2] < 1
